// @ts-check
// Code that can be read and copied.

import { h } from "./dom.js";

/**
 * @param {object} given
 * @param {View} given.view
 * @param {string} given.key
 * @param {string} given.code
 * @param {string} given.title
 * @param {boolean} [given.open]
 * @param {() => void} [given.takeHome] saves it as a file; without it there is no button for that
 */
export function codeBlock({ view, key, code, title, open = false, takeHome }) {
  const { labels, local } = view;
  const copied = local.copied === key;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code);
    } catch {
      copyOldWay(code); // the clipboard needs https or localhost
    }
    local.copied = key;
    view.redraw();
    setTimeout(() => {
      local.copied = null;
      view.redraw();
    }, 2000);
  };
  return h("details", { class: "wb-fold wb-code", key: `code ${key}`, ...(open ? { open: true } : {}) },
    h("summary", {}, title),
    h("div", { class: "wb-code-frame" },
      h("button", { type: "button", class: "wb-small wb-copy", onclick: copy }, copied ? labels.copied : labels.copy),
      h("span", { class: "wb-hidden", role: "status" }, copied ? labels.copied : ""),
      h("pre", { tabindex: "0", role: "region", "aria-label": title }, h("code", {}, code)),
      takeHome && h("div", { class: "wb-actions" },
        h("button", { type: "button", class: "wb-small", onclick: takeHome }, labels.takeHome))));
}

function copyOldWay(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
