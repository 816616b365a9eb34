// @ts-check
// What a variant has forgotten: groups of lost samples, and what it looks at beside another one.

import { h } from "./dom.js";
import { dataTable } from "./table.js";

/** @param {View} view */
export function forgotten(view) {
  const { state: { forgotten: shown, variant, reference }, act } = view;
  if (!shown) return null;
  return [h("h3", { class: "wb-small-title", key: "losses" }, shown.lossesTitle), lines(shown.losses.lines, "losses lines"),
    shown.losses.tables.map((table) => h("div", { key: table.caption }, h("h4", { class: "wb-small-title" }, table.caption),
      dataTable({ ...table, hideCaption: true }))),
    h("h3", { class: "wb-small-title", key: "drift" }, shown.driftTitle),
    shown.obstacle && h("p", { class: "wb-hint", key: "obstacle" }, shown.obstacle),
    shown.offersLook && h("div", { key: "look" },
      h("button", { type: "button", class: "wb-small wb-primary", onclick: () => act("compare_maps", { variant, reference }) }, shown.look),
      h("span", { class: "wb-hint" }, " ", shown.lookHint)),
    shown.looking && h("p", { key: "looking", class: "wb-hint", role: "status" }, shown.looking),
    shown.drift && drift(shown.drift),
    shown.notes.length > 0 && h("ul", { class: "wb-notes", key: "notes" }, shown.notes.map((note, index) => h("li", { key: index }, note)))];
}

function drift(shown) {
  return [dataTable({ ...shown.table, hideCaption: true }), lines(shown.lines, "drift lines"),
    shown.samples.length > 0 && h("h4", { class: "wb-small-title", key: "drifted" }, shown.drifted),
    h("ul", { class: "wb-drifted", key: "samples" }, shown.samples.map((sample) => h("li", { key: sample.index },
      sample.pictures.length > 0 && h("div", { class: "wb-drifted-pictures" }, sample.pictures.map((one, index) => h("figure", { key: index },
        h("img", { src: one.url, alt: `${sample.title}: ${one.title}` }), h("figcaption", { class: "wb-sub" }, one.title)))),
      h("strong", {}, sample.title), h("span", { class: "wb-sub" }, sample.words), h("span", { class: "wb-sub" }, sample.peak))))];
}

function lines(texts, key) {
  return h("ul", { class: "wb-lines", key }, texts.map((line, index) => h("li", { key: index }, line)));
}
