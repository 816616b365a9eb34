// All jobs of the workbench, newest first.

import { h, identifier } from "./dom.js";
import { jobCard } from "./progress.js";

export function jobs(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  const ended = state.jobs.filter((job) => !["queued", "running"].includes(job.status));
  const active = state.jobs.filter((job) => ["queued", "running"].includes(job.status));
  return h("section", { class: "wb-jobs", "aria-labelledby": local.id },
    h("h2", { id: local.id, class: "wb-hidden" }, state.title),
    h("p", { class: "wb-hidden", role: "status" }, state.announcement),
    state.message && h("p", { class: "wb-error", role: "alert" }, state.message),
    active.map((job) => jobCard({ job, labels, act: view.act, compact: true })),
    ended.length > 0 && h("details", { class: "wb-fold" },
      h("summary", {}, state.endedTitle),
      h("div", { class: "wb-job-list" }, ended.map((job) => jobCard({ job, labels, act: view.act })))));
}
