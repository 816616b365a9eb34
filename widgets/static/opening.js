// @ts-check
// The form that opens a model: it stays as it was typed until the model is there, with what is wrong at its field.

import { h } from "./dom.js";
import { upload } from "./upload.js";

const TYPING_MS = 500;

const EMPTY = { model: "", data: "", modelPath: "", dataPath: "", modelFile: null, dataFile: null, label: "", scaling: "auto", output: "",
  task: "auto", tasks: {}, meaning: "auto", trust: false, code: "", weights: "", ignoreLabel: "", classes: "", onlyClasses: "", testFraction: "", validationFraction: "", limit: "" };

/**
 * Closes the form once what was asked for is there; what the form itself got wrong starts nothing.
 * @param {View} view
 */
export function follow({ state, local, el }) {
  const { opening } = state;
  if (!local.before || state.attempt === local.before.attempt) return;
  if (!opening || opening.id === local.before.id || (opening.ended && !opening.there)) {
    local.before = null;
  } else if (opening.there) {
    local.before = null;
    local.chosen = null;
    local.fresh = true;
    if (local.open === "open") {
      local.open = null;
      setTimeout(() => el.scrollIntoView({ block: "nearest" }), 0); // the long form is gone, its reader is far down
    }
  }
}

/**
 * Sends a file that the reader has chosen or dropped.
 * @param {View} view
 */
export function send(view, kind, file) {
  const { local } = view;
  local.sending = { ...local.sending, [kind]: { name: file.name, share: 0 } };
  if (kind !== "recipe") {
    const chosen = choices(view);
    edited(local, kind);
    chosen[kind] = "";
    chosen[`${kind}Path`] = "";
    chosen[`${kind}File`] = null;
  }
  upload(view, kind, file, (path) => {
    local.sending = { ...local.sending, [kind]: null };
    if (kind !== "recipe" && path !== null) {
      const chosen = choices(view);
      chosen[`${kind}Path`] = path;
      chosen[`${kind}File`] = file.name;
      if (kind === "data") look(view, path);
    }
    view.redraw();
  }, (share) => {
    local.sending[kind].share = share;
    view.redraw();
  });
  view.redraw();
}

/** The model or the data have changed since they were judged. */
function edited(local, name) {
  local.edited ??= new Set();
  local.edited.add(name.replace("Path", ""));
}

/** @param {View} view */
function choices({ state, local }) {
  local.chosen ??= { ...EMPTY, model: state.models[0]?.value ?? "", data: state.models[0]?.fits[0] ?? "" };
  return local.chosen;
}

/** @param {View} view */
function look(view, data) {
  clearTimeout(view.local.typing);
  view.local.looked = data;
  choices(view).label = "";
  view.act("look", { data });
}

