// @ts-check
// A graph that is drawn: moved with pointer, fingers and keys, a few nodes per frame so that the page answers.

import { fitted, line, made, put } from "./strokes.js";

const SLICE_MS = 5; // of a frame of 16
const LEAST = 0.08, MOST = 3, READABLE = 0.9, FAR = 0.4, MARGIN = 14, NARROW = 480;
const STILL = 4; // pixels that a finger may move and still be a click

export class Canvas {
  #svg;
  #moving;
  #nodes = new Map(); // id -> { group, ... }
  #scene = /** @type {GraphScene | null} */ (null);
  #options = /** @type {any} */ ({});
  #at = { x: 0, y: 0, scale: 1 };
  #pointers = new Map();
  #dragged = 0;
  #frame = 0;
  #building = 0;
  #touched = false; // by a reader: then a picture of another size does not begin anew
  #sized;

  /** @param {SVGSVGElement} svg */
  constructor(svg) {
    this.#svg = svg;
    this.#moving = made("g", { class: "wb-graph-moving" }, svg);
    for (const [type, listener] of Object.entries({
      pointerdown: this.#down, pointermove: this.#move, pointerup: this.#up, pointercancel: this.#up, wheel: this.#wheel,
      keydown: this.#key, click: this.#click, focusin: this.#focused,
    })) svg.addEventListener(type, listener.bind(this), type === "wheel" ? { passive: false } : undefined);
    this.#sized = new ResizeObserver(() => this.#scene && (this.#touched ? this.#put() : this.#begin()));
    this.#sized.observe(svg);
  }

