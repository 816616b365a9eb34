// @ts-check
// What a graph is drawn with: elements, texts that fit, edges.

const SPACE = "http://www.w3.org/2000/svg";

/** @type {CanvasRenderingContext2D | null} */
let pen = null;

/**
 * A text as wide as there is room.
 * @param {string} text
 * @param {number} width in pixels
 * @param {number} size of the font
 */
export function fitted(text, width, size, weight = 400) {
  pen ??= document.createElement("canvas").getContext("2d");
  if (!pen) return text;
  pen.font = `${weight} ${size}px system-ui, sans-serif`;
  if (pen.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    // The end of a name tells more than its middle.
    if (pen.measureText(shortened(text, middle)).width <= width) low = middle;
    else high = middle - 1;
  }
  return shortened(text, low);
}

function shortened(text, letters) {
  const end = Math.floor(letters / 3);
  return `${text.slice(0, letters - end)}…${end ? text.slice(-end) : ""}`;
}

/** An element of a picture. */
export function made(tag, attributes, parent) {
  const node = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) put(node, name, value);
  parent?.append(node);
  return node;
}

/** An attribute that has changed; empty takes it away. */
export function put(node, name, value) {
  const text = value === null || value === undefined || value === "" ? null : String(value);
  if (text === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** An edge with its tip, and what is written at it. */
export function line(edge, parent) {
  const [first, ...more] = edge.points;
  if (!first) return;
  // Bends are rounded: each point but the ends pulls the line towards it.
  let path = `M${first.join(" ")}`;
  for (let at = 0; at < more.length - 1; at++) {
    const end = at === more.length - 2 ? more[at + 1] : [(more[at][0] + more[at + 1][0]) / 2, (more[at][1] + more[at + 1][1]) / 2];
    path += `Q${more[at].join(" ")} ${end.join(" ")}`;
  }
  if (more.length === 1) path += `L${more[0].join(" ")}`;
  const [x, y] = more.at(-1) ?? first;
  const before = more.length > 1 ? more[more.length - 2] : first;
  const turn = (Math.atan2(y - before[1], x - before[0]) * 180) / Math.PI;
  const group = made("g", { class: `wb-graph-edge${edge.kind ? ` wb-graph-${edge.kind}` : ""}` }, parent);
  made("path", { d: path }, group);
  made("path", { d: "M0 0L-6 -3.2L-6 3.2Z", class: "wb-graph-tip", transform: `translate(${x} ${y}) rotate(${turn.toFixed(1)})` }, group);
  if (edge.words) made("title", {}, group).textContent = edge.words;
  if (edge.label) {
    made("text", { x: x - 9, y: y + (first[1] < y - 2 ? 14 : -5), "text-anchor": "end", class: "wb-graph-label" }, group).textContent = fitted(edge.label, 116, 11);
  }
}
