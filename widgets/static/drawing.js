// @ts-check
// A pad of few pixels: what is drawn is asked of every variant a few times a second, the newest drawing wins.

import { h, identifier } from "./dom.js";

const ASK_AFTER_MS = 120;
const SHOWN = 224;

/** @param {View} view */
export function drawing(view) {
  const { state, local, labels } = view;
  if (!state.side) return null;
  local.id ??= identifier();
  if (local.pixels?.length !== state.side ** 2) local.pixels = new Array(state.side ** 2).fill(0);
  view.receive = (message) => {
    if (message.type !== "pixels") return;
    local.pixels = message.pixels;
    paint(local.canvas, local.pixels, state.side);
  };
  const clear = () => {
    clearTimeout(local.timer);
    local.pixels.fill(0);
    paint(local.canvas, local.pixels, state.side);
    view.act("clear");
  };
  const sample = (event) => {
    event.preventDefault();
    view.act("sample", { index: Math.trunc(Number(local.sample ?? 0)) });
  };
  return h("section", { class: "wb-card wb-drawing", "aria-labelledby": local.id },
    h("header", { class: "wb-card-head" }, h("h2", { id: local.id }, state.title), h("span", { class: "wb-hint" }, state.hint)),
    h("div", { class: "wb-drawing-body" },
      h("div", { class: "wb-drawing-left" },
        h("canvas", { class: "wb-drawing-pad", width: SHOWN, height: SHOWN, role: "img", "aria-label": labels.pad, foreign: true,
          mount: (node) => {
            local.canvas = node;
            paint(node, local.pixels, state.side);
          },
          onpointerdown: (event) => {
            event.preventDefault();
            event.target.setPointerCapture(event.pointerId);
            local.last = null;
            stroke(view, event);
          },
          onpointermove: (event) => event.buttons && stroke(view, event) }),
        h("form", { class: "wb-drawing-tools", onsubmit: sample },
          h("button", { type: "button", class: "wb-small", onclick: clear }, labels.clear),
          h("label", { class: "wb-inline" }, h("span", {}, labels.sample),
            h("input", { type: "number", min: 0, max: state.samples - 1, step: 1, value: local.sample ?? 0,
              oninput: (event) => {
                local.sample = event.target.value;
              } })),
          h("button", { type: "submit", class: "wb-small" }, labels.show))),
      h("div", { class: "wb-drawing-right", role: "status" },
        state.problem && h("p", { class: "wb-error" }, state.problem),
        state.waiting && h("p", { class: "wb-hint" }, state.waiting),
        state.truth && h("p", {}, state.truth),
        state.rows.length > 0 && answers(state, labels),
        state.tensorflow && h("button", { type: "button", class: "wb-small wb-quiet", onclick: () => view.act("tensorflow") }, labels.tensorflow))));
}

function answers({ rows }, labels) {
  return h("table", { class: "wb-replies" },
    h("thead", {}, h("tr", {}, [labels.variant, labels.answer, labels.probability, labels.latency].map((title) =>
      h("th", { scope: "col", key: title }, title)))),
    h("tbody", {}, rows.map((row) => h("tr", { key: row.variant },
      h("th", { scope: "row" }, row.name),
      row.problem
        ? h("td", { colspan: 3, class: "wb-hint" }, row.problem)
        : [h("td", { class: "wb-answer", key: "answer" }, row.answer),
          h("td", { key: "probability" }, h("span", { class: "wb-chance", "aria-hidden": "true" }, h("span", { style: { width: `${100 * row.share}%` } })), row.probability),
          h("td", { key: "latency" }, row.latency ?? "–")]))));
}

/**
 * Ink falls off around the line, as in pictures that were made smaller.
 * @param {View} view
 */
function stroke(view, event) {
  const { local, state } = view;
  const box = event.target.getBoundingClientRect();
  const at = [(event.clientX - box.left) / box.width * state.side, (event.clientY - box.top) / box.height * state.side];
  const from = local.last ?? at;
  local.last = at;
  const radius = Math.max(0.55, state.side / 24);
  const steps = Math.max(1, Math.ceil(Math.hypot(at[0] - from[0], at[1] - from[1]) / (radius / 2)));
  for (let step = 0; step <= steps; step++) {
    const x = from[0] + (at[0] - from[0]) * step / steps, y = from[1] + (at[1] - from[1]) * step / steps;
    for (let row = Math.floor(y - radius - 1); row <= y + radius + 1; row++) {
      for (let column = Math.floor(x - radius - 1); column <= x + radius + 1; column++) {
        if (row < 0 || column < 0 || row >= state.side || column >= state.side) continue;
        const ink = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y)));
        const place = row * state.side + column;
        local.pixels[place] = Math.max(local.pixels[place], ink);
      }
    }
  }
  paint(event.target, local.pixels, state.side);
  if (local.timer) return;
  local.timer = setTimeout(() => {
    local.timer = null;
    view.act("draw", { pixels: local.pixels.map((ink) => Math.round(ink * 1000) / 1000) });
  }, ASK_AFTER_MS);
}

function paint(canvas, pixels, side) {
  if (!canvas) return;
  const context = canvas.getContext("2d");
  const size = SHOWN / side;
  pixels.forEach((ink, place) => {
    const grey = Math.round(255 * ink);
    context.fillStyle = `rgb(${grey} ${grey} ${grey})`;
    context.fillRect((place % side) * size, Math.floor(place / side) * size, size + 0.5, size + 0.5);
  });
}
