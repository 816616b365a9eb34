// @ts-check
// One job in a cell of a notebook: how far it is, and what came out.

import { h } from "./dom.js";
import { jobCard } from "./progress.js";
import { chip } from "./verdict.js";

/** @param {View} view */
export function jobOfCell(view) {
  const { state, labels } = view;
  return h("section", { class: "wb-cell-job", "aria-label": state.job.title },
    state.message && h("p", { class: "wb-error", role: "alert" }, state.message),
    jobCard({ job: state.job, labels, act: view.act }),
    state.made && h("p", { class: "wb-made", role: "status" },
      h("strong", {}, state.made.name),
      state.made.facts.map((fact) => h("span", { key: fact.name, class: "wb-made-fact" },
        h("span", { class: "wb-muted" }, fact.name), " ", fact.number, " ",
        fact.words && chip(fact)))));
}