/** @param {View} view */
export function opening(view) {
  const { state, labels, local } = view;
  const chosen = choices(view);
  const fits = (model, data) => state.models.find((one) => one.value === model)?.fits.includes(data);
  const choose = (name) => (event) => {
    chosen[name] = event.target.type === "checkbox" ? event.target.checked : event.target.value;
    edited(local, name);
    // Model and data follow each other, where one of them is known to fit no other.
    if (name === "model" && chosen.model && chosen.data && !fits(chosen.model, chosen.data)) {
      chosen.data = state.models.find((one) => one.value === chosen.model)?.fits[0] ?? chosen.data;
    }
    if (name === "data" && chosen.model && chosen.data && !fits(chosen.model, chosen.data)) {
      chosen.model = state.models.find((one) => one.fits.includes(chosen.data))?.value ?? "";
    }
    if (name === "dataPath") {
      clearTimeout(local.typing);
      local.typing = setTimeout(() => look(view, chosen.dataPath), TYPING_MS);
    }
    view.redraw();
  };
  const preview = chosen.data === "" && state.preview?.data === (chosen.dataPath || null) ? state.preview : null;
  const targets = preview?.targets ?? [];
  // What was said of another choice is not true of this one.
  const wrong = (name) => (local.edited?.has(name) || local.before ? null : state.errors[name]) ?? (name === "data" ? preview?.error : null);
  const error = (name) => wrong(name) && h("p", { class: "wb-error", role: "alert", id: `${local.id}-${name}-error`, key: "error" }, wrong(name));
  const own = (name, pathTitle) => {
    const sending = local.sending?.[name];
    if (sending) {
      return h("p", { class: "wb-hint", role: "status", key: "sending" },
        `${sending.name} · ${labels.sending.replace("{share}", String(Math.round(100 * sending.share)))}`);
    }
    if (chosen[`${name}File`]) {
      return h("p", { class: "wb-chosen", key: "chosen" }, h("strong", {}, chosen[`${name}File`]),
        h("button", { type: "button", class: "wb-small", onclick: () => {
          chosen[`${name}File`] = null;
          chosen[`${name}Path`] = "";
          if (name === "data") look(view, "");
          view.redraw();
        } }, labels.another));
    }
    return [
      state.paths && h("label", { key: "label", for: `${local.id}-${name}-path`, class: "wb-hint" }, pathTitle),
      state.paths && h("input", { key: "path", id: `${local.id}-${name}-path`, type: "text", value: chosen[`${name}Path`], oninput: choose(`${name}Path`) }),
      state.uploads && h("span", { key: "file", class: "wb-file" },
        h("input", { id: `${local.id}-${name}-file`, type: "file", "aria-label": labels.upload, "aria-describedby": `${local.id}-${name}-file-about`,
          accept: state.accepts[name], onchange: (event) => event.target.files[0] && send(view, name, event.target.files[0]) }),
        h("span", { class: "wb-hint", id: `${local.id}-${name}-file-about` }, labels.upload))];
  };
  const picker = (name, title, options, pathTitle) => h("div", { class: "wb-field", key: name },
    h("label", { for: `${local.id}-${name}` }, title),
    h("select", { id: `${local.id}-${name}`, value: chosen[name], onchange: choose(name), "aria-invalid": wrong(name) ? "true" : null,
      "aria-describedby": wrong(name) ? `${local.id}-${name}-error` : null },
      options.map((one) => h("option", { key: one.value, value: one.value }, one.label)),
      state.own && h("option", { key: "path", value: "" }, labels.own)),
    chosen[name] === "" && own(name, pathTitle),
    error(name));
  const typed = (name, hint) => h("div", { class: "wb-field", key: name }, h("label", { for: `${local.id}-${name}` }, labels[name]),
    h("input", { id: `${local.id}-${name}`, type: "text", value: chosen[name], oninput: choose(name), "aria-describedby": `${local.id}-${name}-about` }),
    h("p", { class: "wb-hint", id: `${local.id}-${name}-about` }, hint));
  const submit = (event) => {
    event.preventDefault();
    local.before = { id: state.opening?.id, attempt: state.attempt };
    local.edited = new Set();
    view.act("open", { model: chosen.model || chosen.modelPath, data: chosen.data || chosen.dataPath,
      label: chosen.data ? "" : chosen.label, classes: chosen.data ? "" : chosen.classes, scaling: chosen.scaling, trust: chosen.model === "" && chosen.trust,
      code: chosen.model ? "" : chosen.code,
      onlyClasses: chosen.onlyClasses, weights: chosen.data ? "" : chosen.weights, ignoreLabel: chosen.data ? "" : chosen.ignoreLabel,
      task: chosen.model && chosen.data ? "auto" : chosen.task,
      tasks: targets.length > 0 ? Object.fromEntries(targets.map((one) => [one.name, chosen.tasks[one.name] ?? "auto"])) : null,
      output: chosen.model ? "" : chosen.output, meaning: chosen.model ? "auto" : chosen.meaning,
      testFraction: chosen.testFraction, validationFraction: chosen.validationFraction, limit: chosen.limit });
    view.redraw();
  };
  const underWay = state.opening && !state.opening.ended && !state.opening.there ? state.opening : null;
  return [going(view), h("form", { class: "wb-open-form", key: "form", onsubmit: submit, "aria-label": labels.open },
    state.uploads && h("p", { class: "wb-hint wb-drop-hint", key: "drop" }, labels.drop),
    local.refused && h("p", { class: "wb-error", role: "alert", key: "refused" }, labels[local.refused]),
    h("div", { class: "wb-open-fields", key: "fields" },
      picker("model", labels.model, state.models, labels.modelPath),
      picker("data", labels.data, state.datasets, labels.dataPath),
      chosen.data === "" && labelField(view, chosen, choose, preview, typed),
      h("div", { class: "wb-field", key: "scaling" }, h("label", { for: `${local.id}-scaling` }, labels.scaling),
        h("select", { id: `${local.id}-scaling`, value: chosen.scaling, onchange: choose("scaling"), "aria-describedby": `${local.id}-scaling-about` },
          state.scalings.map((one) => h("option", { key: one.value, value: one.value }, one.label))),
        h("p", { class: "wb-hint", id: `${local.id}-scaling-about` }, labels.scalingHint)),
      targets.length === 0 && (chosen.model === "" || chosen.data === "") && taskField(view, "task", labels.task, chosen.task, choose("task"), state.tasks),
      targets.map((one, index) => taskField(view, `task-${index}`, labels.taskOf.replace("{output}", one.name), chosen.tasks[one.name] ?? "auto", (event) => {
        chosen.tasks = { ...chosen.tasks, [one.name]: event.target.value };
        view.redraw();
      }, state.tasks.map((task) => (task.value === "auto" ? { ...task, label: one.auto } : task)))),
      chosen.model === "" && typed("output", labels.outputHint),
      chosen.model === "" && h("div", { class: "wb-field", key: "meaning" }, h("label", { for: `${local.id}-meaning` }, labels.meaning),
        h("select", { id: `${local.id}-meaning`, value: chosen.meaning, onchange: choose("meaning"), "aria-describedby": `${local.id}-meaning-about` },
          state.meanings.map((one) => h("option", { key: one.value, value: one.value }, one.label))),
        h("p", { class: "wb-hint", id: `${local.id}-meaning-about` }, labels.meaningHint)),
      state.trust && chosen.model === "" && typed("code", labels.codeHint)),
    preview && looks(labels, preview, chosen.label),
    h("details", { class: "wb-fold", key: "reading" }, h("summary", {}, labels.reading),
      h("div", { class: "wb-open-fields" },
        chosen.data === "" && typed("classes", labels.classesHint),
        typed("onlyClasses", labels.onlyClassesHint),
        chosen.data === "" && typed("weights", labels.weightsHint),
        chosen.data === "" && typed("ignoreLabel", labels.ignoreLabelHint),
        typed("testFraction", labels.fractionHint),
        typed("validationFraction", labels.fractionHint),
        state.paths && typed("limit", labels.limitHint))),
    state.trust && chosen.model === "" && h("div", { class: "wb-field wb-field-checkbox", key: "trust" },
      h("input", { id: `${local.id}-trust`, type: "checkbox", checked: chosen.trust, onchange: choose("trust") }),
      h("label", { for: `${local.id}-trust` }, labels.trust)),
    state.error && h("p", { class: "wb-error", role: "alert", key: "problem" }, state.error),
    state.opening?.error && !local.before && !local.edited?.size && h("p", { class: "wb-error", role: "alert", key: "failed" }, state.opening.error),
    underWay && h("div", { class: "wb-callout wb-under-way", role: "status", key: "under way" },
      h("strong", {}, underWay.title), h("span", {}, underWay.stage), h("span", { class: "wb-sub" }, labels.busy),
      h("button", { type: "button", class: "wb-small", onclick: () => view.act("cancel", { job: underWay.id }) }, labels.cancel)),
    h("div", { class: "wb-actions", key: "actions" },
      h("button", { type: "submit", class: "wb-primary", disabled: Boolean(underWay && local.before) }, labels.openNow),
      h("button", { type: "button", onclick: () => {
        local.open = null;
        view.redraw();
      } }, labels.close)))];
}

