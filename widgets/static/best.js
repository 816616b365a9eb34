// @ts-check
// The best so far for the goal, large, with its three ratios; why it is that one; comparing and saving it.

import { h, identifier } from "./dom.js";
import { receiver } from "./download.js";
import { toolbar } from "./roving.js";
import { SIGNS, words } from "./verdict.js";

/** @param {View} view */
export function best(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  view.receive ??= receiver();
  const found = state.best;
  const toggle = () => {
    local.why = !local.why;
    view.redraw();
  };
  return h("section", { class: "wb-line wb-best", "aria-labelledby": `${local.id}-title` },
    h("h2", { id: `${local.id}-title`, class: "wb-line-title" }, labels.title),
    h("p", { class: "wb-hidden", role: "status" }, found ? found.announcement : ""),
    found ? [
      h("p", { class: "wb-best-found", key: "found" },
        h("strong", { class: "wb-best-name", title: found.name }, h("span", { class: `wb-shape wb-shape-${found.family}`, "aria-hidden": "true" }), h("span", {}, found.name)),
        found.chips.map((chip) => h("span", { key: chip.name, class: `wb-ratio wb-ratio-${chip.tone}` },
          h("span", { class: "wb-sign", "aria-hidden": "true" }, SIGNS[chip.tone]), words(chip.words)))),
      toolbar(view, "best", { class: "wb-line-actions", key: "actions", "aria-labelledby": `${local.id}-title` }, [
        found.doubted && h("button", { type: "button", class: "wb-small", key: "again", disabled: found.measuring, title: labels.again, "aria-label": labels.again, onclick: () => view.act("measure", { variant: found.id }) },
          h("span", { class: "wb-again-words" }, labels.again), h("span", { class: "wb-again-sign" }, "↻")),
        h("button", { type: "button", class: "wb-small", key: "why", "aria-expanded": String(Boolean(local.why)), "aria-controls": `${local.id}-why`, onclick: toggle }, labels.why),
        h("button", { type: "button", class: "wb-small", key: "compare", onclick: () => view.act("compare", { variant: found.id }) }, labels.compare),
        h("button", { type: "button", class: "wb-small wb-primary", key: "download", onclick: () => view.act("download", { variant: found.id }) }, labels.download)]),
      h("ul", { class: "wb-lines wb-line-more", key: "why", id: `${local.id}-why`, hidden: !local.why },
        found.why.map((line, index) => h("li", { key: index }, line))),
    ] : h("p", { class: "wb-best-text", key: "text", role: "status" }, state.text),
    state.error && h("p", { class: "wb-error wb-line-more", role: "alert" }, state.error));
}
