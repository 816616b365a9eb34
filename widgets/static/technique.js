// @ts-check
// One technique of the list: "+" applies it at once, its name opens form, expectation, code.

import { h } from "./dom.js";
import { codeBlock } from "./code.js";
import { form } from "./form.js";
import { jobCard } from "./progress.js";

const CHECK_AFTER_MS = 200;

/** Scrolls the list, and nothing else, so that a technique is in sight; `start` brings it to the top. */
export function scrollTo(row, start = false) {
  const box = row.closest(".wb-technique-scroll");
  const top = row.getBoundingClientRect().top - box.getBoundingClientRect().top;
  if (box.scrollHeight <= box.clientHeight) {
    // The list is as long as it wants, in a cell of a notebook: there the page has to move.
    if (start) row.scrollIntoView({ block: "nearest" });
  } else if (start || top < 0) box.scrollTop += top;
  else if (top + row.offsetHeight > box.clientHeight) box.scrollTop += Math.min(top, top + row.offsetHeight - box.clientHeight);
}

/** @param {View} view */
export function technique(view, one) {
  const { state, labels, local } = view;
  const id = `${local.id}-${one.name.replaceAll(".", "-")}`;
  const open = state.open === one.name;
  const active = one.jobs.find((job) => ["running", "waiting", "queued"].includes(job.status));
  const here = local.at === one.name;
  const stop = here ? "0" : "-1";
  const helps = !one.problem || one.refusal?.help;
  const add = one.refusal?.help ?? labels.add;
  return h("li", { class: open ? "wb-technique wb-open" : "wb-technique", key: one.name, "data-technique": one.name,
    onfocusin: () => {
      if (local.at === one.name) return;
      local.at = one.name;
      view.redraw();
    } },
  h("div", { class: "wb-technique-row" },
    h("h4", {}, h("button", {
      type: "button", class: "wb-disclose", "aria-expanded": String(open), "aria-controls": `${id}-body`, "data-stop": true, tabindex: stop,
      onclick: () => view.act("open", { technique: open ? null : one.name }),
    },
    h("span", { class: "wb-chevron", "aria-hidden": "true" }, "›"),
    h("span", { class: "wb-technique-title" }, one.title),
    one.aims.map((aim) => h("span", { class: "wb-aim", key: aim.sign, title: aim.word },
      h("span", { "aria-hidden": "true" }, aim.sign), h("span", { class: "wb-hidden" }, aim.word))),
    one.refusal ? h("span", { class: `wb-tag wb-tag-${one.refusal.kind}`, key: "tag" }, one.refusal.word)
      : active ? h("span", { class: "wb-tag wb-tag-busy", key: "tag" }, active.word)
        : one.time && h("span", { class: "wb-tag", key: "tag" }, one.time))),
    h("button", { type: "button", class: "wb-add", "data-stop": true, tabindex: stop, title: add, "aria-label": `${add}: ${one.title}`,
      disabled: !state.ready || !helps, onclick: () => {
        remember(view, one);
        delete local.values[one.name]; // the defaults are meant
        view.act("add", { technique: one.name });
      } }, h("span", { "aria-hidden": "true" }, "+"))),
  !open && active && one.jobs.map((job) => jobCard({ job, labels, act: view.act, compact: true })),
  h("div", { class: "wb-technique-body", id: `${id}-body`, hidden: !open }, open && body(view, one, id)));
}

/** @param {View} view */
function remember({ local }, one) {
  local.applied = { technique: one.name, jobs: one.jobs.map((job) => job.id) };
}

/** @param {View} view */
function body(view, one, id) {
  const { labels, local } = view;
  local.values[one.name] ??= {};
  const own = local.values[one.name];
  const values = { ...one.values, ...own };
  const check = () => {
    local.timer = null;
    view.act("check", { technique: one.name, values: { ...values, ...own } });
  };
  const change = (name, value, dragged = false) => {
    own[name] = value;
    view.redraw();
    // What is dragged is followed; what is typed is not judged before it is written.
    if (dragged && local.timer) return;
    clearTimeout(local.timer);
    local.timer = setTimeout(check, CHECK_AFTER_MS);
  };
  const apply = (event) => {
    event.preventDefault();
    clearTimeout(local.timer);
    local.timer = null;
    remember(view, one);
    view.act("apply", { technique: one.name, values: { ...values, ...own }, again: Boolean(one.existing) });
  };
  const toggleHelp = (field) => {
    if (!local.help.delete(field)) local.help.add(field);
    view.redraw();
  };
  return h("form", { onsubmit: apply, novalidate: true, "aria-label": one.title },
    h("p", { class: "wb-help" }, one.summary),
    one.help.length > 0 && h("details", { class: "wb-fold", key: "more" }, h("summary", {}, labels.more),
      one.help.map((paragraph, index) => h("p", { class: "wb-help", key: index }, paragraph))),
    form({ prefix: id, fields: one.fields, values, errors: one.errors, labels,
      disabled: ["software", "hardware"].includes(one.refusal?.kind), change, helped: local.help, toggleHelp }),
    one.expectation && h("p", { class: "wb-hint", key: "expectation" }, one.expectation),
    one.jobs.map((job) => jobCard({ job, labels, act: view.act })),
    one.code && codeBlock({ view, key: one.name, files: one.code, title: labels.code,
      takeHome: () => view.act("take_home", { technique: one.name }) }),
    foot(view, one));
}

/**
 * The figures to expect and Apply: always in sight while the form is.
 * @param {View} view
 */
function foot(view, one) {
  const { state, labels, local } = view;
  const { refusal } = one;
  return h("div", { class: "wb-foot", key: "foot" },
    refusal
      ? h("p", { class: "wb-callout wb-callout-off", role: "status", key: "expected" }, h("strong", {}, refusal.lead), " ", one.problem)
      : one.figures.length > 0 && h("p", { class: "wb-callout wb-figures", role: "status", key: "expected" }, h("strong", {}, labels.expected), " ",
        one.figures.map((figure, index) => [index > 0 && " · ", h("span", { key: index }, figure)])),
    one.message && h("p", { class: "wb-error", role: "alert", key: "message" }, one.message),
    one.existing && h("p", { role: "status", key: "existing" }, one.existing.text),
    h("div", { class: "wb-actions", key: "actions" },
      one.existing && h("button", { type: "button", class: "wb-primary", key: "show", onclick: () => {
        local.setDrawer?.(false);
        view.act("show", { variant: one.existing.variant });
      } }, labels.show),
      refusal?.help
        ? h("button", { type: "button", class: "wb-primary", key: "before", onclick: () => {
          remember(view, one);
          view.act("before", { technique: one.name });
        } }, refusal.help)
        : h("button", { type: "submit", class: one.existing ? null : "wb-primary", key: "apply", disabled: Boolean(refusal) || !state.ready,
          "aria-label": `${one.existing ? labels.another : labels.apply}: ${one.title}` }, one.existing ? labels.another : labels.apply)));
}
