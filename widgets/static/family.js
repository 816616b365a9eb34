// One family of techniques: a list; the open one shows help, form, expectation, Apply, progress, code.

import { h, identifier } from "./dom.js";
import { codeBlock } from "./code.js";
import { receiver } from "./download.js";
import { form } from "./form.js";
import { jobCard } from "./progress.js";

const CHECK_AFTER_MS = 200;

export function family(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  local.values ??= {};
  local.shown ??= state.shown ?? 0;
  view.receive ??= receiver();
  return h("section", { class: "wb-card wb-family", "aria-labelledby": `${local.id}-title` },
    h("header", { class: "wb-card-head" },
      h("span", { class: `wb-mark wb-mark-${state.family}`, "aria-hidden": "true" }),
      h("h2", { id: `${local.id}-title` }, state.title),
      h("span", { class: "wb-spring" }),
      state.parents.length > 0 && h("label", { class: "wb-inline" }, h("span", {}, labels.from),
        h("select", { value: state.parent ?? "", onchange: (event) => view.act("parent", { variant: event.target.value }) },
          state.parents.map((parent) => h("option", { key: parent.id, value: parent.id }, parent.name))))),
    state.notice && h("p", { class: "wb-hint wb-pad" }, state.notice),
    h("ul", { class: "wb-techniques" }, state.techniques.map((technique) => entry(view, technique))));
}

function entry(view, technique) {
  const { state, labels, local } = view;
  const id = `${local.id}-${technique.name.replaceAll(".", "-")}`;
  const open = state.open === technique.name;
  const active = technique.jobs.find((job) => ["running", "waiting", "queued"].includes(job.status));
  return h("li", { class: open ? "wb-technique wb-open" : "wb-technique", key: technique.name },
    h("h3", {}, h("button", {
      type: "button", class: "wb-disclose", "aria-expanded": String(open), "aria-controls": `${id}-body`,
      onclick: () => view.act("open", { technique: open ? null : technique.name }),
      update: (node) => open && show(view, node),
    },
    h("span", { class: "wb-chevron", "aria-hidden": "true" }, "›"),
    h("span", { class: "wb-technique-title" }, technique.title),
    technique.problem ? h("span", { class: "wb-tag wb-tag-off" }, labels.off)
      : active ? h("span", { class: "wb-tag wb-tag-busy" }, active.word)
        : technique.time && h("span", { class: "wb-tag" }, technique.time))),
    !open && active && technique.jobs.map((job) => jobCard({ job, labels, act: view.act, compact: true })),
    h("div", { class: "wb-technique-body", id: `${id}-body`, hidden: !open }, open && body(view, technique, id)));
}

/** Goes to the technique that was asked for elsewhere on the page. */
function show({ state, local }, node) {
  if (state.shown === null || state.shown === local.shown) return;
  local.shown = state.shown;
  node.focus({ preventScroll: true });
  node.closest(".wb-technique").scrollIntoView({ block: "start", behavior: "smooth" });
}

function body(view, technique, id) {
  const { labels, local, state } = view;
  const own = (local.values[technique.name] ??= {});
  const values = { ...technique.values, ...own };
  const change = (name, value) => {
    own[name] = value;
    view.redraw();
    clearTimeout(local.timer);
    local.timer = setTimeout(() => view.act("check", { technique: technique.name, values: { ...values, ...own } }), CHECK_AFTER_MS);
  };
  const apply = (event) => {
    event.preventDefault();
    clearTimeout(local.timer);
    view.act("apply", { technique: technique.name, values: { ...values, ...own } });
  };
  return [
    h("p", { class: "wb-help" }, technique.summary),
    technique.help.length > 0 && h("details", { class: "wb-fold" }, h("summary", {}, labels.more),
      technique.help.map((paragraph, index) => h("p", { class: "wb-help", key: index }, paragraph))),
    h("form", { onsubmit: apply, novalidate: true, "aria-label": technique.title },
      form({ prefix: id, fields: technique.fields, values, errors: technique.errors, labels,
        disabled: Boolean(technique.unavailable), change }),
      technique.problem
        ? h("p", { class: "wb-callout wb-callout-off", role: "status" }, h("strong", {}, labels.misfit), " ", technique.problem)
        : technique.expectation && h("p", { class: "wb-callout", role: "status" }, h("strong", {}, labels.expected), " ", technique.expectation),
      technique.message && h("p", { class: "wb-error", role: "alert" }, technique.message),
      h("div", { class: "wb-actions" },
        h("button", { type: "submit", class: "wb-primary", disabled: Boolean(technique.problem) || !state.ready,
          "aria-label": `${labels.apply}: ${technique.title}` }, labels.apply),
        technique.effect && h("span", { class: "wb-hint" }, technique.effect))),
    technique.jobs.map((job) => jobCard({ job, labels, act: view.act })),
    technique.code && codeBlock({ view, key: technique.name, code: technique.code, title: labels.code,
      takeHome: () => view.act("take_home", { technique: technique.name }) }),
  ];
}
