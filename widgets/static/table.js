// A plain data table: header cells, captions, numbers to the right; cards where it is narrow.

import { h } from "./dom.js";

/** columns: [{title, numeric}], rows: [[text, ...]]; the first cell of a row names it. */
export function dataTable({ caption, columns, rows, hideCaption = false }) {
  return h("div", { class: "wb-scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: "wb-table" },
      h("caption", { class: hideCaption ? "wb-hidden" : null }, caption),
      h("thead", {}, h("tr", {}, columns.map((column, index) =>
        h("th", { scope: "col", key: index, class: column.numeric ? "wb-numeric" : null }, column.title)))),
      h("tbody", {}, rows.map((row, number) => h("tr", { key: number }, row.map((cell, index) =>
        h(index === 0 ? "th" : "td", { key: index, scope: index === 0 ? "row" : null,
          class: columns[index]?.numeric ? "wb-numeric" : null }, cell)))))));
}
