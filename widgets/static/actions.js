// @ts-check
// What can be done with one variant: the same in the table and in the details.

import { h, identifier } from "./dom.js";

/**
 * A button that marks a variant; its name says which.
 * @param {View} view
 */
export function star(view, row) {
  const { labels } = view;
  return h("button", { type: "button", class: "wb-star", "aria-pressed": String(row.starred), "aria-label": `${labels.star}: ${row.name}`,
    onclick: () => view.act("star", { variant: row.id, starred: !row.starred }) }, h("span", { "aria-hidden": "true" }, row.starred ? "★" : "☆"));
}

/**
 * A button for what is not measured, or not believed (then it is the chip); null where all is well or it is under way.
 * @param {View} view
 * @param {any} row
 * @param {Chip | null} [chip]
 */
export function remedy(view, row, chip) {
  const { labels } = view;
  if (row.busy || (row.measured && !row.distrusted)) return null;
  const title = row.measured ? labels.again : labels.measure;
  const doubted = row.measured ? chip : null;
  return h("button", { type: "button", class: doubted ? "wb-small wb-verdict wb-verdict-unsure" : "wb-small",
    "aria-label": `${doubted ? `${doubted.words}. ` : ""}${title}: ${row.name}`, title: row.distrusted,
    onclick: () => view.act("measure", { variant: row.id }) },
  doubted ? [h("span", { "aria-hidden": "true" }, "? "), h("span", { class: "wb-words" }, doubted.words),
    h("span", { class: "wb-few-words" }, title), h("span", { "aria-hidden": "true" }, " ↻")] : title);
}

/**
 * When a variant was measured for another visitor, with a button that measures it for this one; null where it was for this one.
 * @param {View} view
 * @param {any} row
 */
export function before(view, row) {
  const { labels } = view;
  if (!row.before) return null;
  return h("span", { class: "wb-before", key: "before" },
    h("span", { class: "wb-tag", title: labels.beforeHint }, labels.before, " ", clock(view, new Date(row.before))),
    !row.busy && !row.distrusted && h("button", { type: "button", class: "wb-small", "aria-label": `${labels.forMe}: ${row.name}`, title: labels.beforeHint,
      onclick: () => view.act("measure", { variant: row.id }) }, labels.forMe));
}

/**
 * A time of day where the reader is, with the day if it is another one.
 * @param {View} view
 * @param {Date} moment
 */
function clock({ el }, moment) {
  const language = el.closest("[lang]")?.getAttribute("lang") || undefined;
  const day = moment.toDateString() === new Date().toDateString() ? {} : /** @type {const} */ ({ month: "short", day: "numeric" });
  return moment.toLocaleString(language, { ...day, hour: "2-digit", minute: "2-digit" });
}

/**
 * The bar of actions; `others` can be compared with, `first` is a button that leads it.
 * @param {View} view
 * @param {any} row
 * @param {any[]} others
 * @param {Child} [first]
 */
export function actions(view, row, others, first) {
  const { state, labels, local } = view;
  const act = (name, values = {}) => () => view.act(name, { variant: row.id, ...values });
  const small = (title, onclick, more = {}) => h("button", { type: "button", class: "wb-small", key: title, onclick, ...more }, title);
  const writing = local.writing?.variant === row.id ? local.writing.what : null;
  const write = (what) => () => {
    local.writing = writing === what ? null : { variant: row.id, what };
    view.redraw();
  };
  return [
    h("div", { class: "wb-actions", key: "actions" }, first,
      h("button", { type: "button", class: `wb-small ${row.id === state.parent || first ? "" : "wb-primary"}`, key: "continue",
        "aria-pressed": String(row.id === state.parent), onclick: act("continue") }, labels.continue),
      others.length > 0 && h("label", { class: "wb-inline", key: "compare" }, h("span", {}, labels.compare),
        h("select", { value: state.reference ?? "", onchange: (event) => view.act("compare", { variant: row.id, reference: event.target.value }) },
          others.map((other) => h("option", { key: other.id, value: other.id }, other.name)))),
      !row.busy && small(row.before ? labels.forMe : row.measured ? labels.again : labels.measure, act("measure"), { title: row.before && labels.beforeHint }),
      small(labels.rename, write("rename"), { "aria-expanded": String(writing === "rename") }),
      small(labels.note, write("note"), { "aria-expanded": String(writing === "note") }),
      small(labels.download, act("download")),
      small(labels.deploy, act("deploy")),
      small(labels.recipe, act("recipe")),
      small(labels.delete, () => {
        view.act("delete", { variant: row.id });
        focusWhenThere(".wb-undo");
      }, { class: "wb-small wb-danger", disabled: !row.deletable, "aria-describedby": row.deletable ? null : `${local.id}-keep` }),
      !row.deletable && h("span", { class: "wb-hint", id: `${local.id}-keep`, key: "keep" }, labels.keep)),
    writing && editor(view, row, writing),
    row.note && writing !== "note" && h("p", { class: "wb-remark", key: "remark" }, row.note),
  ];
}

/** @param {View} view */
function editor(view, row, what) {
  const { labels, local } = view;
  const title = what === "rename" ? labels.rename : labels.note;
  local.editor ??= identifier();
  const close = () => {
    local.writing = null;
    view.redraw();
  };
  return h("form", { class: "wb-actions", key: `write ${what}`, mount: (form) => {
    const [box] = form.elements;
    box.value = what === "rename" ? row.name : row.note ?? "";
    box.focus();
    box.select();
  }, onsubmit: (event) => {
    event.preventDefault();
    const { value } = event.target.elements[0];
    view.act(what, { variant: row.id, [what === "rename" ? "called" : "note"]: value });
    close();
  }, onkeydown: (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  } },
  h("label", { class: "wb-inline", for: local.editor }, title),
  h("input", { type: "text", id: local.editor, class: "wb-write", maxlength: what === "rename" ? "80" : "2000" }),
  h("button", { type: "submit", class: "wb-small wb-primary" }, labels.save),
  h("button", { type: "button", class: "wb-small", onclick: close }, labels.abandon));
}

/**
 * Gives an element the focus.
 * @param {string} selector
 * @returns {boolean} whether there is one
 */
export function focusOn(selector) {
  const node = document.querySelector(selector);
  if (node instanceof HTMLElement) node.focus();
  return node !== null;
}

/**
 * Focus goes where the eye is, once the kernel has answered.
 * @param {string} selector
 */
export function focusWhenThere(selector, patience = 40) {
  if (!focusOn(selector) && patience > 0) setTimeout(() => focusWhenThere(selector, patience - 1), 100);
}
