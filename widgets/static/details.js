// @ts-check
// The selected variant beside another one: a drawer at the side where there is room, else below the table.

import { h, identifier } from "./dom.js";
import { actions, focusOn, star } from "./actions.js";
import { codeBlock } from "./code.js";
import { picture } from "./chart.js";
import { receiver } from "./download.js";
import { forgotten } from "./forgotten.js";
import { inside } from "./inside.js";
import { saving } from "./saving.js";
import { dataTable } from "./table.js";
import { tabbed } from "./tabs.js";
import { chip } from "./verdict.js";

/** @param {View} view */
export function details(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  view.receive ??= receiver();
  if (!state.opened) {
    local.seen = null;
    return null;
  }
  const tabs = state.tabs.filter((tab) => tab.shown);
  const tab = tabs.some((one) => one.name === local.tab) ? local.tab : tabs[0].name;
  const choose = (name) => {
    local.tab = name;
    view.redraw();
  };
  const close = () => {
    view.act("fold");
    if (local.from?.isConnected) local.from.focus();
    else focusOn(".wb-selected input[type=radio]");
  };
  return h("section", { class: "wb-card wb-details wb-details-drawer", "aria-labelledby": `${local.id}-title`, key: "drawer",
    mount: (node) => reveal(view, node), update: (node) => reveal(view, node),
    onkeydown: (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || event.target.closest("select")) return;
      event.stopPropagation();
      close();
    } },
  h("header", { class: "wb-card-head" },
    h("span", { class: `wb-shape wb-shape-${state.family}`, "aria-hidden": "true" }),
    h("h2", { id: `${local.id}-title`, class: "wb-drawer-title", tabindex: "-1" }, state.title), star(view, state.row),
    h("span", { class: "wb-spring" }),
    h("button", { type: "button", class: "wb-small wb-quiet", "aria-label": labels.close, onclick: close }, "✕")),
  h("div", { class: "wb-drawer-head" },
    state.error && h("p", { class: "wb-error", role: "alert" }, state.error),
    state.comparison && h("div", { class: "wb-against" }, h("h3", { class: "wb-small-title" }, state.comparison.title),
      h("p", { class: "wb-chips" }, state.comparison.chips.map((one) => chip(one))),
      state.comparison.note && h("p", { class: "wb-hint" }, state.comparison.note)),
    actions(view, state.row, state.others),
    notes(state)),
  tabbed({ id: local.id, tabs, chosen: tab, choose, row: { "aria-labelledby": `${local.id}-title` } }, PANELS[tab](view)));
}

/** The first one is read at once; more are one click away, so that what follows is seen. */
function notes({ notes: [first, ...more], labels }) {
  return first && [h("ul", { class: "wb-notes", key: "first" }, h("li", {}, first)),
    more.length > 0 && h("details", { class: "wb-fold", key: "more" }, h("summary", {}, `${labels.more} (${more.length})`),
      h("ul", { class: "wb-notes" }, more.map((note, index) => h("li", { key: index }, note))))];
}

/**
 * Each time it is asked for, the eye and the focus are led here; changes of what is shown leave them alone.
 * @param {View} view
 */
function reveal({ state, local }, node) {
  if (local.seen === state.revealed) return;
  local.seen = state.revealed;
  const before = document.activeElement;
  if (before && !node.contains(before) && before !== document.body) local.from = before;
  node.querySelector(".wb-drawer-title").focus({ preventScroll: true });
  // Beside the table it is seen already; below it the page goes there, once more when what lies above has changed.
  const lead = () => {
    const { top, bottom } = node.getBoundingClientRect();
    const seen = top >= 0 && top < innerHeight - 200;
    const filled = top < 0 && bottom > innerHeight && getComputedStyle(node).overflowY === "auto";
    if (node.isConnected && !seen && !filled) node.scrollIntoView({ block: "start" });
  };
  for (const milliseconds of [0, 250, 700]) setTimeout(lead, milliseconds);
}

const PANELS = { quality, flips, forgotten, inside, numbers, saving, found, report };

/** @param {View} view */
function quality(view) {
  const { state } = view;
  return h("div", { class: "wb-two" }, state.charts.map((chart) => h("div", { key: chart.name },
    h("h3", { class: "wb-small-title" }, chart.name), picture({ view, key: chart.name, ...chart }))));
}

/** @param {View} view */
function flips(view) {
  const { state } = view;
  if (state.waiting) return h("p", { class: "wb-empty", role: "status" }, state.waiting);
  return [h("p", {}, state.flips.summary),
    h("ul", { class: "wb-flips" }, state.flips.samples.map((flip) => h("li", { key: flip.index, class: `wb-flip-${flip.kind}` },
      flip.picture && h("img", { src: flip.picture, alt: flip.title, width: "64", height: "64" }),
      h("span", {}, h("strong", {}, flip.label, h("span", { class: "wb-flip-sign", "aria-hidden": "true" }, { lost: "✕", won: "✓", neither: "≠" }[flip.kind])),
        h("span", { class: "wb-sub" }, flip.change)))))];
}

/** @param {View} view */
function numbers({ state }) {
  return dataTable({ ...state.numbers, hideCaption: true });
}

/** @param {View} view */
function found(view) {
  return view.state.found.map((one) => h("div", { key: one.name }, h("h3", { class: "wb-small-title" }, one.name),
    one.figure ? picture({ view, key: `found ${one.name}`, ...one })
      : [one.summary && h("p", { class: "wb-hint" }, one.summary), dataTable({ ...one.table, hideCaption: true })]));
}

/** @param {View} view */
function report(view) {
  const { state } = view;
  return [state.foreseen && h("div", { key: "foreseen" }, h("h3", { class: "wb-small-title" }, state.foreseen.caption),
    dataTable({ ...state.foreseen, hideCaption: true })),
  state.report.map((part) => h("div", { key: part.title }, h("h3", { class: "wb-small-title" }, part.title),
    h("ul", { class: "wb-lines" }, part.lines.map((line, index) => h("li", { key: index }, line))))),
  state.code && codeBlock({ view, key: state.variant, files: state.code, title: state.labels.code,
    takeHome: () => view.act("take_home", { variant: state.variant }) }),
  state.recipe && codeBlock({ view, key: `recipe ${state.variant}`, files: [{ name: "recipe", text: state.recipe }], title: state.labels.recipeTitle })];
}
