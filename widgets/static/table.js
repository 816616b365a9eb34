// @ts-check
// A plain data table: header cells, captions, numbers to the right; cards where it is narrow.

import { h } from "./dom.js";

/**
 * columns: [{title, numeric}], rows: [[cell, ...]]; the first cell of a row names it. A cell is text, or
 * {words: [text, ...], bars: [0 to 1, ...]}: numbers with their lengths under each other; or {title, detail}.
 */
export function dataTable({ caption, columns, rows, hideCaption = false }) {
  return h("div", { class: "wb-scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: "wb-table" },
      h("caption", { class: hideCaption ? "wb-hidden" : null }, caption),
      h("thead", {}, h("tr", {}, columns.map((column, index) =>
        h("th", { scope: "col", key: index, class: column.numeric ? "wb-numeric" : null }, column.title)))),
      h("tbody", {}, rows.map((row, number) => h("tr", { key: number }, row.map((cell, index) =>
        h(index === 0 ? "th" : "td", { key: index, scope: index === 0 ? "row" : null,
          class: columns[index]?.numeric ? "wb-numeric" : null }, typeof cell === "object" ? (cell.bars ? lengths(cell) : titled(cell)) : cell)))))));
}

function titled({ title, detail }) {
  return [h("span", {}, title), detail && h("span", { class: "wb-sub" }, detail)];
}

function lengths({ words, bars }) {
  return words.map((text, place) => h("div", { class: `wb-length wb-length-${place}`, key: place }, h("span", {}, text),
    h("svg", { class: "wb-tiny", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
      bars[place] > 0 && h("rect", { class: "wb-tiny-bar", x: 0, y: 1, width: Math.max(0.8, 100 * bars[place]), height: 4 }))));
}
