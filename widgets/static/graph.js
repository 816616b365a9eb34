// @ts-check
// A graph on the page: laid out beside it when it is opened, with its buttons and its name.

import { h } from "./dom.js";
import { Canvas } from "./canvas.js";
import { layout } from "./layout.js";
import { toolbar } from "./roving.js";

const LOWEST = 170, ROOM = 30; // pixels: of the picture, and around a graph that needs less than there is

/**
 * @param {View} view
 * @param {object} given
 * @param {string} given.key tells graphs of one view apart
 * @param {any} given.labels name, keys, larger, farther, whole, laying, failed
 * @param {GraphWish} given.wish
 * @param {(places: GraphPlaces) => GraphScene} given.dressed what is drawn, once it is known where
 * @param {string | null} given.selected
 * @param {(id: string) => void} given.choose
 * @param {(id: string) => void} [given.fold] what the space bar does, if not choosing
 * @param {boolean} given.follow whether arrow keys choose
 * @param {Child} [given.more] further buttons
 */
export function graph(view, { key, labels, wish, dressed, selected, choose, fold, follow, more = null }) {
  view.local[`graph ${key}`] ??= { asked: "", places: null, failed: false, canvas: null };
  const kept = view.local[`graph ${key}`];
  const asked = JSON.stringify(wish);
  if (kept.asked !== asked) {
    Object.assign(kept, { asked, failed: false });
    layout(view.assets, wish).then((places) => kept.asked === asked && Object.assign(kept, { places, laid: asked }),
      () => kept.asked === asked && Object.assign(kept, { failed: true }))
      .then(view.redraw);
  }
  const ready = kept.places && kept.laid === asked;
  const scene = ready ? dressed(kept.places) : null;
  const show = () => scene && kept.canvas?.show(scene, { selected, choose, fold, follow });
  const button = (name, sign, act) => h("button", { type: "button", class: "wb-small wb-quiet", key: name, "aria-label": labels[name], title: labels[name], onclick: act }, sign);
  return h("div", { class: "wb-graph", key: `graph ${key}` },
    toolbar(view, `graph ${key}`, { class: "wb-actions wb-graph-tools", "aria-label": labels.name }, [
      button("larger", "+", () => kept.canvas?.zoom(1.25)), button("farther", "−", () => kept.canvas?.zoom(0.8)),
      button("whole", "⤢", () => kept.canvas?.whole()), more]),
    !ready && h("p", { class: "wb-empty", key: "waiting", role: "status" }, kept.failed ? labels.failed : labels.laying),
    scene && h("svg", { class: "wb-graph-canvas", key: "canvas", role: "listbox", "aria-label": labels.name, foreign: true,
      style: { "--wb-graph-height": `${Math.max(LOWEST, Math.ceil(scene.height) + ROOM)}px` },
      mount: (node) => {
        kept.canvas = new Canvas(node);
        show();
      },
      update: show,
      unmount: () => {
        kept.canvas?.close();
        kept.canvas = null;
      } }),
    h("p", { class: "wb-hint", key: "keys" }, labels.keys));
}
