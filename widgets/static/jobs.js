// @ts-check
// The jobs in one line of fixed height: what runs, else what came out last. The others are in a drawer.

import { h, identifier } from "./dom.js";
import { warnOfLoss } from "./leaving.js";
import { jobCard, progressBar, SIGNS } from "./progress.js";

const ACTIVE = ["queued", "waiting", "running"];

/** @param {View} view */
export function jobs(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  warnOfLoss(local.id, state.busy);
  const shown = state.jobs.find((job) => job.id === state.shown);
  const toggle = () => {
    local.open = !local.open;
    view.redraw();
  };
  return h("section", { class: "wb-line wb-jobs", "aria-labelledby": `${local.id}-title` },
    h("h2", { id: `${local.id}-title`, class: "wb-line-title" }, labels.title),
    h("p", { class: "wb-hidden", role: "status" }, state.announcement),
    shown ? line(view, shown) : h("p", { class: "wb-jobs-now wb-hint", key: "idle" }, state.idle),
    h("span", { class: "wb-line-actions", key: "drawer" },
      state.more && h("button", { type: "button", class: "wb-small", "aria-expanded": String(Boolean(local.open)), "aria-controls": `${local.id}-drawer`,
        onclick: toggle }, state.more)),
    h("div", { class: "wb-line-more wb-drawer", key: "list", id: `${local.id}-drawer`, hidden: !local.open },
      local.open && drawer(view)),
    state.message && h("p", { class: "wb-error wb-line-more", role: "alert" }, state.message));
}

/** @param {View} view */
function line({ act, labels, state }, job) {
  const active = ACTIVE.includes(job.status);
  // An error is longer than the line: all of it is in the drawer, and in the tooltip.
  const said = active ? job.stage : job.error ?? job.outcome;
  return h("div", { class: `wb-jobs-now wb-job-${job.status}`, key: job.id, role: "group", "aria-label": job.title },
    h("span", { class: "wb-sign", "aria-hidden": "true" }, SIGNS[job.status]),
    h("span", { class: "wb-jobs-text", title: said },
      h("strong", {}, job.title), h("span", { class: "wb-job-status" }, job.word),
      said && h("span", { class: job.error ? "wb-jobs-error" : "wb-jobs-said", role: job.id === state.failed ? "alert" : null }, said)),
    active && progressBar(job),
    active && h("span", { class: "wb-figures wb-jobs-left" }, job.left ?? ""),
    jobButtons({ job, labels, act }));
}

function jobButtons({ job, labels, act }) {
  return h("span", { class: "wb-line-actions" },
    job.mayGoOn && h("button", { type: "button", class: "wb-small", title: labels.goOnHint, "aria-label": `${labels.goOn}: ${job.title}`,
      onclick: () => act("go_on", { job: job.id }) }, labels.goOn),
    ACTIVE.includes(job.status) && h("button", { type: "button", class: "wb-small", disabled: job.cancelling, "aria-label": `${labels.cancel}: ${job.title}`,
      onclick: () => act("cancel", { job: job.id }) }, job.cancelling ? labels.cancelling : labels.cancel),
    job.rerun && h("button", { type: "button", class: "wb-small", "aria-label": `${labels.again}: ${job.title}`,
      onclick: () => act("rerun", { job: job.id }) }, labels.again));
}

/** @param {View} view */
function drawer({ state, labels, act }) {
  return [
    h("div", { class: "wb-drawer-head", key: "head" }, h("span", { class: "wb-hint" }, state.drawerTitle), h("span", { class: "wb-spring" }),
      state.several && h("button", { type: "button", class: "wb-small", onclick: () => act("cancel_all") }, labels.cancelAll)),
    h("div", { class: "wb-job-list", key: "list", tabindex: "0", role: "region", "aria-label": state.drawerTitle },
      state.jobs.map((job) => jobCard({ job, labels, act }))),
  ];
}
