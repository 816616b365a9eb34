// @ts-check
// Which model, which data, which machine; language, theme; opening another model, running a recipe.

import { h, identifier } from "./dom.js";
import { takeDrops } from "./drop.js";
import { chosenLanguage, rememberLanguage } from "./language.js";
import { linkPanel, takeLink } from "./link.js";
import { follow, opening, send } from "./opening.js";
import { toolbar } from "./roving.js";
import { chooseTheme, themeChoice } from "./theme.js";

/** @param {View} view */
export function topBar(view) {
  const { state, labels, local } = view;
  if (!local.id) {
    local.id = identifier();
    const { lang } = takeLink();
    if (state.languages.some((one) => one.value === lang)) rememberLanguage(state, lang);
    const chosen = chosenLanguage(state);
    // After the page has greeted: what is said before is not answered.
    if (chosen !== state.language) setTimeout(() => view.act("language", { language: chosen }), 0);
  }
  follow(view);
  const toggle = (name) => () => {
    local.open = local.open === name ? null : name;
    view.redraw();
  };
  const fact = (title, value, detail, tone) => h("div", { class: `wb-fact ${tone ?? ""}`, key: title },
    h("dt", {}, title), h("dd", { title: [value, detail].filter(Boolean).join("\n") }, h("strong", {}, value), detail && h("span", { class: "wb-sub" }, detail)));
  const panel = (name, content) => h("div", { class: "wb-open-panel", id: `${local.id}-${name}`, key: name, hidden: local.open !== name },
    local.open === name && content(view));
  const opens = (name) => ({ type: "button", key: name, "aria-expanded": String(local.open === name), "aria-controls": `${local.id}-${name}`, onclick: toggle(name) });
  return h("section", { class: "wb-top", "aria-label": state.title,
    mount: (node) => {
      local.undrop = takeDrops(node, () => view.state.accepts, (files) => dropped(view, files), (why) => {
        local.open = "open";
        local.refused = why;
        view.redraw();
      });
    },
    unmount: () => local.undrop?.() },
    h("div", { class: "wb-top-row" },
      h("h1", {}, h("span", { class: "wb-logo", "aria-hidden": "true" }), state.title),
      h("dl", { class: "wb-facts" }, state.facts.map((one) => fact(one.title, one.value, one.detail, one.tone))),
      h("div", { class: "wb-controls" },
        toolbar(view, "opens", { class: "wb-opens", "aria-label": state.title }, [
          h("button", opens("open"), labels.open), h("button", opens("recipe"), labels.recipe), h("button", opens("link"), labels.link)]),
        h("label", { class: "wb-inline" }, h("span", { class: "wb-hidden" }, labels.language),
          h("select", { value: state.language, onchange: (event) => {
            rememberLanguage(state, event.target.value);
            view.act("language", { language: event.target.value });
          } },
            state.languages.map((one) => h("option", { key: one.value, value: one.value, lang: one.value.replace("_", "-") }, one.label)))),
        h("label", { class: "wb-inline" }, h("span", { class: "wb-hidden" }, labels.theme),
          h("select", { value: themeChoice(), onchange: (event) => chooseTheme(event.target.value) },
            ["auto", "light", "dark"].map((name) => h("option", { key: name, value: name }, labels[name])))))),
    state.oneAtATime && toolbar(view, "stage", { class: "wb-stage", "aria-label": labels.panel, key: "stage" }, state.panels.map((one) => h("button", {
      type: "button", key: one.name, "aria-pressed": String(one.shown), onclick: () => view.act("show", { panels: [one.name] }) }, one.title))),
    state.visitor && h("p", { class: "wb-hint wb-visitor" }, state.visitor),
    state.warnings.map((warning, index) => h("p", { class: "wb-callout wb-callout-warn", role: "status", key: `warning ${index}` }, warning)),
    remarks(view),
    state.error && local.open !== "open" && h("p", { class: "wb-error wb-pad", role: "alert", key: "error" }, state.error),
    panel("open", opening),
    panel("recipe", recipe),
    panel("link", linkPanel));
}

/**
 * What was done to the data: shown once when they have just been opened, then folded.
 * @param {View} view
 */