  /** Ends it. */
  close() {
    this.#sized.disconnect();
    cancelAnimationFrame(this.#building);
    cancelAnimationFrame(this.#frame);
  }

  /**
   * Shows a scene; where it is the one that is shown already, only what has changed in it.
   * @param {GraphScene} scene
   * @param {{ selected: string | null, choose: (id: string) => void, fold?: (id: string) => void, follow: boolean }} options
   */
  show(scene, options) {
    const other = this.#scene?.key !== scene.key;
    const moved = options.selected !== this.#options.selected;
    this.#scene = scene;
    this.#options = options;
    if (other) this.#build();
    else for (const node of scene.nodes) this.#dress(node);
    if (moved && options.selected && !other) this.reveal(options.selected);
  }

  /** Everything at once, however small; never larger than it is. */
  whole(least = 0) {
    const { clientWidth, clientHeight } = this.#svg;
    const { width, height } = this.#shown();
    const scale = Math.max(least, Math.min(1, (clientWidth - 2 * MARGIN) / width, (clientHeight - 2 * MARGIN) / height));
    this.#at = { scale, x: Math.max(MARGIN, (clientWidth - width * scale) / 2), y: MARGIN };
    this.#put();
  }

  /** @param {number} times */
  zoom(times, x = this.#svg.clientWidth / 2, y = this.#svg.clientHeight / 2) {
    this.#touched = true;
    const scale = Math.min(MOST, Math.max(LEAST, this.#at.scale * times));
    const grown = scale / this.#at.scale;
    this.#at = { scale, x: x - (x - this.#at.x) * grown, y: y - (y - this.#at.y) * grown };
    this.#put();
  }

  /**
   * Moves what is shown until a node is in sight.
   * @param {string} id
   */
  reveal(id) {
    const node = this.#scene?.nodes.find((one) => one.id === id);
    if (!node) return;
    const { scale } = this.#at;
    const into = (at, centre, length, room) => {
      const [low, high] = [at + (centre - length / 2) * scale, at + (centre + length / 2) * scale];
      return low >= 0 && high <= room ? at : room / 2 - centre * scale;
    };
    this.#at.x = into(this.#at.x, node.x, node.width, this.#svg.clientWidth);
    this.#at.y = into(this.#at.y, node.y, node.height, this.#svg.clientHeight);
    this.#put();
  }

  #shown() {
    const { width, height } = this.#scene ?? { width: 1, height: 1 };
    return { width: Math.max(1, width), height: Math.max(1, height) };
  }

  /** At most once a frame; something of the graph stays in sight. */
  #put() {
    const { width, height } = this.#shown();
    const { scale } = this.#at;
    const held = (at, length, room) => Math.min(Math.max(at, Math.min(60, room / 2) - length * scale), room - Math.min(60, room / 2));
    this.#at.x = held(this.#at.x, width, this.#svg.clientWidth);
    this.#at.y = held(this.#at.y, height, this.#svg.clientHeight);
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      put(this.#moving, "transform", `translate(${this.#at.x.toFixed(1)} ${this.#at.y.toFixed(1)}) scale(${this.#at.scale.toFixed(4)})`);
      this.#svg.classList.toggle("wb-far", this.#at.scale < FAR);
    });
  }

  /** What can be read of it, with what was chosen in sight, or its first node. */
  #begin() {
    this.whole(this.#svg.clientWidth < NARROW ? READABLE * 0.8 : READABLE);
    if (this.#stop) this.reveal(this.#stop);
  }

  #build() {
    cancelAnimationFrame(this.#building);
    const scene = /** @type {GraphScene} */ (this.#scene);
    // The focus stays on the node that had it, where that is still one.
    const focused = document.activeElement?.closest(".wb-graph-node");
    const had = focused && this.#svg.contains(focused) ? focused.getAttribute("data-id") : null;
    this.#moving.replaceChildren();
    this.#nodes.clear();
    const lines = made("g", { "aria-hidden": "true" }, this.#moving);
    const boxes = made("g", {}, this.#moving);
    for (const { x, y, text } of scene.heads) {
      made("text", { x, y, class: "wb-graph-head", "text-anchor": "middle", "aria-hidden": "true" }, boxes).textContent = text;
    }
    const chosen = this.#options.selected;
    this.#stop = scene.nodes.some((node) => node.id === chosen) ? chosen : scene.nodes[0]?.id ?? null;
    this.#touched = false;
    this.#begin();
    // What is in sight comes first.
    const middle = (this.#svg.clientHeight / 2 - this.#at.y) / this.#at.scale;
    const far = ({ y }) => Math.abs(y - middle);
    const waiting = [...scene.nodes].sort((one, other) => far(other) - far(one));
    const edges = [...scene.edges].reverse();
    // Read and walked through in the order of the graph, not in that of the drawing.
    for (const { id } of scene.nodes) this.#nodes.set(id, { group: made("g", {}, boxes) });
    const slice = () => {
      const end = performance.now() + SLICE_MS;
      while (waiting.length > 0 && performance.now() < end) this.#box(/** @type {GraphNode} */ (waiting.pop()));
      while (waiting.length === 0 && edges.length > 0 && performance.now() < end) line(edges.pop(), lines);
      if (waiting.length + edges.length > 0) {
        this.#building = requestAnimationFrame(slice);
        return;
      }
      if (had) this.#nodes.get(had)?.group.focus({ preventScroll: true });
      put(this.#svg, "aria-busy", null);
    };
    put(this.#svg, "aria-busy", "true");
    slice();
  }

  /** @type {string | null} the one node that the Tab key stops at */
  #stop = null;

  /** @param {GraphNode} node */
  #box(node) {
    const { width, height } = node;
    const { group } = this.#nodes.get(node.id);
    put(group, "role", "option");
    put(group, "data-id", node.id);
    put(group, "transform", `translate(${node.x - width / 2} ${node.y - height / 2})`);
    const title = made("title", {}, group);
    const box = made("rect", { width, height, rx: 5, class: "wb-graph-box" }, group);
    const texts = node.lines.map((_, at) => made("text", { x: 9, y: 16 + 14 * at, class: at === 0 ? "wb-graph-title" : null }, group));
    this.#nodes.set(node.id, { group, box, title, texts });
    this.#dress(node);
  }

  /** @param {GraphNode} node */
  #dress(node) {
    const drawn = this.#nodes.get(node.id);
    if (!drawn?.box) return; // its turn comes
    const { group, box, title, texts } = drawn;
    const chosen = node.id === this.#options.selected;
    put(group, "class", ["wb-graph-node", node.kind && `wb-graph-${node.kind}`, node.paint && `wb-on-${node.paint}`,
      (chosen || node.marked) && "wb-graph-chosen"].filter(Boolean).join(" "));
    put(group, "aria-selected", String(chosen));
    put(group, "aria-label", node.name);
    put(group, "tabindex", node.id === this.#stop ? "0" : "-1");
    put(box, "class", `wb-graph-box${node.paint ? ` wb-${node.paint}` : ""}`);
    if (title.textContent !== node.name) title.textContent = node.name;
    node.lines.forEach((words, at) => {
      const text = fitted(words, node.width - 16, at === 0 ? 12 : 11, at === 0 ? 600 : 400);
      if (texts[at] && texts[at].textContent !== text) texts[at].textContent = text;
      if (texts[at] && node.tones?.[at]) put(texts[at], "class", `wb-graph-tone-${node.tones[at]}`);
    });
  }

  /** Where a pointer is in the picture; a page that is shown larger in a room has larger pixels. */
  #place({ clientX, clientY }) {
    const box = this.#svg.getBoundingClientRect();
    const pixel = box.width / (this.#svg.clientWidth || 1) || 1;
    return { x: (clientX - box.left) / pixel, y: (clientY - box.top) / pixel };
  }

  #down(event) {
    if (event.button !== 0) return;
    this.#pointers.set(event.pointerId, this.#place(event));
    if (this.#pointers.size === 1) this.#dragged = 0;
  }

  #move(event) {
    const from = this.#pointers.get(event.pointerId);
    if (!from) return;
    const place = this.#place(event);
    const [dx, dy] = [place.x - from.x, place.y - from.y];
    this.#dragged += Math.abs(dx) + Math.abs(dy);
    // A click keeps its target only where nothing was captured.
    if (this.#dragged > STILL && !this.#svg.hasPointerCapture(event.pointerId)) this.#svg.setPointerCapture(event.pointerId);
    const others = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    Object.assign(from, place);
    if (others.length > 0) {
      const [other] = others;
      const before = Math.hypot(from.x - dx - other.x, from.y - dy - other.y);
      const after = Math.hypot(from.x - other.x, from.y - other.y);
      if (before > 0) this.zoom(after / before, (from.x + other.x) / 2, (from.y + other.y) / 2);
    } else if (this.#dragged > STILL) {
      this.#touched = true;
      this.#at.x += dx;
      this.#at.y += dy;
      this.#put();
    }
  }

  #up(event) {
    this.#pointers.delete(event.pointerId);
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone is the page's
    event.preventDefault();
    const { x, y } = this.#place(event);
    this.zoom(Math.exp(-event.deltaY / 300), x, y);
  }

  #click(event) {
    const id = event.target.closest(".wb-graph-node")?.getAttribute("data-id");
    if (!id || this.#dragged > STILL) return;
    this.#focus(id);
    this.#options.choose(id);
  }

  #focused(event) {
    const id = event.target.closest(".wb-graph-node")?.getAttribute("data-id");
    if (id && id !== this.#stop) this.#stopAt(id);
    // The browser may scroll what it cannot know to be moved by us.
    this.#svg.scrollTo?.(0, 0);
  }

  #stopAt(id) {
    if (this.#stop) put(this.#nodes.get(this.#stop)?.group ?? this.#svg, "tabindex", "-1");
    this.#stop = id;
    put(this.#nodes.get(id).group, "tabindex", "0");
  }

  #focus(id) {
    if (!this.#nodes.get(id)?.box) return;
    this.#stopAt(id);
    this.#nodes.get(id).group.focus({ preventScroll: true });
    this.reveal(id);
  }

  #key(event) {
    const nodes = this.#scene?.nodes ?? [];
    const here = nodes.find((node) => node.id === this.#stop);
    if (!here || event.altKey || event.ctrlKey || event.metaKey) return;
    const way = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] }[event.key];
    const act = {
      "+": () => this.zoom(1.25), "=": () => this.zoom(1.25), "-": () => this.zoom(0.8),
      Enter: () => this.#options.choose(here.id), " ": () => (this.#options.fold ?? this.#options.choose)(here.id),
    }[event.key];
    const to = way ? this.#beside(here, way) : { Home: nodes[0], End: nodes.at(-1) }[event.key];
    if (!act && !way && !to) return;
    event.preventDefault();
    event.stopPropagation();
    act?.();
    if (!to || to === here) return;
    this.#focus(to.id);
    if (this.#options.follow) this.#options.choose(to.id);
  }

  /** The nearest one that way; what an edge leads to is nearer. */
  #beside(here, [right, down]) {
    const scene = /** @type {GraphScene} */ (this.#scene);
    const tied = new Set(scene.edges.flatMap(({ from, to }) => from === here.id ? [to] : to === here.id ? [from] : []));
    let [best, least] = [here, Number.POSITIVE_INFINITY];
    for (const node of scene.nodes) {
      const [dx, dy] = [node.x - here.x, node.y - here.y];
      const along = dx * right + dy * down;
      if (node === here || along < 4) continue;
      const across = Math.abs(dx * down) + Math.abs(dy * right);
      const far = (along + 3 * across) * (tied.has(node.id) ? 0.2 : 1);
      if (far < least) [best, least] = [node, far];
    }
    return best;
  }
}
