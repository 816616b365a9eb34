// @ts-check
// The layers of a variant: a table that is sorted and coloured by one of its columns.

import { h } from "./dom.js";

/** @param {View} view */
export function inside(view) {
  const { state: { inside: shown, variant, reference }, local, act, redraw } = view;
  if (!shown) return null;
  const names = shown.columns.map((column) => column.name);
  const by = names.includes(local.by) ? local.by : names[0];
  local.sorted ??= { column: "layer", reversed: false };
  const choose = (name) => {
    const again = local.sorted.column === name;
    // The first click shows what is most; the order of the file is the other way round.
    local.sorted = { column: name, reversed: again && !local.sorted.reversed };
    if (name !== "layer") local.by = name;
    redraw();
  };
  return [h("div", { class: "wb-inside-head", key: "head" },
    shown.offersLook && h("div", { key: "look" }, h("button", { type: "button", class: "wb-small wb-primary", onclick: () => act("look", { variant, reference }) }, shown.look),
      h("span", { class: "wb-hint" }, " ", shown.lookHint)),
    shown.looking && h("p", { key: "looking", class: "wb-hint", role: "status" }, shown.looking),
    shown.summary.length > 0 && h("ul", { class: "wb-lines", key: "summary" }, shown.summary.map((line, index) => h("li", { key: index }, line))),
    h("label", { class: "wb-inside-by", key: "by" }, h("span", {}, shown.order),
      h("select", { onchange: (event) => {
        local.by = event.target.value;
        local.sorted = { column: local.by, reversed: false };
        redraw();
      } }, shown.columns.map((column) => h("option", { key: column.name, value: column.name, selected: column.name === by }, column.title)))),
    shown.above && h("p", { class: "wb-hint", key: "above" }, shown.above)),
  table(shown, by, local.sorted, choose),
  shown.notes.length > 0 && h("ul", { class: "wb-notes", key: "notes" }, shown.notes.map((note, index) => h("li", { key: index }, note)))];
}

function table(shown, by, sorting, choose) {
  const head = (name, title) => {
    const { column, reversed } = sorting;
    const ascending = name === "layer" ? !reversed : reversed;
    return h("th", { scope: "col", key: name, class: name === "layer" ? null : `wb-numeric${name === by ? "" : " wb-inside-other"}`,
      "aria-sort": column === name ? (ascending ? "ascending" : "descending") : null },
    h("button", { type: "button", class: "wb-sort", onclick: () => choose(name) }, title,
      h("span", { "aria-hidden": "true" }, column === name ? (ascending ? " ▲" : " ▼") : "")));
  };
  return h("div", { class: "wb-scroll wb-inside-scroll", tabindex: "0", role: "region", "aria-label": shown.caption, key: "table" },
    h("table", { class: "wb-table wb-inside" },
      h("caption", { class: "wb-hidden" }, shown.caption),
      h("thead", {}, h("tr", {}, head("layer", shown.inOrder), shown.columns.map((column) => head(column.name, column.title)))),
      h("tbody", {}, sorted(shown.rows, sorting).map(({ row, place }) => line(shown, by, row, place)))));
}

function line(shown, by, row, place) {
  const heat = row.cells[by]?.heat ?? 0;
  return h("tr", { key: place, class: row.change ? `wb-inside-${row.change}` : null },
    h("th", { scope: "row" }, h("span", { class: "wb-inside-name", title: row.full || null }, row.name),
      row.changeName && row.change !== "kept" && h("span", { class: "wb-tag" }, row.changeName),
      h("span", { class: "wb-sub" }, row.about),
      h("svg", { class: "wb-inside-bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
        heat > 0 && h("rect", { class: `wb-heat-${Math.min(4, Math.floor(heat * 5))}`, x: 0, y: 0, width: Math.max(0.8, 100 * heat), height: 6 }))),
    shown.columns.map((column) => {
      const cell = row.cells[column.name];
      return h("td", { key: column.name, class: `wb-numeric${column.name === by ? "" : " wb-inside-other"}`, title: cell?.title || null },
        cell?.words.map((text, at) => h("div", { class: `wb-length wb-length-${at}`, key: at }, text)));
    }));
}

/** What has no value comes last, whichever way round. */
function sorted(rows, { column, reversed }) {
  const placed = rows.map((row, place) => ({ row, place }));
  if (column === "layer") return reversed ? placed.reverse() : placed;
  const value = ({ row }) => row.cells[column]?.order ?? null;
  const way = reversed ? 1 : -1;
  return placed.sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0) || one.place - other.place;
    return way * (a - b) || one.place - other.place;
  });
}
