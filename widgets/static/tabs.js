// @ts-check
// A row of tabs with the panel below it; the arrow keys, Home and End move along the row.

import { h } from "./dom.js";

/**
 * @param {object} given
 * @param {string} given.id prefix of the elements' identifiers
 * @param {{name: string, title: string}[]} given.tabs
 * @param {string} given.chosen the name of the one that is shown
 * @param {(name: string) => void} given.choose called with the name of another one
 * @param {Record<string, any>} given.row further properties of the row, such as what names it
 * @param {...Child} content of the panel
 */
export function tabbed({ id, tabs, chosen, choose, row }, ...content) {
  const at = tabs.findIndex((one) => one.name === chosen);
  const steer = (event) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    choose(tabs[next].name);
    document.getElementById(`${id}-tab-${next}`)?.focus();
  };
  return [h("div", { class: "wb-tabs", role: "tablist", key: "tabs", onkeydown: steer, ...row },
    tabs.map((one, place) => h("button", { type: "button", role: "tab", key: one.name, id: `${id}-tab-${place}`,
      "aria-selected": String(place === at), "aria-controls": `${id}-panel`, tabindex: place === at ? "0" : "-1",
      onclick: () => choose(one.name) }, one.title))),
  h("div", { class: "wb-tab-panel", role: "tabpanel", id: `${id}-panel`, "aria-labelledby": `${id}-tab-${at}`,
    tabindex: "0", key: chosen }, content)];
}
