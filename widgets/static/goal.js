// @ts-check
// What is wanted, and the buttons that look for it.

import { h, identifier } from "./dom.js";

/** @param {View} view */
export function goal(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  // What was typed is the reader's until the kernel says something else.
  if (state.points !== local.known) local.points = local.known = state.points;
  const now = (change = {}) => ({ want: state.want, points: local.points, runtime: state.runtime, ...change });
  const say = (change) => view.act("goal", now(change));
  const find = (training) => () => view.act("find", { ...now(), training });
  const off = !state.ready || state.busy;
  return h("section", { class: "wb-line wb-goal", "aria-labelledby": `${local.id}-title` },
    h("h2", { id: `${local.id}-title`, class: "wb-line-title" }, labels.title),
    h("fieldset", { class: "wb-wants" }, h("legend", { class: "wb-hidden" }, labels.want),
      ["smaller", "faster", "both"].map((want) => h("label", { key: want, class: state.want === want ? "wb-want wb-want-on" : "wb-want" },
        h("input", { type: "radio", name: `${local.id}-want`, value: want, checked: state.want === want, onchange: () => say({ want }) }),
        labels[want]))),
    h("label", { class: "wb-inline" }, h("span", {}, labels.fall),
      h("input", { type: "text", inputmode: "decimal", class: "wb-number wb-points", value: local.points, autocomplete: "off",
        "aria-invalid": state.error ? "true" : null, "aria-describedby": state.error ? `${local.id}-error` : null,
        oninput: (event) => { local.points = event.target.value; },
        onchange: () => say() }),
      h("span", { class: "wb-unit" }, labels.points)),
    h("label", { class: "wb-inline" }, h("span", { "aria-hidden": "true" }, labels.runtime), h("span", { class: "wb-hidden" }, labels.runtimeName),
      h("select", { value: state.runtime, onchange: (event) => say({ runtime: event.target.value }) },
        state.runtimes.map((one) => h("option", { key: one.value, value: one.value }, one.label)))),
    h("span", { class: "wb-find" },
      h("button", { type: "button", class: "wb-primary", disabled: off, onclick: find(false) },
        state.busy ? labels.finding : labels.find, !state.busy && state.time && h("span", { class: "wb-find-time" }, state.time)),
      h("button", { type: "button", disabled: off, onclick: find(true) }, labels.train,
        state.trainingTime && h("span", { class: "wb-find-time" }, state.trainingTime))),
    state.error && h("p", { class: "wb-error wb-line-more", id: `${local.id}-error`, role: "alert" }, state.error));
}
