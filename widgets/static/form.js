// A form from a technique's parameters. The kernel decides what is valid; the form only shows it.

import { h } from "./dom.js";

/**
 * @param fields what the kernel derived from the parameter model
 * @param values the values now, by field name
 * @param errors problems by field name
 * @param change called with (name, value)
 */
export function form({ prefix, fields, values, errors, labels, disabled, change }) {
  const show = (field) => control({ prefix, field, value: values[field.name], error: errors[field.name], disabled, change });
  const plain = fields.filter((field) => !field.advanced);
  const advanced = fields.filter((field) => field.advanced);
  return h("div", { class: "wb-form" },
    plain.map(show),
    advanced.length > 0 && h("details", { class: "wb-fold", key: "advanced" },
      h("summary", {}, labels.advanced),
      h("div", { class: "wb-form" }, advanced.map(show))));
}

function control({ prefix, field, value, error, disabled, change }) {
  const id = `${prefix}-${field.name}`;
  const described = [field.description && `${id}-about`, field.range && `${id}-range`, error && `${id}-error`]
    .filter(Boolean).join(" ");
  const shared = {
    id,
    disabled,
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
        disabled, value, oninput: (event) => set(event.target.value),
      }),
      number());
  } else if (field.kind === "number") {
    widget = number();
  } else {
    widget = h("input", { ...shared, type: "text", value, oninput: (event) => set(event.target.value) });
  }
  const label = h("label", { for: id }, field.title);
  return h("div", { class: `wb-field wb-field-${field.kind}`, key: field.name },
    field.kind === "checkbox" ? [widget, label] : [label,
      h("span", { class: "wb-control" }, widget, field.unit && h("span", { class: "wb-unit" }, field.unit))],
    field.description && h("p", { class: "wb-hint", id: `${id}-about` }, field.description,
      field.range && h("span", { id: `${id}-range` }, ` ${field.range}`)),
    !field.description && field.range && h("p", { class: "wb-hint", id: `${id}-range` }, field.range),
    error && h("p", { class: "wb-error", id: `${id}-error`, role: "alert" }, error));
}