/**
 * What an output is judged as.
 * @param {View} view
 */
function taskField({ local, labels }, name, title, value, onchange, tasks) {
  const id = `${local.id}-${name}`;
  return h("div", { class: "wb-field", key: name }, h("label", { for: id }, title),
    h("select", { id, value, onchange, "aria-describedby": `${id}-about` }, tasks.map((one) => h("option", { key: one.value, value: one.value }, one.label))),
    h("p", { class: "wb-hint", id: `${id}-about` }, labels.taskHint));
}

/**
 * Where the labels are: a list of the columns once they are known.
 * @param {View} view
 */
function labelField({ local, labels }, chosen, choose, preview, typed) {
  if (preview && !preview.columns) return preview.busy || preview.error ? typed("label", labels.labelHint) : null;
  if (!preview) return typed("label", labels.labelHint);
  if (preview.columns.length === 0) return null; // no table
  const id = `${local.id}-label`;
  return h("div", { class: "wb-field", key: "label column" }, h("label", { for: id }, labels.label),
    h("select", { id, value: chosen.label, onchange: choose("label"), "aria-describedby": `${id}-about` },
      h("option", { key: "", value: "" }, preview.label === null ? labels.labelAuto : `${labels.labelAuto}: ${preview.label}`),
      preview.columns.map((column, index) => h("option", { key: index + 1, value: column.name }, column.name))),
    h("p", { class: "wb-hint", id: `${id}-about` }, labels.labelHint));
}

