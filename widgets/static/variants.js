// The table of variants: every number with its interval, every verdict in words, and what can be done.

import { h, identifier } from "./dom.js";
import { receiver } from "./download.js";

const SIGNS = { good: "▲", bad: "▼", same: "●", kept: "✓", lost: "✕", unsure: "?" };

export function variants(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  view.receive ??= receiver();
  const selected = state.rows.find((row) => row.id === state.selected);
  return h("section", { class: "wb-card wb-variants", "aria-labelledby": `${local.id}-title` },
    h("header", { class: "wb-card-head" },
      h("h2", { id: `${local.id}-title` }, state.title),
      h("span", { class: "wb-spring" }),
      state.message && h("p", { class: "wb-hint", role: "status" }, state.message),
      state.undo && h("button", { type: "button", class: "wb-small", onclick: () => view.act("undo") }, state.undo),
      h("button", { type: "button", class: "wb-small", disabled: state.rows.length === 0, title: state.finalHint,
        onclick: () => view.act("final") }, labels.final)),
    state.error && h("p", { class: "wb-error wb-pad", role: "alert" }, state.error),
    state.empty ? h("p", { class: "wb-empty" }, state.empty) : [table(view), selected && toolbar(view, selected)]);
}

function table(view) {
  const { state, labels, local } = view;
  return h("div", { class: "wb-scroll" },
    h("table", { class: "wb-table wb-cards", role: "table", "aria-label": state.title },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, [labels.variant, labels.size, labels.latency, labels.quality]
        .map((title) => h("th", { scope: "col", role: "columnheader", key: title }, title)))),
      h("tbody", { role: "rowgroup" }, state.rows.map((row) => h("tr", {
        role: "row", key: row.id, "aria-selected": String(row.id === state.selected),
        class: [row.id === state.selected && "wb-selected", row.automatic && "wb-automatic"].filter(Boolean).join(" "),
        // A click on the label reaches the radio button, which says so itself.
        onclick: (event) => event.target.closest("label, input") || view.act("select", { variant: row.id }),
      },
      h("th", { scope: "row", role: "rowheader" }, h("label", { class: "wb-pick" },
        h("input", { type: "radio", name: `${local.id}-selected`, checked: row.id === state.selected, "aria-label": row.name,
          onchange: () => view.act("select", { variant: row.id }) }),
        h("span", { class: `wb-shape wb-shape-${row.family}`, "aria-hidden": "true" }),
        h("span", {}, h("strong", {}, row.name), row.front && h("span", { class: "wb-tag wb-tag-front", title: labels.frontHint }, labels.front),
          h("span", { class: "wb-sub" }, row.made)))),
      cell(labels.size, row.size), cell(labels.latency, row.latency), cell(labels.quality, row.quality))))));
}

function cell(title, measured) {
  return h("td", { role: "cell", "data-label": title },
    h("span", { class: "wb-value" }, measured.value),
    measured.interval && h("span", { class: "wb-interval" }, measured.interval),
    measured.verdict && h("span", { class: `wb-verdict wb-verdict-${measured.tone}` },
      h("span", { "aria-hidden": "true" }, SIGNS[measured.tone] ?? ""), " ", measured.verdict),
    measured.detail && h("span", { class: "wb-sub" }, measured.detail));
}

function toolbar(view, row) {
  const { state, labels } = view;
  const act = (name, values = {}) => () => view.act(name, { variant: row.id, ...values });
  return h("div", { class: "wb-toolbar", role: "toolbar", "aria-label": state.toolbarTitle },
    row.notes.length > 0 && h("ul", { class: "wb-notes" }, row.notes.map((note, index) => h("li", { key: index }, note))),
    h("div", { class: "wb-actions" },
      h("button", { type: "button", class: row.id === state.parent ? "" : "wb-primary", "aria-pressed": String(row.id === state.parent),
        onclick: act("continue") }, labels.continue),
      state.rows.length > 1 && h("label", { class: "wb-inline" }, h("span", {}, labels.compare),
        h("select", { value: state.reference ?? "", onchange: (event) => view.act("compare", { variant: row.id, reference: event.target.value }) },
          state.rows.filter((other) => other.id !== row.id).map((other) => h("option", { key: other.id, value: other.id }, other.name)))),
      h("span", { class: "wb-spring" }),
      h("button", { type: "button", class: "wb-small", onclick: act("download") }, labels.download),
      h("button", { type: "button", class: "wb-small", onclick: act("deploy") }, labels.deploy),
      h("button", { type: "button", class: "wb-small", onclick: act("recipe") }, labels.recipe),
      h("button", { type: "button", class: "wb-small wb-danger", disabled: !row.deletable, title: row.deletable ? null : labels.keep,
        onclick: act("delete") }, labels.delete)));
}