function remarks(view) {
  const { state, labels, local, redraw } = view;
  if (state.remarks.length === 0) return null;
  const list = h("ul", { class: local.fresh ? "wb-checks" : "wb-lines", key: "list" }, state.remarks.map((remark, index) => h("li", { key: index }, remark)));
  if (!local.fresh) return h("details", { class: "wb-fold wb-remarks", key: "remarks" }, h("summary", {}, labels.remarks), list, judged(view));
  return h("section", { class: "wb-callout wb-remarks", key: "fresh", "aria-label": labels.remarks }, h("h2", {}, labels.remarks), list, judged(view),
    h("button", { type: "button", class: "wb-small", onclick: () => {
      local.fresh = false;
      redraw();
    } }, labels.gotIt));
}

/**
 * The task of each output, to be changed: the model is then opened again.
 * @param {View} view
 */
function judged(view) {
  const { state, labels, local } = view;
  if (state.judged.length === 0) return null;
  const now = Object.fromEntries(state.judged.map((one) => [one.output, one.task]));
  const wanted = { ...now, ...(local.wantedOf === state.workbench ? local.wanted : null) };
  const changed = state.judged.some((one) => wanted[one.output] !== one.task);
  const submit = (event) => {
    event.preventDefault();
    view.act("judge", { tasks: wanted });
  };
  return h("form", { class: "wb-judged", key: "judged", onsubmit: submit, "aria-label": labels.judgedAs },
    h("h3", { class: "wb-small-title" }, labels.judgedAs),
    h("div", { class: "wb-open-fields" }, state.judged.map((one, index) => {
      const id = `${local.id}-judged-${index}`;
      return h("div", { class: "wb-field", key: one.output }, h("label", { for: id }, one.output),
        h("select", { id, value: wanted[one.output], "aria-describedby": `${local.id}-judged-about`, onchange: (event) => {
          local.wanted = { ...wanted, [one.output]: event.target.value };
          local.wantedOf = state.workbench;
          view.redraw();
        } }, state.tasks.filter((task) => task.value !== "auto").map((task) => h("option", { key: task.value, value: task.value }, task.label))));
    })),
    h("p", { class: "wb-hint", id: `${local.id}-judged-about` }, labels.judgeHint),
    h("button", { type: "submit", class: "wb-small", disabled: !changed }, labels.judgeAgain));
}

/**
 * A file of steps; what they are is shown before they start.
 * @param {View} view
 */
function recipe(view) {
  const { state, labels, local } = view;
  const answer = (run) => () => {
    view.act("run", { run });
    local.open = null;
    view.redraw();
  };
  return [
    h("div", { class: "wb-field", key: "file" }, h("label", { for: `${local.id}-recipe-file` }, labels.recipeFile),
      h("span", { class: "wb-file" },
        h("input", { id: `${local.id}-recipe-file`, type: "file", accept: state.accepts.recipe, "aria-describedby": `${local.id}-recipe-about`,
          onchange: (event) => {
            if (event.target.files[0]) send(view, "recipe", event.target.files[0]);
            event.target.value = ""; // the same file again is a change, too
          } }),
        h("span", { class: "wb-hint", id: `${local.id}-recipe-about` }, labels.recipeHint))),
    state.recipe && h("div", { class: "wb-recipe", key: "steps", role: "group", "aria-label": state.recipe.title },
      h("h2", {}, state.recipe.title),
      h("ol", {}, state.recipe.steps.map((step, index) => h("li", { key: index }, step.title, step.values && h("span", { class: "wb-sub" }, step.values)))),
      h("div", { class: "wb-actions" },
        h("button", { type: "button", class: "wb-primary", disabled: !state.ready, onclick: answer(true) }, labels.run),
        h("button", { type: "button", onclick: answer(false) }, labels.notNow)))];
}

/** @param {View} view */
function dropped(view, files) {
  const { state, local } = view;
  local.refused = null;
  const others = files.filter(({ kind }) => kind !== "recipe");
  local.open = others.length > 0 ? "open" : "recipe";
  for (const { kind, file } of files) if (state.uploads || kind === "recipe") send(view, kind, file);
  view.redraw();
}
