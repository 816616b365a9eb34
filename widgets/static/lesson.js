// @ts-check
// The panels of a lesson: a prediction that locks, how an answer was judged, a question, how far one is.

import { h, identifier } from "./dom.js";
import { receiver } from "./download.js";
import { result } from "./guess.js";

// A prediction is shown again beside its result: these are groups, not landmarks, whose names must differ.

/** @param {View} view */
export function prediction(view) {
  const { state, local, labels } = view;
  local.id ??= identifier();
  return h("div", { class: "wb-card wb-lesson", role: "group", "aria-labelledby": `${local.id} ${local.id}-question` },
    h("div", { class: "wb-card-head" },
      h("h2", { id: local.id }, state.result === null ? labels.title : labels.result),
      state.answer !== null && h("span", { class: "wb-lesson-lock" }, labels.isLocked)),
    h("div", { class: "wb-lesson-body" },
      h("p", { class: "wb-lesson-question", id: `${local.id}-question` }, state.question),
      state.answer === null ? predictionForm(view) : locked(view)));
}

/** @param {View} view */
function predictionForm(view) {
  const { state, local, labels, act, redraw } = view;
  const ask = (event) => {
    event.preventDefault();
    act("lock", { answer: local.answer ?? "" });
  };
  return h("form", { class: "wb-lesson-form", onsubmit: ask, novalidate: true, key: "form" },
    state.choices.length > 0 ? radios(view, labels.answer) : h("label", { class: "wb-lesson-number" },
      h("span", {}, labels.answer),
      h("input", { type: "text", inputmode: "decimal", autocomplete: "off", value: local.answer ?? "",
        oninput: (event) => {
          local.answer = event.target.value;
          redraw();
        } }),
      state.unit && h("span", { class: "wb-unit" }, state.unit)),
    h("div", { class: "wb-lesson-line" },
      h("button", { type: "submit", class: "wb-primary", disabled: !local.answer }, labels.lock),
      state.time && h("span", { class: "wb-hint" }, state.time)),
    state.problem && h("p", { class: "wb-error", role: "alert" }, state.problem));
}

/** @param {View} view */
function locked({ state, labels }) {
  if (state.result === null) {
    return h("div", { role: "status", key: "locked" },
      h("p", {}, h("strong", {}, state.answer)),
      h("p", { class: "wb-hint" }, labels.locked, state.time && ` ${state.time}`));
  }
  const { at, found } = state.result;
  // What can be drawn on a line is; a choice is two words.
  if (found !== null && at !== undefined) return h("div", { role: "status", key: "found" }, result(state.result, labels));
  return h("div", { role: "status", key: "found" },
    h("p", {}, h("span", { class: "wb-guess-said" }, `${labels.guessed} ${state.answer}`),
      found !== null && ` · ${labels.found} ${found}`),
    h("p", { class: "wb-hint" }, mark(state.result.right), state.result.verdict, state.result.doubt && ` ${state.result.doubt}`));
}

/**
 * The answers of a question; the arrow keys go from one to the next.
 * @param {View} view
 * @param {string} name
 */
function radios({ state, local, redraw }, name) {
  local.group ??= identifier();
  return h("fieldset", { class: "wb-lesson-choices" },
    h("legend", { class: "wb-hidden" }, name),
    state.choices.map((one) => h("label", { key: one.key },
      h("input", { type: "radio", name: local.group, value: one.key, checked: local.answer === one.key,
        onchange: () => {
          local.answer = one.key;
          redraw();
        } }),
      h("span", {}, one.words))));
}

/** @param {boolean | null} right */
function mark(right) {
  return right !== null && h("span", { class: right ? "wb-lesson-right" : "wb-lesson-wrong", "aria-hidden": "true" }, right ? "✓ " : "✕ ");
}

/** @param {View} view */
export function check({ state }) {
  return h("div", { class: `wb-lesson-check ${state.passed ? "wb-lesson-passed" : "wb-lesson-failed"}`, role: "status" },
    // Where nothing was answered nothing is wrong yet.
    h("p", {}, state.passed || state.given ? mark(state.passed) : h("span", { class: "wb-hint", "aria-hidden": "true" }, "○ "),
      h("strong", {}, state.title), ": ", state.word, state.given && h("span", { class: "wb-hint" }, ` ${state.given}`)),
    state.said && h("p", {}, state.said));
}

