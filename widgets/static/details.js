// What the selected variant now gets right and wrong, what is inside, and how it was made.

import { h, identifier } from "./dom.js";
import { codeBlock } from "./code.js";
import { picture } from "./chart.js";
import { dataTable } from "./table.js";

export function details(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  if (!state.variant) {
    return h("section", { class: "wb-card wb-details", "aria-labelledby": `${local.id}-title` },
      h("header", { class: "wb-card-head" }, h("h2", { id: `${local.id}-title` }, state.title)),
      h("p", { class: "wb-empty" }, state.empty));
  }
  const tabs = state.tabs.filter((tab) => tab.shown);
  const tab = tabs.some((one) => one.name === local.tab) ? local.tab : tabs[0].name;
  const choose = (name, focus) => {
    local.tab = name;
    view.redraw();
    if (focus) document.getElementById(`${local.id}-tab-${name}`)?.focus();
  };
  const steer = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -tabs.length, End: tabs.length }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const place = tabs.findIndex((one) => one.name === tab);
    const next = Math.abs(step) === 1 ? (place + step + tabs.length) % tabs.length : step < 0 ? 0 : tabs.length - 1;
    choose(tabs[next].name, true);
  };
  return h("section", { class: "wb-card wb-details", "aria-labelledby": `${local.id}-title` },
    h("header", { class: "wb-card-head" }, h("h2", { id: `${local.id}-title` }, state.title),
      h("span", { class: "wb-hint" }, state.aside)),
    h("div", { class: "wb-tabs", role: "tablist", "aria-labelledby": `${local.id}-title`, onkeydown: steer },
      tabs.map((one) => h("button", { type: "button", role: "tab", key: one.name, id: `${local.id}-tab-${one.name}`,
        "aria-selected": String(one.name === tab), "aria-controls": `${local.id}-panel`, tabindex: one.name === tab ? "0" : "-1",
        onclick: () => choose(one.name) }, one.title))),
    h("div", { class: "wb-tab-panel", role: "tabpanel", id: `${local.id}-panel`, "aria-labelledby": `${local.id}-tab-${tab}`,
      tabindex: "0", key: tab }, PANELS[tab](view)),
    h("p", { class: "wb-hidden", role: "status" }, labels.shown));
}

const PANELS = {
  quality: ({ state, ...rest }) => quality({ state, ...rest }),
  flips,
  layers,
  numbers,
  found,
  report,
};

function quality(view) {
  const { state } = view;
  if (state.waiting) return h("p", { class: "wb-empty", role: "status" }, state.waiting);
  return h("div", { class: "wb-two" }, state.charts.map((chart) => h("div", { key: chart.name },
    h("h3", { class: "wb-small-title" }, chart.name), picture({ view, key: chart.name, ...chart }))));
}

function flips(view) {
  const { state } = view;
  return [h("p", { class: "wb-hint" }, state.flips.summary),
    h("ul", { class: "wb-flips" }, state.flips.samples.map((flip) => h("li", { key: flip.index, class: flip.lost ? "wb-flip-lost" : null },
      flip.picture && h("img", { src: flip.picture, alt: flip.title, width: "64", height: "64" }),
      h("span", {}, h("strong", {}, flip.label, h("span", { class: "wb-flip-sign", "aria-hidden": "true" }, flip.lost ? "✕" : "✓")),
        h("span", { class: "wb-sub" }, flip.change)))))];
}

function layers({ state }) {
  return dataTable({ ...state.layers, hideCaption: true });
}

function numbers({ state }) {
  return dataTable({ ...state.numbers, hideCaption: true });
}

function found(view) {
  return view.state.found.map((one) => h("div", { key: one.name }, h("h3", { class: "wb-small-title" }, one.name),
    one.figure ? picture({ view, key: `found ${one.name}`, ...one })
      : [one.summary && h("p", { class: "wb-hint" }, one.summary), dataTable({ ...one.table, hideCaption: true })]));
}

function report(view) {
  const { state } = view;
  return [state.report.map((part) => h("div", { key: part.title }, h("h3", { class: "wb-small-title" }, part.title),
    h("ul", { class: "wb-lines" }, part.lines.map((line, index) => h("li", { key: index }, line))))),
  state.code && codeBlock({ view, key: state.variant, code: state.code, title: state.labels.code }),
  state.recipe && codeBlock({ view, key: `recipe ${state.variant}`, code: state.recipe, title: state.labels.recipe })];
}
