// @ts-check
// The table of variants: one line each, sorted and filtered here; what can be done with the chosen one.

import { h, identifier } from "./dom.js";
import { actions, before, remedy, star } from "./actions.js";
import { receiver } from "./download.js";
import { lineage } from "./lineage.js";
import { chip } from "./verdict.js";

/** @param {View} view */
export function variants(view) {
  const { state, local } = view;
  local.id ??= identifier();
  local.sort ??= { column: null, reversed: false };
  view.receive ??= receiver();
  return h("section", { class: "wb-card wb-variants", "aria-labelledby": `${local.id}-title` },
    h("header", { class: "wb-card-head" },
      h("h2", { id: `${local.id}-title` }, state.title),
      h("span", { class: "wb-spring" }),
      state.message && h("p", { class: "wb-hint", role: "status" }, state.message),
      state.undo && h("button", { type: "button", class: "wb-small wb-undo", onclick: () => {
        const before = new Set(state.rows.map((row) => row.id));
        view.act("undo");
        back(view, before);
      } }, state.undo),
      !state.empty && filters(view)),
    state.error && h("p", { class: "wb-error wb-pad", role: "alert" }, state.error),
    state.empty ? h("p", { class: "wb-empty" }, state.empty) : [local.map ? lineage(view, withAncestors(state.rows, shown(view))) : table(view), foot(view)]);
}

/**
 * After an undo the focus is on what came back.
 * @param {View} view
 */
function back(view, before, patience = 40) {
  const row = view.state.rows.find((one) => !before.has(one.id));
  const radio = row && document.getElementById(`${view.local.id}-${row.id}`);
  if (radio) radio.focus();
  else if (patience > 0) setTimeout(() => back(view, before, patience - 1), 100);
}

/** @param {View} view */
function filters(view) {
  const { state, labels, local } = view;
  const toggle = (name, title, shown) => shown && h("button", { type: "button", class: "wb-small", key: name, "aria-pressed": String(Boolean(local[name])),
    onclick: () => {
      local[name] = !local[name];
      view.redraw();
    } }, title);
  const way = (map, title) => h("button", { type: "button", class: "wb-small", key: title, "aria-pressed": String(Boolean(local.map) === map), onclick: () => {
    local.map = map;
    view.redraw();
  } }, title);
  return h("div", { class: "wb-actions wb-row-filters" },
    state.rows.length > 1 && h("span", { class: "wb-ways", role: "group", "aria-label": state.title, key: "ways" }, way(false, labels.asTable), way(true, labels.asMap)),
    toggle("onlyFront", labels.onlyFront, state.rows.some((row) => row.front)),
    toggle("onlyStarred", `★ ${labels.onlyStarred}`, state.rows.some((row) => row.starred) || local.onlyStarred),
    toggle("noReferences", labels.noReferences, state.rows.some((row) => row.automatic)),
    h("button", { type: "button", class: "wb-small", key: "csv", "aria-label": labels.csvHint, onclick: () => view.act("csv") }, labels.csv),
    h("button", { type: "button", class: "wb-small wb-primary", key: "report", "aria-label": labels.reportHint, title: labels.reportHint,
      onclick: () => view.act("report") }, labels.report));
}

/** @param {View} view */
function shown({ state, local }) {
  const rows = state.rows.filter((row) => !(local.onlyFront && !row.front) && !(local.onlyStarred && !row.starred)
    && !(local.noReferences && row.automatic));
  const { column, reversed } = local.sort;
  if (!column) return rows;
  const of = (row) => column === "name" ? row.name : column === "star" ? Number(!row.starred) : row[column].sort;
  const order = (one, other) => {
    const [a, b] = [of(one), of(other)];
    // What is not known comes last, whichever way.
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return (reversed ? -1 : 1) * (typeof a === "string" ? a.localeCompare(b) : a - b);
  };
  return [...rows].sort(order);
}

/** A map has no holes: what something was made from stands before it. */
function withAncestors(rows, some) {
  const known = new Map(rows.map((row) => [row.id, row]));
  const wanted = new Set();
  for (const row of some) for (let at = row; at && !wanted.has(at); at = known.get(at.parent)) wanted.add(at);
  return rows.filter((row) => wanted.has(row));
}

/** @param {View} view */
function table(view) {
  const { state, labels, local } = view;
  const rows = shown(view);
  const head = (column, title) => {
    const sorted = local.sort.column === column;
    return h("th", { scope: "col", role: "columnheader", key: column,
      "aria-sort": sorted ? (local.sort.reversed ? "descending" : "ascending") : "none" },
    h("button", { type: "button", class: "wb-sort", onclick: () => {
      // Best first, then worst first, then as they were made.
      local.sort = !sorted ? { column, reversed: false } : local.sort.reversed ? { column: null, reversed: false } : { column, reversed: true };
      view.redraw();
    } }, title, h("span", { "aria-hidden": "true" }, sorted ? (local.sort.reversed ? " ▲" : " ▼") : "")));
  };
  return h("div", { class: "wb-scroll" },
    h("table", { class: "wb-table wb-lines-table", role: "table", "aria-label": state.title },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head("star", h("span", {}, h("span", { "aria-hidden": "true" }, "★"),
        h("span", { class: "wb-hidden" }, labels.starred))),
      head("name", labels.variant), head("size", labels.size), head("speed", labels.speed), head("quality", labels.quality))),
      h("tbody", { role: "rowgroup" }, rows.map((row) => [line(view, row),
        row.id === state.selected && !state.opened && tools(view, row)]),
      rows.length === 0 && h("tr", { role: "row", key: "none" }, h("td", { role: "cell", colspan: "5", class: "wb-empty" }, labels.none, " ",
        h("button", { type: "button", class: "wb-small", onclick: () => {
          local.onlyFront = local.onlyStarred = local.noReferences = false;
          view.redraw();
        } }, labels.all))))));
}

