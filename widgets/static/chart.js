// @ts-check
// A figure: plotly.js reaches the page once, whatever the number of figures; colours follow the theme.

import { h } from "./dom.js";
import { currentTheme } from "./theme.js";
import { dataTable } from "./table.js";
import { placed } from "./names.js";
import { toolbar } from "./roving.js";

const CONFIG = { displaylogo: false, responsive: false, displayModeBar: false, scrollZoom: false, doubleClick: "reset" };

/** A picture with its name, the table behind it, and a button that shows the table; `save` offers it as a file, `calm` says that it changes by itself. */
export function picture({ view, key, figure, name, summary, table, height, click, legend = null, save = false, calm = false }) {
  const { labels, local } = view;
  const shown = Boolean(local[`table ${key}`]);
  /** @type {PlotNode | null} */
  let plot = null;
  return h("figure", { class: "wb-figure", key },
    h("div", {
      class: "wb-plot", role: "img", "aria-label": `${name}. ${summary}`, foreign: true, style: { height: `${height}px` },
      hidden: shown,
      mount: (node) => {
        plot = node;
        start(node, view.assets, figure, click, calm);
      },
      update: (node) => {
        plot = node;
        update(node, figure, click, calm);
      },
      unmount: (node) => stop(node),
    }),
    legend,
    h("figcaption", {},
      h("span", { class: "wb-hint" }, summary),
      toolbar(view, `picture ${key}`, { class: "wb-actions", "aria-label": name }, [save && ["svg", "png"].map((format) => h("button", { type: "button", class: "wb-small wb-quiet", key: format, disabled: shown,
        "aria-label": `${labels.save}: ${name} (${format.toUpperCase()})`, onclick: () => plot && saved(plot, name, format) }, format.toUpperCase())),
      h("button", { type: "button", class: "wb-small wb-quiet", key: "table", "aria-expanded": String(shown), "aria-label": `${labels.table}: ${name}`,
        onclick: () => {
          local[`table ${key}`] = !shown;
          view.redraw();
        } }, shown ? labels.picture : labels.table)])),
    shown && dataTable({ ...table, hideCaption: true }));
}

/**
 * As it is on the page, on the page's ground: what is sent on has no page behind it.
 * @param {PlotNode} node
 * @param {string} name
 * @param {string} format "svg" or "png"
 */
async function saved(node, name, format) {
  const library = await node.__assets.plotly();
  const palette = colours(node);
  const { data, layout } = node;
  const address = await library.toImage(
    { data, layout: { ...layout, paper_bgcolor: palette.surface, plot_bgcolor: palette.surface }, config: CONFIG },
    { format, width: node.clientWidth, height: node.clientHeight, scale: 2 });
  const link = document.createElement("a");
  link.href = address;
  link.download = `${name}.${format}`;
  document.body.append(link);
  link.click();
  link.remove();
}

/** @param {HTMLElement} node */
function colours(node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue(name).trim();
  return { ink: read("--wb-ink"), muted: read("--wb-muted"), line: read("--wb-line"), surface: read("--wb-surface"),
    font: read("--wb-font"), type: Number(read("--wb-type")) || 1 };
}

/**
 * The sizes of all fonts, for readers at the back of a room.
 * @param {any} layout
 * @param {number} times
 */
function enlarged(layout, times) {
  if (times === 1 || layout === null || typeof layout !== "object") return layout;
  if (Array.isArray(layout)) return layout.map((one) => enlarged(one, times));
  return Object.fromEntries(Object.entries(layout).map(([name, value]) => {
    const grown = enlarged(value, times);
    return [name, /font$/i.test(name) && grown?.size ? { ...grown, size: grown.size * times } : grown];
  }));
}

