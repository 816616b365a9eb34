// @ts-check
// Past everything above: a reader with a keyboard comes to the results with one key.

import { h } from "./dom.js";

/** @param {View} view */
export function skipLink({ labels }) {
  return h("a", { class: "wb-skip", href: "#results", onclick: toResults }, labels.results);
}

function toResults(event) {
  event.preventDefault();
  const results = event.target.closest(".wb-grid")?.querySelector(".wb-below");
  if (!results) return;
  results.tabIndex = -1;
  results.focus({ preventScroll: true });
  results.scrollIntoView({ block: "start" });
}
