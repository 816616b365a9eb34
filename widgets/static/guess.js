// @ts-check
// Guess first: three small fields while a step runs, and a line with guess and result once it is measured.

import { h, identifier } from "./dom.js";

const FIELDS = ["smaller", "faster", "points"];

/** @param {View} view */
export function guess(view) {
  const { state, local, labels } = view;
  local.id ??= identifier();
  if (!state.job && !state.waiting && state.results.length === 0) return null;
  return h("section", { class: "wb-card wb-guess", "aria-labelledby": local.id },
    h("header", { class: "wb-card-head" }, h("h2", { id: local.id }, state.title)),
    h("div", { class: "wb-guess-body" },
      state.job && question(view),
      state.waiting && h("p", { role: "status" }, state.waiting),
      state.problem && h("p", { class: "wb-error", role: "alert" }, state.problem),
      state.results.length > 0 && h("div", { key: "results" },
        h("h3", { class: "wb-small-title" }, state.name),
        state.results.map((one) => result(one, labels)))));
}

/** @param {View} view */
function question({ state, local, labels, act, redraw }) {
  if (local.job !== state.job) {
    local.job = state.job;
    local.values = {};
  }
  const ask = (event) => {
    event.preventDefault();
    act("guess", { job: state.job, smaller: "", faster: "", points: "", ...local.values });
  };
  return h("form", { class: "wb-guess-form", onsubmit: ask, novalidate: true, "aria-label": state.question },
    h("p", {}, state.question),
    h("div", { class: "wb-guess-fields" },
      FIELDS.map((name) => h("label", { key: name }, h("span", {}, labels[name]),
        h("input", { type: "text", inputmode: "decimal", autocomplete: "off", value: local.values[name] ?? "",
          oninput: (event) => {
            local.values[name] = event.target.value.replace(",", ".").replace("\u2212", "-");
            redraw();
          } }))),
      h("button", { type: "submit" }, labels.guess)),
    h("p", { class: "wb-hint" }, state.hint));
}

export function result(one, labels) {
  const across = (share) => `${(100 * share).toFixed(2)}%`;
  return h("div", { class: "wb-guess-result", key: one.title },
    h("strong", {}, one.title),
    one.found !== null && h("svg", { class: "wb-guess-line", "aria-hidden": "true" },
      h("line", { x1: "0", x2: "100%", y1: "50%", y2: "50%", class: "wb-guess-axis" }),
      h("line", { x1: across(one.noneAt), x2: across(one.noneAt), y1: "20%", y2: "80%", class: "wb-guess-axis" }),
      h("line", { x1: across(one.lowAt), x2: across(one.highAt), y1: "50%", y2: "50%", class: "wb-guess-found" }),
      h("circle", { cx: across(one.at), cy: "50%", r: "5", class: "wb-guess-dot" }),
      h("line", { x1: across(one.guessAt), x2: across(one.guessAt), y1: "10%", y2: "90%", class: "wb-guess-mark" })),
    h("span", {}, h("span", { class: "wb-guess-said" }, `${labels.guessed} ${one.guess}`),
      one.found !== null && ` · ${labels.found} ${one.found}`),
    h("span", { class: "wb-hint" }, one.verdict, one.doubt && ` ${one.doubt}`));
}
