// What to do next, until there is something to compare.

import { h, identifier } from "./dom.js";

export function firstSteps(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  if (!state.text) return null;
  return h("section", { class: "wb-card wb-first-steps", "aria-labelledby": local.id },
    h("p", {}, h("strong", { id: local.id }, labels.next), " ", state.text),
    state.choices.length > 0 && h("div", { class: "wb-actions" }, state.choices.map((choice) =>
      h("span", { class: "wb-first-step", key: choice.technique },
        h("button", { type: "button", onclick: () => view.act("apply", { technique: choice.technique }) },
          h("span", { class: `wb-mark wb-mark-${choice.family}`, "aria-hidden": "true" }), choice.title,
          h("span", { class: "wb-sub" }, choice.time)),
        h("button", { type: "button", class: "wb-small wb-quiet", "aria-label": `${labels.settings}: ${choice.title}`,
          onclick: () => view.act("show", { technique: choice.technique }) }, labels.settings)))));
}
