// @ts-check
// What do you need? Demands in a row, the search, its reasons with the variants they speak of, and its ledger.

import { h, identifier } from "./dom.js";
import { dataTable } from "./table.js";

/** @param {View} view */
export function advisor(view) {
  const { state, labels, local, act } = view;
  local.id ??= identifier();
  local.values ??= {};
  const busy = state.job !== null;
  const start = (event) => {
    event.preventDefault();
    const typed = Object.fromEntries(state.fields.map((field) => [field.name, local.values[field.name] ?? field.value]));
    act("start", { ...typed, runtime: local.values.runtime ?? state.runtime, training: local.values.training ?? state.training });
    local.values = {};
  };
  return h("section", { class: "wb-line wb-advisor", "aria-labelledby": `${local.id}-title` },
    h("h2", { id: `${local.id}-title`, class: "wb-line-title" }, labels.title),
    h("form", { class: "wb-demands", onsubmit: start, novalidate: true, "aria-label": labels.question },
      state.runtimes.length > 0 && h("p", { class: "wb-hint", key: "question" }, labels.question),
      state.fields.map((field) => number(view, field)),
      state.runtimes.length > 0 && h("label", { class: "wb-inline", key: "runtime" }, h("span", {}, labels.runtime),
        h("select", { value: local.values.runtime ?? state.runtime, onchange: (event) => { local.values.runtime = event.target.value; } },
          state.runtimes.map((one) => h("option", { key: one.value, value: one.value }, one.label)))),
      h("label", { class: "wb-inline", key: "training" },
        h("input", { type: "checkbox", checked: local.values.training ?? state.training,
          onchange: (event) => { local.values.training = event.target.checked; } }),
        h("span", {}, labels.training)),
      busy
        ? h("button", { type: "button", key: "cancel", onclick: () => act("cancel", { job: state.job }) }, labels.cancel)
        : h("button", { type: "submit", key: "start", class: "wb-primary", disabled: !state.ready }, labels.start)),
    state.error && h("p", { class: "wb-error wb-line-more", role: "alert", key: "error" }, state.error),
    state.status && h("p", { class: "wb-hint wb-line-more", role: "status", key: "status" }, state.status),
    state.sentences.length > 0 && h("ul", { class: "wb-notes wb-line-more", key: "sentences" },
      state.sentences.map((one, index) => h("li", { key: index }, one.text, " ",
        one.rows.map((row) => h("button", { type: "button", class: "wb-small wb-quiet", key: row.variant,
          "aria-label": `${labels.show}: ${row.name}`, onclick: () => act("show", { variant: row.variant }) }, row.name))))),
    state.table && h("details", { class: "wb-fold wb-line-more", key: "table" }, h("summary", {}, labels.rows),
      dataTable(state.table)));
}

/** @param {View} view */
function number({ local, redraw }, field) {
  return h("label", { class: "wb-inline", key: field.name }, h("span", {}, field.before),
    h("input", { type: "text", inputmode: "decimal", autocomplete: "off", class: "wb-number wb-points", value: local.values[field.name] ?? field.value,
      oninput: (event) => {
        local.values[field.name] = event.target.value;
        redraw();
      } }),
    h("span", { class: "wb-unit" }, field.unit));
}
