// @ts-check
// Asks the worker for layouts. The library is fetched with the first graph that is opened.

import { arranged } from "./arranging.js";

const LIBRARY = "dagre.esm.js";

/** @type {Promise<Worker> | null} */
let starting = null;
/** @type {Map<number, { resolve: (places: GraphPlaces) => void, reject: (reason: unknown) => void }>} */
const asked = new Map();
let number = 0;

/**
 * @param {Assets} assets
 * @param {GraphWish} wish
 * @returns {Promise<GraphPlaces>}
 */
export async function layout(assets, wish) {
  const library = await assets.url(LIBRARY);
  starting ??= started(assets);
  /** @type {Worker} */
  let worker;
  try {
    worker = await starting;
  } catch { // a page that allows no workers: then it waits for the layout
    return arranged(await assets.load(LIBRARY), wish);
  }
  return new Promise((resolve, reject) => {
    asked.set(++number, { resolve, reject });
    worker.postMessage({ number, library, wish });
  });
}

/** @param {Assets} assets */
async function started(assets) {
  const worker = new Worker(await assets.url("layoutworker.js"), { type: "module" });
  worker.onmessage = ({ data }) => {
    const waiting = asked.get(data.number);
    asked.delete(data.number);
    if (data.error) waiting?.reject(new Error(data.error));
    else waiting?.resolve(data.places);
  };
  worker.onerror = () => {
    // Its script did not load: what was asked fails, and who asks again gets another one.
    starting = null;
    for (const { reject } of asked.values()) reject(new Error("the worker ended"));
    asked.clear();
  };
  return worker;
}
