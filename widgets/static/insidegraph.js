// @ts-check
// The layers of a variant as a graph: a node for each row of the table, coloured by the same column.

import { h } from "./dom.js";
import { graph } from "./graph.js";

const WIDTH = 150, HEIGHT = 67, APART = 48, HEAD = 24;

/**
 * @param {View} view
 * @param {string} by the column that colours
 * @param {(place: number) => void} choose hears of the row that was chosen
 */
export function insideGraph(view, by, choose) {
  const { state: { inside: shown, variant, reference }, local } = view;
  const { graph: drawn } = shown;
  const beside = Boolean(local.beside && drawn.sides);
  const nodes = layers(shown);
  /** @type {GraphWish} */
  const wish = { direction: "TB", nodes: nodes.map(({ id }) => ({ id, width: WIDTH, height: HEIGHT })),
    edges: drawn.edges.map(([from, to]) => ({ from: String(from), to: String(to) })) };
  const column = shown.columns.find(({ name }) => name === by);
  const chosen = local.chosen ?? null;
  return h("div", { class: "wb-inside-graph", key: "graph" },
    h("ul", { class: "wb-legend wb-graph-legend", "aria-label": drawn.legend }, h("li", { key: "title" }, h("strong", {}, column.title)),
      column.legend.map(({ paint, words }) => h("li", { key: paint }, sign(paint), words)),
      h("li", { key: "nothing" }, sign(""), drawn.nothing),
      drawn.sides && ["added", "changed", "removed"].map((change) => h("li", { key: change }, sign("", change), drawn.changes[change]))),
    graph(view, { key: "inside", labels: drawn, wish, follow: true, selected: chosen === null ? null : `${chosen}${beside && !onRight(drawn, chosen) ? " before" : ""}`,
      choose: (id) => choose(Number.parseInt(id, 10)),
      dressed: (places) => scene(view, places, nodes, { by, beside, chosen, name: `${variant} ${reference}` }),
      more: [drawn.sides && h("button", { type: "button", class: "wb-small wb-quiet", key: "beside", "aria-pressed": String(beside), onclick: () => {
        local.beside = !beside;
        view.redraw();
      } }, drawn.beside),
      h("button", { type: "button", class: "wb-small wb-quiet", key: "enlarge", "aria-pressed": String(Boolean(local.enlarged)), onclick: () => {
        local.enlarged = !local.enlarged;
        view.redraw();
      } }, local.enlarged ? drawn.smaller : drawn.enlarge)] }));
}

function sign(paint, kind = "") {
  return h("svg", { class: `wb-graph-sign${kind ? ` wb-graph-${kind}` : ""}`, viewBox: "0 0 18 12", "aria-hidden": "true" },
    h("rect", { x: 1, y: 1, width: 16, height: 10, rx: 3, class: `wb-graph-box${paint ? ` wb-${paint}` : ""}` }));
}

/** The nodes in the order of the table: the inputs, the layers of the variant, those that were removed. */
function layers({ graph: { inputs, layers: count, removed }, rows }) {
  return [...inputs.map((row, at) => ({ id: String(-1 - at), place: -1 - at, row, input: true })),
    ...rows.slice(0, count + removed).map((row, place) => ({ id: String(place), place, row, input: false }))];
}

/** What only the other variant has is on the left alone. */
function onRight({ layers: count }, place) {
  return place < count;
}

/** @returns {GraphScene} */
function scene({ state: { inside: shown } }, places, nodes, { by, beside, chosen, name }) {
  const { graph: drawn } = shown;
  const titles = Object.fromEntries(nodes.map(({ id, row }) => [id, row.name]));
  const takes = {}, gives = {};
  for (const [from, to, , side] of drawn.edges) {
    if (side === "theirs" && Number(to) < drawn.layers) continue;
    takes[to] = [...takes[to] ?? [], titles[from]];
    gives[from] = [...gives[from] ?? [], titles[to]];
  }
  const node = ({ id, place, row, input }, at, before, shift) => {
    const cell = row.cells?.[by];
    const value = cell?.words[before ? 1 : 0] ?? "";
    const change = row.change === "kept" ? "" : row.change ?? "";
    const shape = row.shapes[before ? 1 : 0] ?? row.shapes[0];
    const tag = change && row.changeName;
    return {
      id: before ? `${id} before` : id, x: places.places[at][0] + shift, y: places.places[at][1] + (beside ? HEAD : 0), width: WIDTH, height: HEIGHT,
      lines: [row.name, row.kind, shape, [value, tag].filter(Boolean).join(" · ")], marked: place === chosen,
      kind: input ? "input" : change, paint: (before ? cell?.paintBefore : cell?.paint) ?? "",
      name: [before && drawn.names[1], row.name, row.kind, shape, value && `${shown.columns.find((one) => one.name === by)?.title}: ${value}`, tag,
        takes[id] && `${drawn.takes} ${takes[id].join(", ")}`, gives[id] && `${drawn.gives} ${gives[id].join(", ")}`].filter(Boolean).join("; "),
    };
  };
  const line = ([from, to, words, side], at, before, shift) => ({
    from: before ? `${from} before` : String(from), to: before ? `${to} before` : String(to), words, kind: beside ? "" : side === "theirs" ? "removed" : "",
    points: (places.lines[at] ?? []).map(([x, y]) => [x + shift, y + (beside ? HEAD : 0)]),
  });
  const height = places.height + (beside ? HEAD : 0);
  if (!beside) {
    return { key: `${name} one`, width: places.width, height, heads: [], nodes: nodes.map((one, at) => node(one, at, !onRight(drawn, one.place), 0)).map(unsided),
      edges: drawn.edges.map((edge, at) => line(edge, at, false, 0)) };
  }
  const right = places.width + APART;
  const both = nodes.map((one, at) => ({ one, at }));
  return {
    key: `${name} two`, width: right + places.width, height,
    heads: [{ x: places.width / 2, y: 12, text: drawn.names[1] }, { x: right + places.width / 2, y: 12, text: drawn.names[0] }],
    nodes: [...both.filter(({ one }) => one.row.change !== "added").map(({ one, at }) => node(one, at, true, 0)),
      ...both.filter(({ one }) => onRight(drawn, one.place)).map(({ one, at }) => node(one, at, false, right))],
    edges: drawn.edges.map((edge, at) => ({ edge, at })).flatMap(({ edge, at }) => [
      edge[3] !== "mine" && line(edge, at, true, 0), edge[3] !== "theirs" && line(edge, at, false, right)]).filter(Boolean),
  };
}

/** Together there is one node for both sides; what was removed has the numbers of the other. */
function unsided(node) {
  return { ...node, id: node.id.replace(" before", ""), name: node.name };
}