/** @param {View} view */
function line(view, row) {
  const { state, labels, local } = view;
  const open = () => view.act("open", { variant: row.id });
  return h("tr", {
    role: "row", key: row.id, "aria-selected": String(row.id === state.selected),
    class: [row.id === state.selected && "wb-selected", row.automatic && "wb-automatic"].filter(Boolean).join(" "),
    // Arrow keys go from one to the next without opening anything; a pointer opens.
    onclick: (event) => event.target.closest("button, a, select, input, label") || open(),
  },
  h("td", { role: "cell", class: "wb-cell-star" }, star(view, row)),
  h("th", { scope: "row", role: "rowheader" }, h("label", { class: "wb-pick", onclick: (event) => event.detail > 0 && open() },
    h("input", { type: "radio", id: `${local.id}-${row.id}`, name: `${local.id}-selected`, checked: row.id === state.selected, "aria-label": row.name,
      onclick: (event) => event.stopPropagation(),
      onchange: () => row.id === view.state.selected || view.act("select", { variant: row.id }),
      onkeydown: (event) => event.key === "Enter" && open() }),
    h("span", { class: `wb-shape wb-shape-${row.family}`, "aria-hidden": "true" }),
    h("span", { class: "wb-line-name" }, h("strong", {}, row.name),
      row.front && h("span", { class: "wb-front", key: "front" }, h("span", { class: "wb-front-sign", "aria-hidden": "true" }, "◎"),
        h("span", { class: "wb-front-words" }, labels.front)),
      row.note && h("span", { class: "wb-tag", key: "note" }, h("span", { "aria-hidden": "true" }, "✎ "), labels.note))),
  before(view, row)),
  cell(view, row, "size", labels.size, bar(row.size.bar), null),
  cell(view, row, "speed", labels.speed, bar(row.speed.bar), row.measured ? remedy(view, row, row.speed.chip) : null),
  cell(view, row, "quality", labels.quality, change(row.quality), row.measured ? null : remedy(view, row)));
}

/** @param {View} view */
function cell({ labels }, row, name, title, picture, button) {
  const measured = row[name];
  const nothing = !measured.chip && !measured.detail;
  return h("td", { role: "cell", "data-label": title, class: `wb-cell-${name}` },
    h("div", { class: "wb-cell" },
      (nothing || !measured.chip) && h("span", { class: "wb-narrow-label" }, title, " "),
      nothing ? h("span", { class: "wb-sub" }, row.busy ? labels.busy : labels.missing) : [
        measured.chip && (button ? null : chip(measured.chip)),
        button,
        measured.detail && h("span", { class: "wb-detail" }, measured.detail)],
      nothing && button, picture));
}

/** A length against that of the longest in the table. */
function bar(share) {
  return share !== null && h("svg", { class: "wb-tiny", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
    h("rect", { class: "wb-tiny-ground", x: 0, y: 2, width: 100, height: 2 }),
    h("rect", { class: "wb-tiny-bar", x: 0, y: 1, width: Math.max(0.8, 100 * share), height: 4 }));
}

/** The change of F1 with its interval; the ground is where it is kept: four tolerances to each side are seen. */
function change({ interval, tolerance }) {
  if (!interval) return null;
  const place = (value) => Math.min(100, Math.max(0, 50 + (50 * value) / (4 * tolerance)));
  const [low, value, high] = interval.map(place);
  return h("svg", { class: "wb-tiny", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
    h("rect", { class: "wb-tiny-kept", x: place(-tolerance), y: 0, width: 100 - place(-tolerance), height: 6 }),
    h("rect", { class: "wb-tiny-whisker", x: low, y: 2.5, width: Math.max(0.5, high - low), height: 1 }),
    h("rect", { class: "wb-tiny-dot", x: Math.max(0, value - 1.2), y: 0.5, width: 2.4, height: 5 }));
}

/**
 * The chosen one's actions, under its line: where the eye is.
 * @param {View} view
 */
function tools(view, row) {
  const { state, labels } = view;
  const others = state.rows.filter((other) => other.id !== row.id);
  return h("tr", { role: "row", key: `tools ${row.id}`, class: "wb-tools" }, h("td", { role: "cell", colspan: "5" },
    h("div", { class: "wb-toolbar", role: "group", "aria-label": state.toolbarTitle },
      h("p", { class: "wb-hint" }, row.made),
      actions(view, row, others, state.drawer && h("button", { type: "button", class: "wb-small wb-primary", key: "details", "aria-expanded": "false",
        onclick: () => view.act("open", { variant: row.id }) }, labels.details)),
      row.notes.length > 0 && h("ul", { class: "wb-notes" }, row.notes.map((note, index) => h("li", { key: index }, note))),
      row.offers.length > 0 && h("div", { class: "wb-actions" }, row.offers.map((offer, number) =>
        h("button", { type: "button", class: "wb-small", key: offer, onclick: () => view.act("offer", { variant: row.id, number }) }, offer))))));
}

/** @param {View} view */
function foot(view) {
  const { state, labels } = view;
  return h("footer", { class: "wb-table-foot" },
    h("div", { class: "wb-actions" },
      h("button", { type: "button", class: "wb-small", onclick: () => view.act("final") }, labels.final),
      h("span", { class: "wb-hint" }, state.finalHint)),
    h("p", { class: "wb-hint" }, h("span", { class: "wb-front-sign", "aria-hidden": "true" }, "◎ "), state.frontHint, state.rows.some((row) => row.automatic) && ` ${state.references}`));
}