/** What is in the data: to be seen before anything is measured. */
function looks(labels, preview, label) {
  if (preview.busy) return h("p", { class: "wb-hint", role: "status", key: "looking" }, labels.looking);
  if (preview.error) return null; // said at the field
  const column = preview.columns.find((one) => one.name === (label || preview.label));
  const counts = label && column ? column.counts : preview.counts;
  // The labels come first: a wide table is cut off at its end.
  const marked = preview.columns.indexOf(column);
  const order = preview.columns.map((_, index) => index).sort((one, other) => Number(other === marked) - Number(one === marked));
  return h("section", { class: "wb-preview", key: "looks", "aria-label": labels.looks },
    h("h2", {}, labels.looks, h("span", { class: "wb-sub" }, label && label !== preview.label ? preview.samples : preview.summary)),
    counts.length > 0 && h("div", {}, h("h3", { class: "wb-small-title" }, labels.classesTitle),
      h("ul", { class: "wb-counts" }, counts.map((one, index) => h("li", { key: index }, one.name, h("span", {}, one.count))))),
    preview.pictures.length > 0 && h("ul", { class: "wb-thumbnails" }, preview.pictures.map((one, index) => h("li", { key: index },
      h("img", { src: `data:image/png;base64,${one.png}`, alt: "" }), one.name))),
    preview.rows.length > 0 && h("div", { class: "wb-scroll", tabindex: "0", role: "region", "aria-label": labels.firstRows },
      h("table", { class: "wb-table" },
        h("thead", {}, h("tr", {}, order.map((index) => h("th", { key: index, scope: "col", class: index === marked ? "wb-marked" : null }, preview.columns[index].name)))),
        h("tbody", {}, preview.rows.map((row, number) => h("tr", { key: number },
          order.map((index) => h("td", { key: index, class: index === marked ? "wb-marked" : null }, row[index]))))))),
    preview.notes.length > 0 && h("ul", { class: "wb-lines" }, preview.notes.map((note, index) => h("li", { key: index }, note))));
}

/**
 * Back to a model that was opened before.
 * @param {View} view
 */
function going(view) {
  const { state, labels, local } = view;
  if (!state.workbenches.some((one) => one.value !== state.workbench)) return null;
  const chosen = state.workbenches.some((one) => one.value === local.workbench) ? local.workbench : state.workbench;
  const go = () => {
    view.act("go", { workbench: chosen });
    local.workbench = null;
    local.open = null;
    view.redraw();
  };
  return h("div", { class: "wb-field wb-going", key: "going" }, h("label", { for: `${local.id}-workbench` }, labels.workbench),
    h("span", { class: "wb-control" },
      h("select", { id: `${local.id}-workbench`, value: chosen, "aria-describedby": `${local.id}-workbench-about`,
        onchange: (event) => {
          local.workbench = event.target.value;
          view.redraw();
        } },
        !state.workbenches.some((one) => one.value === chosen) && h("option", { key: chosen, value: chosen }, chosen),
        state.workbenches.map((one) => h("option", { key: one.value, value: one.value }, one.label))),
      h("button", { type: "button", disabled: chosen === state.workbench, onclick: go }, labels.go)),
    h("p", { class: "wb-hint", id: `${local.id}-workbench-about` }, labels.workbenchHint));
}
