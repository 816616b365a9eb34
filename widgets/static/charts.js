// The figures of the page. What they show is decided in the kernel.

import { h, identifier } from "./dom.js";
import { picture } from "./chart.js";

function card(view, name, ...content) {
  const { state, local } = view;
  local.id ??= identifier();
  return h("section", { class: `wb-card wb-${name}`, "aria-labelledby": local.id },
    h("header", { class: "wb-card-head" }, h("h2", { id: local.id }, state.title), state.aside && !state.empty && h("span", { class: "wb-hint" }, state.aside)),
    state.empty ? h("p", { class: "wb-empty" }, state.empty) : content);
}

export function tradeOff(view) {
  const { state } = view;
  return card(view, "trade-off", !state.empty && picture({
    view, key: "trade-off", ...state.chart, height: 380,
    click: (point) => point.customdata && view.act("select", { variant: [].concat(point.customdata)[0] }),
  }));
}

export function bars(view) {
  const { state } = view;
  return card(view, "bars", h("div", { class: "wb-three" },
    (state.charts ?? []).map((chart) => h("div", { key: chart.name },
      h("h3", { class: "wb-small-title" }, chart.name),
      picture({ view, key: chart.name, ...chart })))));
}

/** Curves are there while a job draws them; afterwards they are folded, and can be called back. */
export function live(view) {
  const { state, local, labels } = view;
  local.id ??= identifier();
  if (state.charts.length === 0) return null;
  const open = state.running || local.open;
  return h("section", { class: `wb-card wb-live${state.running ? " wb-running" : ""}`, "aria-labelledby": local.id },
    h("header", { class: "wb-card-head" }, h("h2", { id: local.id }, state.title), h("span", { class: "wb-hint" }, state.aside),
      h("span", { class: "wb-spring" }),
      !state.running && h("button", { type: "button", class: "wb-small wb-quiet", "aria-expanded": String(Boolean(open)), onclick: () => {
        local.open = !open;
        view.redraw();
      } }, open ? labels.hide : labels.show)),
    open && h("div", { class: "wb-two" }, state.charts.map((chart) => h("div", { key: chart.name },
      h("h3", { class: "wb-small-title" }, chart.name),
      picture({ view, key: chart.name, ...chart })))));
}
