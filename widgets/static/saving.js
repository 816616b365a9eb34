// @ts-check
// What a variant saves: how it is used, in three fields, and a table that follows.

import { h } from "./dom.js";
import { dataTable } from "./table.js";

/** @param {View} view */
export function saving(view) {
  const { state: { saving: shown }, local, act, redraw } = view;
  local.use ??= {};
  const values = local.use;
  const typed = (name) => (event) => {
    values[name] = event.target.value.replace("\u2212", "-");
    redraw();
  };
  const submit = (event) => {
    event.preventDefault();
    const use = Object.fromEntries(shown.fields.map((field) => [field.name, values[field.name] ?? field.value]));
    local.use = {};
    act("use", use);
  };
  return [h("form", { class: "wb-guess-form", onsubmit: submit, novalidate: true, key: "form" },
    h("div", { class: "wb-guess-fields" },
      shown.fields.map((field) => h("label", { key: field.name }, h("span", {}, field.label),
        h("input", { type: "text", inputmode: "decimal", autocomplete: "off", value: values[field.name] ?? field.value,
          list: field.name === "grams_per_kwh" ? `${local.id}-grids` : null, oninput: typed(field.name) }))),
      h("datalist", { id: `${local.id}-grids`, key: "grids" },
        shown.grids.map((grid) => h("option", { key: grid.grams, value: grid.grams, label: grid.label }))),
      h("button", { type: "submit", key: "submit" }, shown.submit)),
    h("p", { class: "wb-hint" }, shown.grids.map((grid) => grid.label).join(" · "), " ", shown.gridHint)),
  shown.reasons.length > 0 && h("ul", { class: "wb-notes", key: "reasons" },
    shown.reasons.map((reason, index) => h("li", { key: index }, reason))),
  shown.reasons.length < shown.table.columns.length - 1 && dataTable({ ...shown.table, hideCaption: true }),
  h("ul", { class: "wb-notes", key: "notes" }, shown.notes.map((note, index) => h("li", { key: index }, note)))];
}
