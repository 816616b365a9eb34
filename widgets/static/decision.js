// @ts-check
// The decision log: a variant and at most 200 words; what was typed outlives a redraw.

import { h, identifier } from "./dom.js";

const EAST_ASIAN = /[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]/gu;
const WORD = /[\p{L}\p{N}_]+(?:[.,:'’-][\p{L}\p{N}_]+)*/gu;

/** As `words_in` counts in the kernel, which has the last word. */
export function wordsIn(text) {
  const signs = text.match(EAST_ASIAN)?.length ?? 0;
  return (text.replace(EAST_ASIAN, " ").match(WORD)?.length ?? 0) + Math.ceil(signs / 2);
}

/** @param {View} view */
export function decision({ state, local, labels, act, redraw }) {
  local.id ??= identifier();
  if (local.written !== state.written || local.text === undefined) {
    local.written = state.written;
    local.text = state.text;
    local.variant = state.variant ?? "";
  }
  const many = wordsIn(local.text);
  const keep = (event) => {
    event.preventDefault();
    act("decide", { text: local.text, variant: local.variant });
  };
  const type = (event) => {
    local.text = event.target.value;
    redraw();
  };
  const changed = local.text.trim() !== state.text || local.variant !== (state.variant ?? "");
  return h("div", { class: "wb-card wb-lesson", role: "group", "aria-labelledby": local.id },
    h("div", { class: "wb-card-head" }, h("h2", { id: local.id }, labels.title)),
    h("form", { class: "wb-lesson-body wb-lesson-form", onsubmit: keep, novalidate: true },
      h("label", { class: "wb-lesson-number" }, h("span", {}, labels.variant),
        h("select", { value: local.variant, onchange: (event) => {
          local.variant = event.target.value;
          redraw();
        } },
        h("option", { value: "" }, labels.none),
        state.variants.map((one) => h("option", { value: one.id, key: one.id }, one.name)))),
      h("label", { class: "wb-lesson-text" }, h("span", {}, labels.text),
        h("textarea", { rows: "7", value: local.text, oninput: type, "aria-invalid": many > state.most ? "true" : null })),
      h("div", { class: "wb-lesson-line" },
        h("button", { type: "submit", class: "wb-primary", disabled: many === 0 || many > state.most || !changed }, labels.keep),
        h("span", { class: many > state.most ? "wb-error" : "wb-hint" }, state.count.replace("{count}", String(many)))),
      state.problem && h("p", { class: "wb-error", role: "alert" }, state.problem),
      h("div", { role: "status" }, state.written && !changed && h("p", { class: "wb-hint" }, labels.kept, ` ${state.written}`))));
}
