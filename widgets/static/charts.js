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

export function live(view) {
  const { state } = view;
  return card(view, "live", h("div", { class: "wb-two" },
    (state.charts ?? []).map((chart) => h("div", { key: chart.name },
      h("h3", { class: "wb-small-title" }, chart.name),
      picture({ view, key: chart.name, ...chart, height: 190 })))));
}