/** @param {PlotNode} node */
function dressed(node, figure, palette) {
  // plotly writes into what it is given.
  const { data, layout } = structuredClone(figure);
  // plotly chooses black or white for the cell's colour, as if the page behind it were white.
  for (const trace of data) if (trace.texttemplate) trace.textfont = { color: palette.ink, ...trace.textfont };
  for (const [name, axis] of Object.entries(layout)) {
    if (!/^[xy]axis\d*$/.test(name)) continue;
    layout[name] = { gridcolor: palette.line, linecolor: palette.line, zerolinecolor: palette.line, tickcolor: palette.line,
      automargin: true, separatethousands: true, ...axis, title: { standoff: 8, ...axis.title } };
  }
  return {
    data,
    layout: enlarged({
      margin: { l: 8, r: 12, t: 8, b: 8 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: { bgcolor: palette.surface, bordercolor: palette.muted, font: { color: palette.ink, family: palette.font } },
      ...layout, font: { family: palette.font, size: 12, color: palette.ink, ...layout.font },
      width: node.clientWidth, height: node.clientHeight, uirevision: layout.uirevision ?? "kept",
    }, palette.type),
  };
}

/**
 * Names go where there is room, which is known only once the axes are drawn.
 * @param {Plotly} library
 * @param {PlotNode} node
 */
async function name(library, node, palette) {
  const names = node.__wanted.layout.meta?.names;
  if (!names || !node.isConnected) return;
  await library.relayout(node, { annotations: placed(node._fullLayout, names, palette) });
}

/**
 * @param {PlotNode} node
 * @param {Assets} assets
 */
function start(node, assets, figure, click, calm) {
  node.__calm = calm;
  node.__assets = assets;
  node.__wanted = figure;
  node.__click = click;
  node.__observer = new ResizeObserver(() => {
    if (node.clientWidth !== node.__width) schedule(node);
  });
  node.__observer.observe(node);
  schedule(node);
}

/** @param {PlotNode} node */
function update(node, figure, click, calm) {
  node.__calm = calm;
  node.__click = click;
  const theme = currentTheme();
  if (node.__wanted === figure && node.__theme === theme) return;
  const same = node.__theme === theme && JSON.stringify(node.__wanted) === JSON.stringify(figure);
  node.__wanted = figure;
  if (!same) schedule(node);
}

/** When the page has nothing better to do: a click that came meanwhile is answered first. */
function leisure() {
  return new Promise((resolve) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(resolve, { timeout: 300 });
    else setTimeout(resolve, 0);
  });
}

const SHARE = 0.08; // of the time, at most, is spent on drawing what changes by itself

/**
 * Rests after a figure that changes while something runs was drawn, the longer the slower this machine draws.
 * @param {PlotNode} node
 */
function rest(node) {
  const ready = (node.__drawnAt ?? 0) + (node.__cost ?? 0) * (1 / SHARE - 1) - performance.now();
  return node.__calm && ready > 0 ? new Promise((resolve) => setTimeout(resolve, ready)) : Promise.resolve();
}

/** @type {{ node: PlotNode, draw: () => Promise<void>, resolve: (value?: unknown) => void, reject: (reason: unknown) => void }[]} */
const waiting = [];
let drawing = false;

/**
 * One figure after the other, each in a task of its own: together they would hold the page for over a second.
 * @param {PlotNode} node
 * @param {() => Promise<void>} draw
 */
function inTurn(node, draw) {
  return new Promise((resolve, reject) => {
    waiting.push({ node, draw, resolve, reject });
    if (!drawing) takeTurns();
  });
}

/** What is in sight comes first, and what was drawn before without waiting for leisure: somebody looks at it. */
async function takeTurns() {
  drawing = true;
  while (waiting.length > 0) {
    if (waiting.some(({ node }) => node.__drawnAt && inSight(node))) await new Promise((resolve) => setTimeout(resolve, 0));
    else await leisure();
    const [{ draw, resolve, reject }] = waiting.splice(Math.max(0, waiting.findIndex(({ node }) => inSight(node))), 1);
    await draw().then(resolve, reject);
  }
  drawing = false;
}

/** @param {PlotNode} node */
function inSight(node) {
  const { top, bottom } = node.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

/**
 * Draws at most once at a time and always the newest wish.
 * @param {PlotNode} node
 */
async function schedule(node) {
  if (node.__drawing) {
    node.__again = true;
    return;
  }
  node.__drawing = true;
  try {
    if (!node.__drawnAt) await leisure(); // the page's own start comes before its figures
    const library = await node.__assets.plotly();
    do {
      await rest(node);
      node.__again = false;
      await inTurn(node, () => drawn(library, node));
    } while (node.__again);
  } finally {
    node.__drawing = false;
  }
}

/**
 * @param {Plotly} library
 * @param {PlotNode} node
 */
async function drawn(library, node) {
  if (!node.isConnected || node.clientWidth === 0) return;
  const began = performance.now();
  const palette = colours(node);
  if (palette.ink === "") {
    // The style sheet is being exchanged.
    setTimeout(() => schedule(node), 100);
    return;
  }
  node.__width = node.clientWidth;
  node.__theme = currentTheme();
  const { data, layout } = dressed(node, node.__wanted, palette);
  await library.react(node, data, layout, CONFIG);
  await name(library, node, palette);
  node.__drawnAt = performance.now();
  node.__cost = node.__drawnAt - began;
  if (node.__listening) return;
  node.__listening = true;
  node.on?.("plotly_click", (event) => node.__click?.(event.points[0]));
  node.on?.("plotly_relayout", (changed) => {
    if (Object.keys(changed).some((key) => key.includes("axis"))) name(library, node, colours(node));
  });
}

/** @param {PlotNode} node */
function stop(node) {
  node.__observer?.disconnect();
  if (globalThis.Plotly && node.__listening) globalThis.Plotly.purge(node);
}
