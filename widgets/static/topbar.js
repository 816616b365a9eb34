// Which model, which data, which machine; language, theme; opening another model.

import { h, identifier } from "./dom.js";
import { upload } from "./upload.js";
import { watchConnection } from "./connection.js";
import { chosenLanguage, rememberLanguage } from "./language.js";
import { chooseTheme, inJupyterLab, themeChoice } from "./theme.js";

export function topBar(view) {
  const { state, labels, local } = view;
  if (!local.id) {
    local.id = identifier();
    const chosen = chosenLanguage(state);
    // After the page has greeted: what is said before is not answered.
    if (chosen !== state.language) setTimeout(() => view.act("language", { language: chosen }), 0);
  }
  const fact = (title, value, detail, tone) => h("div", { class: `wb-fact ${tone ?? ""}`, key: title },
    h("dt", {}, title), h("dd", { title: [value, detail].filter(Boolean).join("\n") }, h("strong", {}, value), detail && h("span", { class: "wb-sub" }, detail)));
  return h("section", { class: "wb-top", "aria-label": state.title,
    mount: () => {
      local.unwatch = watchConnection(view.model, (lost) => {
        local.lost = lost;
        view.redraw();
      });
    },
    unmount: () => local.unwatch?.() },
    h("div", { class: "wb-top-row" },
      h("h1", {}, h("span", { class: "wb-logo", "aria-hidden": "true" }), state.title),
      h("dl", { class: "wb-facts" }, state.facts.map((one) => fact(one.title, one.value, one.detail, one.tone))),
      h("div", { class: "wb-controls" },
        h("button", { type: "button", "aria-expanded": String(Boolean(local.open)), "aria-controls": `${local.id}-open`,
          onclick: () => {
            local.open = !local.open;
            view.redraw();
          } }, labels.open),
        h("label", { class: "wb-inline" }, h("span", { class: "wb-hidden" }, labels.language),
          h("select", { value: state.language, onchange: (event) => {
            rememberLanguage(state, event.target.value);
            view.act("language", { language: event.target.value });
          } },
            state.languages.map((one) => h("option", { key: one.value, value: one.value, lang: one.value.replace("_", "-") }, one.label)))),
        h("label", { class: "wb-inline" }, h("span", { class: "wb-hidden" }, labels.theme),
          h("select", { value: themeChoice(), onchange: (event) => chooseTheme(event.target.value) },
            ["auto", "light", "dark"].map((name) => h("option", { key: name, value: name }, labels[name])))))),
    local.lost && h("div", { class: "wb-callout wb-callout-warn wb-lost", role: "alert" }, h("span", {}, labels.lost),
      !inJupyterLab() && h("button", { type: "button", class: "wb-small", onclick: () => location.reload() }, labels.reload)),
    state.warnings.map((warning, index) => h("p", { class: "wb-callout wb-callout-warn", role: "status", key: `warning ${index}` }, warning)),
    state.remarks.length > 0 && h("details", { class: "wb-fold wb-remarks" }, h("summary", {}, labels.remarks),
      h("ul", { class: "wb-lines" }, state.remarks.map((remark, index) => h("li", { key: index }, remark)))),
    state.error && h("p", { class: "wb-error wb-pad", role: "alert" }, state.error),
    h("div", { class: "wb-open-panel", id: `${local.id}-open`, hidden: !local.open }, local.open && opening(view)));
}

