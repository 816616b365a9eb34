// @ts-check
// The variants as a map: each hangs on what it was made from, with the technique on the line.

import { h } from "./dom.js";
import { actions } from "./actions.js";
import { graph } from "./graph.js";
import { SIGNS } from "./verdict.js";

const WIDTH = 172, LINE = 14, HEIGHT = 68;
const MANY = 24; // variants; of more than that, those alike are folded
const ALIKE = 3;

/**
 * @param {View} view
 * @param {any[]} rows those that pass the filters, with all that they were made from
 */
export function lineage(view, rows) {
  const { state, labels, local } = view;
  local.folded ??= new Set();
  local.unfolded ??= new Set();
  const nodes = folded(state, local, rows);
  // A click shows at once; the kernel answers when it can.
  const selected = local.picked?.before === state.selected ? local.picked.id : state.selected;
  const chosen = rows.find(({ id }) => id === selected);
  const choose = (id) => {
    local.picked = { id, before: state.selected };
    view.act("branch", { variant: id });
    view.redraw();
  };
  const below = chosen && rows.some(({ parent }) => parent === chosen.id);
  const fold = (id) => {
    const [marks, mark] = id.startsWith("alike ") ? [local.unfolded, id] : [local.folded, id];
    if (!marks.delete(mark)) marks.add(mark);
    view.redraw();
  };
  /** @type {GraphWish} */
  const wish = { direction: "LR", nodes: nodes.map((node) => ({ id: node.id, width: WIDTH, height: height(node) })),
    edges: nodes.flatMap(({ id, parent }) => parent ? [{ from: parent, to: id }] : []) };
  return h("div", { class: "wb-lineage", key: "map" },
    graph(view, { key: "lineage", wish, follow: false, labels: { ...labels, name: labels.mapName, keys: labels.mapHint },
      selected, choose: (id) => id.startsWith("alike ") ? fold(id) : choose(id), fold,
      dressed: (places) => scene(view, nodes, places),
      more: [below && h("button", { type: "button", class: "wb-small wb-quiet", key: "fold", "aria-expanded": String(!local.folded.has(chosen.id)),
        onclick: () => fold(chosen.id) }, `${local.folded.has(chosen.id) ? labels.unfold : labels.fold}: ${chosen.name}`),
      nodes.some((node) => node.hidden) && h("button", { type: "button", class: "wb-small wb-quiet", key: "all", onclick: () => {
        local.folded.clear();
        for (const { id, alike } of nodes) if (alike) local.unfolded.add(id);
        view.redraw();
      } }, labels.unfoldAll)] }),
    chosen && h("div", { class: "wb-toolbar", role: "group", "aria-label": state.toolbarTitle, key: "tools" },
      h("p", { class: "wb-origin", role: "status" }, h("strong", {}, labels.origin), " ", chosen.origin),
      !state.opened && actions(view, chosen, state.rows.filter(({ id }) => id !== chosen.id), state.drawer && h("button", { type: "button",
        class: "wb-small wb-primary", key: "details", "aria-expanded": "false", onclick: () => view.act("open", { variant: chosen.id }) }, labels.details))));
}

/**
 * What is shown: below a folded variant nothing, and of many alike those that somebody looks at, or that stand out.
 * @returns {{ id: string, parent: string | null, row: any, hidden: number, alike: number }[]} `alike` of them stand in one node
 */
function folded({ selected, parent: start }, { folded: closed, unfolded: open }, rows) {
  const children = grouped(rows, ({ parent }) => parent);
  const size = (row) => (children.get(row.id) ?? []).reduce((sum, child) => sum + size(child), 1);
  const special = (row) => row.id === selected || row.id === start || row.starred || row.front || (children.get(row.id) ?? []).some(special);
  const found = [];
  const put = (row, parent) => {
    const shut = closed.has(row.id);
    found.push({ id: row.id, parent, row, hidden: shut ? size(row) - 1 : 0, alike: 0 });
    if (shut) return;
    for (const [step, alike] of grouped(children.get(row.id) ?? [], (child) => child.step)) {
      const id = `alike ${row.id} ${step}`;
      const plain = rows.length > MANY && !open.has(id) ? alike.filter((child) => !special(child)) : [];
      const away = new Set(plain.length > ALIKE ? plain : []);
      for (const child of alike) if (!away.has(child)) put(child, row.id);
      if (away.size > 0) found.push({ id, parent: row.id, row: plain[0], hidden: plain.reduce((sum, child) => sum + size(child), 0), alike: plain.length });
    }
  };
  for (const row of children.get(null) ?? []) put(row, null);
  return found;
}

function height({ hidden, alike }) {
  return alike > 0 ? HEIGHT - LINE : HEIGHT + (hidden > 0 ? LINE : 0);
}

/** @returns {Map<any, any[]>} */
function grouped(rows, key) {
  const found = new Map();
  for (const row of rows) found.set(key(row), [...found.get(key(row)) ?? [], row]);
  return found;
}

/** @returns {GraphScene} */
function scene({ state, labels }, nodes, places) {
  const fact = ({ chip, detail }) => {
    if (chip) return [`${SIGNS[chip.tone] ?? ""} ${chip.words.split(" [")[0]}`, chip.tone, chip.words];
    return detail ? [detail, "", detail] : [labels.missing, "none", labels.missing];
  };
  const columns = ["size", "speed", "quality"];
  const drawn = nodes.map(({ id, row, hidden, alike }, at) => {
    const [x, y] = places.places[at];
    const size = { width: WIDTH, height: height({ hidden, alike }) };
    if (alike) {
      const lines = [`${alike} × ${row.step}`, hidden > alike ? `${hidden} ${labels.inAll}` : "", labels.unfold];
      return { id, x, y, ...size, lines, kind: "folded", paint: "", marked: false, name: lines.filter(Boolean).join("; ") };
    }
    const more = hidden > 0 ? `${hidden} ${labels.hidden}` : "";
    const facts = columns.map((column) => fact(row[column]));
    const here = row.id === state.parent;
    return {
      id, x, y, ...size, paint: "", marked: false,
      kind: [`verdict-${row.quality.chip?.tone ?? "none"}`, here && "here"].filter(Boolean).join(" wb-graph-"),
      lines: [`${row.starred ? "★ " : ""}${row.front ? "◎ " : ""}${row.name}`, ...facts.map(([words]) => words), more].slice(0, 5),
      tones: ["", ...facts.map(([, tone]) => tone)],
      name: [row.name, row.step, here && labels.startHere, row.front && labels.front, row.starred && labels.starred,
        ...columns.map((column, place) => `${labels[column]}: ${facts[place][2]}`), more].filter(Boolean).join("; "),
    };
  });
  const lines = nodes.filter(({ parent }) => parent !== null);
  return {
    key: `lineage ${nodes.map(({ id, hidden }) => `${id} ${hidden}`).join()}`, width: places.width, height: places.height, heads: [], nodes: drawn,
    edges: lines.map(({ id, parent, row, alike }, at) => ({ from: parent, to: id, words: row.step, label: alike ? "" : row.step, kind: "", points: places.lines[at] ?? [] })),
  };
}
