// @ts-check
// Lays out graphs beside the page, so that it answers meanwhile.

import { arranged } from "./arranging.js";

addEventListener("message", async ({ data: { number, library, wish } }) => {
  try {
    postMessage({ number, places: arranged(await import(library), wish) });
  } catch (error) {
    postMessage({ number, error: String(error) });
  }
});