function opening(view) {
  const { state, labels, local } = view;
  const chosen = (local.chosen ??= { model: state.models[0]?.value ?? "", data: state.datasets[0]?.value ?? "", modelPath: "", dataPath: "",
    label: "", scaling: "auto", output: "", meaning: "auto", trust: false, classes: "", testFraction: "", validationFraction: "", limit: "" });
  const choose = (name) => (event) => {
    chosen[name] = event.target.type === "checkbox" ? event.target.checked : event.target.value;
    view.redraw();
  };
  const picker = (name, title, options, pathTitle) => h("div", { class: "wb-field", key: name },
    h("label", { for: `${local.id}-${name}` }, title),
    h("select", { id: `${local.id}-${name}`, value: chosen[name], onchange: choose(name) },
      options.map((one) => h("option", { key: one.value, value: one.value }, one.label)),
      h("option", { key: "path", value: "" }, labels.own)),
    chosen[name] === "" && [
      state.paths && h("label", { key: "label", for: `${local.id}-${name}-path`, class: "wb-hint" }, pathTitle),
      state.paths && h("input", { key: "path", id: `${local.id}-${name}-path`, type: "text", value: chosen[`${name}Path`], oninput: choose(`${name}Path`) }),
      state.uploads && fileField(view, name, labels.upload)]);
  const typed = (name, hint) => h("div", { class: "wb-field", key: name }, h("label", { for: `${local.id}-${name}` }, labels[name]),
    h("input", { id: `${local.id}-${name}`, type: "text", value: chosen[name], oninput: choose(name), "aria-describedby": `${local.id}-${name}-about` }),
    h("p", { class: "wb-hint", id: `${local.id}-${name}-about` }, hint));
  const submit = (event) => {
    event.preventDefault();
    view.act("open", { model: chosen.model || chosen.modelPath, data: chosen.data || chosen.dataPath,
      label: chosen.data ? "" : chosen.label, classes: chosen.data ? "" : chosen.classes, scaling: chosen.scaling, trust: chosen.trust,
      output: chosen.model ? "" : chosen.output, meaning: chosen.model ? "auto" : chosen.meaning,
      testFraction: chosen.testFraction, validationFraction: chosen.validationFraction, limit: chosen.limit });
    local.open = false;
    view.redraw();
  };
  return [going(view), h("form", { class: "wb-open-form", onsubmit: submit, "aria-label": labels.open },
    h("div", { class: "wb-open-fields" },
      picker("model", labels.model, state.models, labels.modelPath),
      picker("data", labels.data, state.datasets, labels.dataPath),
      chosen.data === "" && typed("label", labels.labelHint),
      h("div", { class: "wb-field", key: "scaling" }, h("label", { for: `${local.id}-scaling` }, labels.scaling),
        h("select", { id: `${local.id}-scaling`, value: chosen.scaling, onchange: choose("scaling") },
          state.scalings.map((one) => h("option", { key: one.value, value: one.value }, one.label))),
        h("p", { class: "wb-hint" }, labels.scalingHint)),
      chosen.model === "" && typed("output", labels.outputHint),
      chosen.model === "" && h("div", { class: "wb-field", key: "meaning" }, h("label", { for: `${local.id}-meaning` }, labels.meaning),
        h("select", { id: `${local.id}-meaning`, value: chosen.meaning, onchange: choose("meaning"), "aria-describedby": `${local.id}-meaning-about` },
          state.meanings.map((one) => h("option", { key: one.value, value: one.value }, one.label))),
        h("p", { class: "wb-hint", id: `${local.id}-meaning-about` }, labels.meaningHint)),
      h("div", { class: "wb-field", key: "recipe" }, h("label", { for: `${local.id}-recipe` }, labels.recipe),
        fileField(view, "recipe", labels.recipeHint))),
    h("details", { class: "wb-fold", key: "reading" }, h("summary", {}, labels.reading),
      h("div", { class: "wb-open-fields" },
        chosen.data === "" && typed("classes", labels.classesHint),
        typed("testFraction", labels.fractionHint),
        typed("validationFraction", labels.fractionHint),
        state.paths && typed("limit", labels.limitHint))),
    state.trust && h("div", { class: "wb-field wb-field-checkbox" },
      h("input", { id: `${local.id}-trust`, type: "checkbox", checked: chosen.trust, onchange: choose("trust") }),
      h("label", { for: `${local.id}-trust` }, labels.trust)),
    state.upload && h("p", { class: "wb-hint", role: "status" }, state.upload),
    h("div", { class: "wb-actions" }, h("button", { type: "submit", class: "wb-primary" }, labels.openNow)))];
}

/** Back to a model that was opened before. */
function going(view) {
  const { state, labels, local } = view;
  if (!state.workbenches.some((one) => one.value !== state.workbench)) return null;
  const chosen = state.workbenches.some((one) => one.value === local.workbench) ? local.workbench : state.workbench;
  const go = () => {
    view.act("go", { workbench: chosen });
    local.workbench = null;
    local.open = false;
    view.redraw();
  };
  return h("div", { class: "wb-field wb-going", key: "going" }, h("label", { for: `${local.id}-workbench` }, labels.workbench),
    h("span", { class: "wb-control" },
      h("select", { id: `${local.id}-workbench`, value: chosen, "aria-describedby": `${local.id}-workbench-about`,
        onchange: (event) => {
          local.workbench = event.target.value;
          view.redraw();
        } }, state.workbenches.map((one) => h("option", { key: one.value, value: one.value }, one.label))),
      h("button", { type: "button", disabled: chosen === state.workbench, onclick: go }, labels.go)),
    h("p", { class: "wb-hint", id: `${local.id}-workbench-about` }, labels.workbenchHint));
}

function fileField(view, kind, hint) {
  const { local, state } = view;
  const id = `${local.id}-${kind}${kind === "recipe" ? "" : "-file"}`;
  return h("span", { key: "file", class: "wb-file" },
    h("input", { id, type: "file", "aria-label": kind === "recipe" ? null : hint, "aria-describedby": `${id}-about`,
      accept: state.accepts[kind], onchange: (event) => event.target.files[0] && upload(view, kind, event.target.files[0], (path) => {
        if (kind === "recipe") return;
        local.chosen[`${kind}Path`] = path;
        view.redraw();
      }) }),
    h("span", { class: "wb-hint", id: `${id}-about` }, hint));
}
