// @ts-check
// One job: what it does now, how far it is, how long it will take, and how to stop it.

import { h } from "./dom.js";

export const SIGNS = { queued: "◔", running: "●", waiting: "◔", done: "✓", failed: "✕", cancelled: "■", interrupted: "‖" };

/** How far it is. What waits stands still: only what is at work moves. */
export function progressBar(job) {
  const stands = job.status === "queued" || job.status === "waiting";
  const known = job.progress !== null && job.progress !== undefined;
  return h("div", {
    class: known || stands ? "wb-progress" : "wb-progress wb-progress-unknown", role: "progressbar", "aria-label": job.title,
    "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": known ? Math.round(job.progress * 100) : null,
    "aria-valuetext": job.left || job.word,
  }, h("span", { style: { width: known ? `${(job.progress * 100).toFixed(1)}%` : stands ? "0" : "30%" } }));
}

export function jobCard({ job, labels, act, compact = false, dismiss = null }) {
  const active = ["queued", "waiting", "running"].includes(job.status);
  return h("div", { class: `wb-job wb-job-${job.status}`, key: job.id, role: "group", "aria-label": job.title },
    h("div", { class: "wb-job-head" },
      h("span", { class: "wb-job-name" },
        h("span", { class: "wb-sign", "aria-hidden": "true" }, SIGNS[job.status]),
        h("strong", { class: "wb-job-title" }, job.title),
        h("span", { class: "wb-job-status" }, job.word)),
      h("span", { class: "wb-job-actions" },
        dismiss && h("button", { type: "button", class: "wb-small wb-quiet", "aria-label": `${labels.dismiss}: ${job.title}`,
          onclick: dismiss }, labels.dismiss),
        job.mayGoOn && h("button", { type: "button", class: "wb-small", title: labels.goOnHint, "aria-label": `${labels.goOn}: ${job.title}`,
          onclick: () => act("go_on", { job: job.id }) }, labels.goOn),
        active && h("button", { type: "button", class: "wb-small", disabled: job.cancelling, "aria-label": `${labels.cancel}: ${job.title}`,
          onclick: () => act("cancel", { job: job.id }) }, job.cancelling ? labels.cancelling : labels.cancel),
        job.rerun && h("button", { type: "button", class: "wb-small", "aria-label": `${labels.again}: ${job.title}`,
          onclick: () => act("rerun", { job: job.id }) }, labels.again))),
    active && progressBar(job),
    active && h("div", { class: "wb-job-foot" },
      h("span", { "aria-live": "polite" }, job.stage ?? ""),
      h("span", { class: "wb-spring" }),
      job.left && h("span", { class: "wb-figures" }, job.left)),
    job.outcome && !compact && h("p", { class: "wb-job-outcome" }, job.outcome),
    job.error && h("p", { class: "wb-error", role: "alert" }, job.error),
    !compact && job.log.length > 0 && h("details", { class: "wb-fold" },
      h("summary", {}, labels.log),
      h("ul", { class: "wb-log" }, job.log.map((line, index) => h("li", { key: index }, line)))));
}
