// All jobs of the workbench, newest first.

import { h, identifier } from "./dom.js";
import { warnOfLoss } from "./leaving.js";
import { jobCard } from "./progress.js";

export function jobs(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  warnOfLoss(local.id, state.busy);
  const shown = (job) => ["queued", "waiting", "running"].includes(job.status) || (job.id === state.said && job.id !== local.dismissed);
  const dismiss = (job) => () => {
    local.dismissed = job.id;
    view.redraw();
  };
  const ended = state.jobs.filter((job) => !shown(job));
  return h("section", { class: "wb-jobs", "aria-labelledby": local.id },
    h("h2", { id: local.id, class: "wb-hidden" }, state.title),
    h("p", { class: "wb-hidden", role: "status" }, state.announcement),
    state.message && h("p", { class: "wb-error", role: "alert" }, state.message),
    state.jobs.filter(shown).map((job) => jobCard({ job, labels, act: view.act, compact: true,
      dismiss: job.id === state.said ? dismiss(job) : null })),
    ended.length > 0 && h("details", { class: "wb-fold" },
      h("summary", {}, state.endedTitle),
      h("div", { class: "wb-job-list" }, ended.map((job) => jobCard({ job, labels, act: view.act })))));
}
