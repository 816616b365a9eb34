// @ts-check
// A verdict in words, with a sign before it, so that it is told without colours.

import { h } from "./dom.js";

export const SIGNS = { good: "▲", bad: "▼", same: "●", kept: "✓", lost: "✕", unsure: "?" };

/** Its words; the interval in them may give way where there is no room: the details have it. */
export function words(text) {
  const [said, interval] = text.split(" [");
  return [said, interval && h("span", { class: "wb-chip-interval", key: "interval" }, ` [${interval}`)];
}

/** A verdict as a chip. */
export function chip({ words: text, tone }) {
  return h("span", { class: `wb-verdict wb-verdict-${tone}` }, h("span", { "aria-hidden": "true" }, SIGNS[tone] ?? ""), " ", words(text));
}