/** @param {View} view */
export function question(view) {
  const { state, local, labels, act } = view;
  local.id ??= identifier();
  if (local.known !== state.answer) {
    local.known = state.answer;
    local.answer = state.answer;
  }
  const ask = (event) => {
    event.preventDefault();
    act("answer", { answer: local.answer ?? "" });
  };
  return h("div", { class: "wb-card wb-lesson", role: "group", "aria-labelledby": `${local.id} ${local.id}-question` },
    h("div", { class: "wb-card-head" }, h("h2", { id: local.id }, labels.title)),
    h("form", { class: "wb-lesson-body wb-lesson-form", onsubmit: ask, novalidate: true },
      h("p", { class: "wb-lesson-question", id: `${local.id}-question` }, state.question),
      radios(view, state.question),
      h("div", { class: "wb-lesson-line" }, h("button", { type: "submit", disabled: !local.answer }, labels.answer)),
      state.problem && h("p", { class: "wb-error", role: "alert" }, state.problem),
      h("div", { role: "status" }, state.passed !== null && h("p", { class: `wb-lesson-check ${state.passed ? "wb-lesson-passed" : "wb-lesson-failed"}` },
        mark(state.passed), h("strong", {}, state.word), " ", state.said))));
}

/** @param {View} view */
export function summary(view) {
  const { state, local, labels } = view;
  local.id ??= identifier();
  view.receive ??= receiver();
  return h("div", { class: "wb-card wb-lesson", role: "group", "aria-labelledby": local.id },
    h("div", { class: "wb-card-head" },
      h("h2", { id: local.id }, labels.title), h("span", { class: "wb-spring" }), h("span", { class: "wb-figures" }, state.said)),
    h("div", { class: "wb-lesson-body" },
      state.rows.length > 0 && h("ul", { class: "wb-lesson-evidence" }, state.rows.map((row, index) => h("li", { key: `row ${index}` },
        h("p", {}, row.question),
        h("p", { class: "wb-figures" }, `${labels.guessed}: ${row.said} · ${labels.found}: ${row.found}`),
        row.verdict && h("p", { class: "wb-hint" }, mark(row.right), row.verdict)))),
      h("ul", {}, state.checks.map((one, index) => h("li", { key: `check ${index}` },
        h("span", { class: one.passed ? "wb-lesson-right" : "wb-hint" }, one.passed ? "✓" : "○"), " ", one.title))),
      handingIn(view),
      takingBack(view)));
}

/** @param {View} view */
function handingIn({ state, local, labels, act, redraw }) {
  local.learner ??= state.learner;
  const hand = (event) => {
    event.preventDefault();
    act("hand_in", { learner: local.learner });
  };
  return h("form", { class: "wb-lesson-line wb-lesson-hand", key: "hand in", onsubmit: hand, novalidate: true, "aria-label": labels.handIn },
    h("label", { class: "wb-lesson-name" }, h("span", { class: "wb-hint" }, labels.name),
      h("input", { type: "text", autocomplete: "off", maxlength: "60", value: local.learner, oninput: (event) => {
        local.learner = event.target.value;
        redraw();
      } })),
    h("button", { type: "submit", class: "wb-primary", disabled: !local.learner.trim() }, labels.handIn),
    h("span", { role: "status", class: "wb-hint" }, state.handed),
    state.problem && h("p", { class: "wb-error", role: "alert" }, state.problem));
}

/** @param {View} view */
function takingBack({ state, local, labels, act, redraw }) {
  const ask = (asked) => () => {
    local.asked = asked;
    redraw();
  };
  if (local.asked) {
    return h("div", { class: "wb-lesson-line", key: "sure", role: "group", "aria-label": labels.reset },
      h("span", {}, labels.sure),
      h("button", { type: "button", key: "yes", onclick: () => {
        local.asked = false;
        act("reset");
      } }, labels.yes),
      h("button", { type: "button", key: "no", class: "wb-quiet", onclick: ask(false) }, labels.no));
  }
  return h("div", { class: "wb-lesson-line", key: "back" },
    state.undoable && h("button", { type: "button", key: "undo", class: "wb-quiet wb-small wb-lesson-undo", title: state.undoable,
      onclick: () => act("undo") }, `${labels.undo}: ${state.undoable}`),
    h("button", { type: "button", key: "reset", class: "wb-quiet wb-small", onclick: ask(true) }, labels.reset));
}
