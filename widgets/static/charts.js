// @ts-check
// The figures of the page. What they show is decided in the kernel.

import { h, identifier } from "./dom.js";
import { picture } from "./chart.js";

/** @param {View} view */
export function tradeOff(view) {
  const { state, local } = view;
  local.id ??= identifier();
  if (state.empty) return null;
  return h("section", { class: "wb-card wb-trade-off", "aria-labelledby": local.id },
    h("header", { class: "wb-card-head" }, h("h2", { id: local.id }, state.title), axes(view)),
    picture({
      view, key: "trade-off", ...state.chart, height: 380, legend: legend(view), save: true,
      click: (point) => point.customdata && view.act("select", { variant: [].concat(point.customdata)[0] }),
    }));
}

/** @param {View} view */
function axes(view) {
  const { state, labels } = view;
  const choice = (title, value, options, choose) => h("label", { class: "wb-inline" }, h("span", {}, title),
    h("select", { value, onchange: (event) => choose(event.target.value) },
      options.map((one) => h("option", { key: one.value, value: one.value }, one.title))));
  return h("div", { class: "wb-axes" },
    choice(labels.x, state.x, state.axes, (x) => view.act("axes", { x, y: state.y })),
    choice(labels.y, state.y, state.axes, (y) => view.act("axes", { x: state.x, y })),
    choice(labels.by, state.by, ["verdict", "family"].map((value) => ({ value, title: labels[value] })), (by) => view.act("colour", { by })));
}

/** @param {View} view */
function legend({ state, labels }) {
  const sign = ({ kind, name }) => kind === "shape" ? `wb-shape wb-shape-${name}${state.by === "verdict" ? " wb-shape-plain" : ""}`
    : `wb-sign wb-sign-${kind}${name ? ` wb-sign-${name}` : ""}`;
  return h("ul", { class: "wb-legend", "aria-label": labels.legend }, state.legend.map((one) => h("li", { key: `${one.kind} ${one.name}` },
    h("span", { class: sign(one), "aria-hidden": "true" }), one.words)));
}

/**
 * Curves are there while a job draws them; afterwards they are folded, and can be called back.
 * @param {View} view
 */
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
      picture({ view, key: chart.name, ...chart, calm: state.running })))));
}
