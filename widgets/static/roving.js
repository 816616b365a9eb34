// @ts-check
// One stop of the Tab key for a whole list or row of buttons: the arrow keys, Home and End move inside it.

import { h } from "./dom.js";

/**
 * @param event a keydown inside the list
 * @param row selects what is moved between
 * @returns where the focus goes, or null where the key is not one of these
 */
export function moved(event, row) {
  const rows = [...event.currentTarget.querySelectorAll(row)];
  const from = event.target.closest(row);
  // In a form inside the list the keys are the form's.
  if (!from || event.target.closest("[data-stop]") === null) return null;
  const at = rows.indexOf(from);
  const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined) return null;
  event.preventDefault();
  return rows[Math.min(Math.max(to, 0), rows.length - 1)];
}

/**
 * Buttons in a row that are one stop of the Tab key; each has a key.
 * @param {View} view
 */
export function toolbar(view, name, props, buttons) {
  const { local } = view;
  const place = `stop ${name}`;
  const shown = buttons.flat().filter(Boolean);
  const usable = shown.filter((button) => !button.props.disabled).map((button) => button.key);
  const at = usable.includes(local[place]) ? local[place] : usable[0];
  for (const button of shown) Object.assign(button.props, { "data-stop": true, "data-at": button.key, tabindex: button.key === at ? "0" : "-1" });
  const move = (event) => {
    const to = moved(event, "[data-stop]:not(:disabled)");
    if (!to) return;
    local[place] = to.dataset.at;
    view.redraw();
    to.focus();
  };
  return h("span", { role: "toolbar", onkeydown: move, ...props }, shown);
}
