// @ts-check
// Code that can be read and copied: one file, or several as tabs.

import { h, identifier } from "./dom.js";
import { tabbed } from "./tabs.js";

/**
 * @param {object} given
 * @param {View} given.view
 * @param {string} given.key
 * @param {{name: string, text: string}[]} given.files
 * @param {string} given.title
 * @param {boolean} [given.open]
 * @param {() => void} [given.takeHome] saves it as a file; without it there is no button for that
 */
export function codeBlock({ view, key, files, title, open = false, takeHome }) {
  const { labels, local } = view;
  local.codes ??= {};
  local.codes[key] ??= { id: identifier(), name: files[0].name };
  const shown = local.codes[key];
  const file = files.find((one) => one.name === shown.name) ?? files[0];
  const choose = (name) => {
    shown.name = name;
    local.copied = null;
    view.redraw();
  };
  const copied = local.copied === key;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(file.text);
    } catch {
      copyOldWay(file.text); // the clipboard needs https or localhost
    }
    local.copied = key;
    view.redraw();
    setTimeout(() => {
      local.copied = null;
      view.redraw();
    }, 2000);
  };
  const text = h("div", { class: "wb-code-text", key: "text" },
    h("button", { type: "button", class: "wb-small wb-copy", onclick: copy }, copied ? labels.copied : labels.copy),
    h("span", { class: "wb-hidden", role: "status" }, copied ? labels.copied : ""),
    h("pre", { tabindex: "0", role: "region", "aria-label": title, key: file.name }, h("code", {}, file.text)));
  const tabs = files.map(({ name }) => ({ name, title: name }));
  return h("details", { class: "wb-fold wb-code", key: `code ${key}`, ...(open ? { open: true } : {}) },
    h("summary", {}, title),
    h("div", { class: "wb-code-frame" },
      files.length > 1 ? tabbed({ id: shown.id, tabs, chosen: file.name, choose, row: { "aria-label": title } }, text) : text,
      takeHome && h("div", { class: "wb-actions", key: "actions" },
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
