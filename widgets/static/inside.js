// @ts-check
// The layers of a variant: a table that is sorted and coloured by one of its columns.

import { h } from "./dom.js";
import { insideGraph } from "./insidegraph.js";
import { moved } from "./roving.js";

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
  const about = `${variant} ${reference}`;
  if (local.inside !== about) Object.assign(local, { inside: about, chosen: null });
  const graphed = Boolean(local.graphed && shown.graph);
  const pick = graphed ? (place) => {
    Object.assign(local, { chosen: place, lead: place });
    redraw();
  } : null;
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
      } }, shown.columns.map((column) => h("option", { key: column.name, value: column.name, selected: column.name === by }, column.title))),
      shown.graph && h("button", { type: "button", class: "wb-small", key: "graph", "aria-pressed": String(graphed), onclick: () => {
        Object.assign(local, { graphed: !graphed, enlarged: false });
        redraw();
      } }, shown.graph.title)),
    shown.above && h("p", { class: "wb-hint", key: "above" }, shown.above)),
  h("div", { class: `wb-inside-both${graphed ? " wb-inside-graphed" : ""}`, key: "both", popover: graphed && local.enlarged ? "manual" : null,
    update: (node) => enlarge(view, node, graphed && local.enlarged), onkeydown: (event) => {
      if (event.key !== "Escape" || !local.enlarged) return;
      event.preventDefault();
      local.enlarged = false;
      redraw();
    } },
  table(shown, by, local, choose, pick),
  pick && insideGraph(view, by, pick)),
  shown.notes.length > 0 && h("ul", { class: "wb-notes", key: "notes" }, shown.notes.map((note, index) => h("li", { key: index }, note)))];
}

/** In front of the page, with nothing else in reach; and back. */
function enlarge({ local }, node, large) {
  if (Boolean(local.behind) === Boolean(large)) return;
  if (large) {
    node.showPopover();
    local.behind = [];
    for (let at = node; at !== document.body && at.parentElement; at = at.parentElement) {
      local.behind.push(...[...at.parentElement.children].filter((one) => one !== at && !one.inert));
    }
    for (const one of local.behind) one.inert = true;
    return;
  }
  for (const one of local.behind) one.inert = false;
  local.behind = null;
}

function table(shown, by, local, choose, pick) {
  const sorting = local.sorted;
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
      h("tbody", { onkeydown: pick && ((event) => {
        const to = moved(event, "[data-stop]");
        if (!to) return;
        pick(Number(to.dataset.place));
        to.focus();
      }) }, sorted(shown.rows, sorting).map(({ row, place }, at) => line(shown, by, row, place,
        pick && { pick, local, chosen: local.chosen === place, stop: local.chosen === null || local.chosen < 0 ? at === 0 : local.chosen === place })))));
}

/** The row of what was chosen comes into the table's window, once; the page itself stays. */
function seen(node, local) {
  if (local.lead === null) return;
  local.lead = null;
  const around = node.closest(".wb-scroll");
  const [own, room] = [node.getBoundingClientRect(), around.getBoundingClientRect()];
  const head = around.querySelector("thead").getBoundingClientRect().height;
  if (own.top < room.top + head || own.bottom > room.bottom) around.scrollTop += own.top - room.top - head - (room.height - head - own.height) / 2;
}

function line(shown, by, row, place, picking) {
  const { heat = 0, paint = "" } = row.cells[by] ?? {};
  const node = shown.graph && place < shown.graph.layers + shown.graph.removed;
  const name = h("span", { class: "wb-inside-name", title: row.full || null }, row.name);
  return h("tr", { key: place, class: [row.change && `wb-inside-${row.change}`, picking?.chosen && "wb-selected"].filter(Boolean).join(" ") || null,
    onclick: picking && node ? () => picking.pick(place) : null,
    update: picking?.chosen ? (node) => seen(node, picking.local) : null },
    h("th", { scope: "row" }, picking && node
      ? h("button", { type: "button", class: "wb-inside-pick", "data-stop": true, "data-place": place, "aria-pressed": String(picking.chosen), tabindex: picking.stop ? "0" : "-1" }, name)
      : name,
      row.changeName && row.change !== "kept" && h("span", { class: "wb-tag" }, row.changeName),
      h("span", { class: "wb-sub" }, row.about),
      h("svg", { class: "wb-inside-bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
        heat > 0 && h("rect", { class: `wb-${paint}`, x: 0, y: 0, width: Math.max(0.8, 100 * heat), height: 6 }))),
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
