// @ts-check
// A form from a technique's parameters. The kernel decides what is valid; the form only shows it.

import { h } from "./dom.js";

/**
 * @param fields what the kernel derived from the parameter model
 * @param values the values now, by field name
 * @param errors problems by field name
 * @param change called with (name, value, whether a slider is dragged)
 * @param helped ids of the fields whose help is unfolded
 * @param toggleHelp called with such an id
 */
export function form({ prefix, fields, values, errors, labels, disabled, change, helped, toggleHelp }) {
  const show = (field) => control({ prefix, field, value: values[field.name], error: errors[field.name], labels, disabled, change, helped, toggleHelp });
  const asked = fields.filter((field) => errors[field.name] || field.only.every(([name, value]) => values[name] === value));
  const plain = asked.filter((field) => !field.advanced);
  const advanced = asked.filter((field) => field.advanced);
  return h("div", { class: "wb-form" },
    plain.map(show),
    // A mistake in what is folded away would not be seen.
    advanced.length > 0 && h("details", { class: "wb-fold", key: "advanced", ...(advanced.some((field) => errors[field.name]) ? { open: true } : {}) },
      h("summary", {}, labels.advanced),
      h("div", { class: "wb-form" }, advanced.map(show))));
}

function control({ prefix, field, value, error, labels, disabled, change, helped, toggleHelp }) {
  const id = `${prefix}-${field.name}`;
  const about = field.description || field.range;
  const described = [about && `${id}-about`, field.fixed && `${id}-fixed`, error && `${id}-error`].filter(Boolean).join(" ");
  const off = disabled || field.fixed;
  const open = helped.has(id);
  const shared = {
    id,
    disabled: off,
    "aria-describedby": described || null,
    "aria-invalid": error ? "true" : null,
  };
  const set = (next) => change(field.name, next);
  const number = () => h("input", {
    ...shared, class: "wb-number", type: "number", step: field.step ?? "any", min: field.minimum, max: field.maximum,
    inputmode: "decimal", value, oninput: (event) => set(event.target.value),
  });
  let widget;
  if (field.kind === "checkbox") {
    widget = h("input", { ...shared, type: "checkbox", checked: value, onchange: (event) => set(event.target.checked) });
  } else if (field.kind === "select") {
    widget = h("select", { ...shared, value: JSON.stringify(value), onchange: (event) => set(JSON.parse(event.target.value)) },
      field.options.map((option) => h("option", { key: option.label, value: JSON.stringify(option.value) }, option.label)));
  } else if (field.kind === "range") {
    widget = h("span", { class: "wb-range" },
      h("input", {
        type: "range", "aria-label": field.title, min: field.minimum, max: field.maximum, step: field.step ?? "any",
        disabled: off, value, oninput: (event) => change(field.name, event.target.value, true),
      }),
      number());
  } else if (field.kind === "number") {
    widget = number();
  } else {
    widget = h("input", { ...shared, type: "text", value, oninput: (event) => set(event.target.value) });
  }
  const label = h("span", { class: "wb-label" }, h("label", { for: id }, field.title),
    about && h("button", { type: "button", class: "wb-what", "aria-expanded": String(open), "aria-controls": `${id}-about`,
      "aria-label": `${labels.help} ${field.title}`, onclick: () => toggleHelp(id) }, h("span", { "aria-hidden": "true" }, "?")));
  return h("div", { class: `wb-field wb-field-${field.kind}`, key: field.name },
    field.kind === "checkbox" ? [widget, label] : [label,
      h("span", { class: "wb-control" }, widget, field.unit && h("span", { class: "wb-unit" }, field.unit))],
    field.fixed && h("p", { class: "wb-hint", id: `${id}-fixed` }, labels.fixed),
    about && h("p", { class: "wb-hint", id: `${id}-about`, hidden: !open }, field.description, field.range && ` ${field.range}`),
    error && h("p", { class: "wb-error", id: `${id}-error`, role: "alert" }, error));
}
