// @ts-check
// A virtual DOM of one page: `h` describes, `render` changes only what differs, so focus, caret and
// scroll position survive an update. Text is only ever set as text: there is no way to pass HTML.

const SVG = new Set(["svg", "path", "circle", "rect", "line", "g", "polyline"]);
const PROPERTIES = new Set(["value", "checked", "disabled", "open", "selected", "indeterminate", "hidden"]);
const HOOKS = new Set(["key", "mount", "update", "unmount"]);

/**
 * Describes an element.
 * @param {string} tag
 * @param {Record<string, any> | null} props attributes and properties, onEVENT, hooks; `foreign`: its content is another's
 * @param {...Child} children null and false are left out
 * @returns {VNode}
 */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, key: props?.key, children: flatten(children, []) };
}

/**
 * @param {Child[]} items
 * @param {VNode[]} out
 */
function flatten(items, out) {
  for (const item of items) {
    if (item === null || item === undefined || item === false || item === true) continue;
    if (Array.isArray(item)) flatten(item, out);
    else if (typeof item === "object") out.push(item);
    else out.push({ tag: "#text", text: String(item), props: {} });
  }
  return out;
}

/**
 * Makes the content of an element what a tree describes.
 * @param {Host} host
 * @param {Child} tree
 */
export function render(host, tree) {
  reconcile(host, flatten([tree], []));
}

/**
 * Removes what `render` made, telling the hooks.
 * @param {Host} host
 */
export function clear(host) {
  reconcile(host, []);
}

/**
 * @param {Host} host
 * @param {VNode[]} next
 */
function reconcile(host, next) {
  const before = host.__workbench ?? [];
  /** @type {Map<string, Entry>} */
  const keyed = new Map();
  /** @type {Entry[]} */
  const free = [];
  for (const entry of before) {
    if (entry.vnode.key !== undefined) keyed.set(`${entry.vnode.tag} ${entry.vnode.key}`, entry);
    else free.push(entry);
  }
  /** @type {Entry[]} */
  const after = [];
  let cursor = 0;
  for (const vnode of next) {
    /** @type {Entry | undefined} */
    let entry;
    if (vnode.key !== undefined) {
      const name = `${vnode.tag} ${vnode.key}`;
      entry = keyed.get(name);
      keyed.delete(name);
    } else if (cursor < free.length && free[cursor].vnode.tag === vnode.tag) {
      entry = free[cursor++];
    }
    if (entry) change(entry, vnode);
    else entry = create(vnode);
    after.push(entry);
  }
  for (const entry of [...keyed.values(), ...free.slice(cursor)]) remove(entry);
  /** @type {ChildNode | null} */
  let place = null;
  for (let index = after.length - 1; index >= 0; index--) {
    const { node } = after[index];
    if (node.parentNode !== host || node.nextSibling !== place) host.insertBefore(node, place);
    place = node;
  }
  host.__workbench = after;
  for (const entry of after) {
    if (entry.fresh) {
      entry.fresh = false;
      entry.vnode.props.mount?.(entry.node);
    } else {
      entry.vnode.props.update?.(entry.node);
    }
  }
}

/**
 * @param {VNode} vnode
 * @returns {Entry}
 */
function create(vnode) {
  if (vnode.tag === "#text") return { vnode, node: document.createTextNode(vnode.text ?? "") };
  const node = SVG.has(vnode.tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", vnode.tag)
    : document.createElement(vnode.tag);
  const entry = { vnode: { tag: vnode.tag, props: {} }, node, fresh: true };
  change(entry, vnode);
  return entry;
}

/**
 * @param {Entry} entry
 * @param {VNode} vnode
 */
function change(entry, vnode) {
  const { node } = entry;
  const before = entry.vnode;
  entry.vnode = vnode;
  if (vnode.tag === "#text") {
    if (node.data !== vnode.text) node.data = vnode.text;
    return;
  }
  for (const name of Object.keys(before.props)) if (!(name in vnode.props)) set(node, name, null);
  for (const [name, value] of Object.entries(vnode.props)) {
    if (name === "value" || name === "checked") continue;
    if (value !== before.props[name]) set(node, name, value);
  }
  if (!vnode.props.foreign) reconcile(node, vnode.children ?? []);
  // After the children: a select takes its value only once its options are there.
  if ("value" in vnode.props) set(node, "value", vnode.props.value);
  if ("checked" in vnode.props) set(node, "checked", vnode.props.checked);
}

/**
 * @param {any} node
 * @param {string} name
 * @param {any} value
 */
function set(node, name, value) {
  if (HOOKS.has(name) || name === "foreign") return;
  if (name.startsWith("on")) {
    const type = name.slice(2);
    node.__listeners ??= {};
    if (!(type in node.__listeners)) node.addEventListener(type, (event) => node.__listeners[type]?.(event));
    node.__listeners[type] = value;
  } else if (name === "style") {
    node.removeAttribute("style");
    for (const [property, setting] of Object.entries(value ?? {})) node.style.setProperty(property, setting);
  } else if (PROPERTIES.has(name)) {
    const wanted = name === "value" ? String(value ?? "") : Boolean(value);
    if (node[name] !== wanted) node[name] = wanted;
  } else if (value === null || value === undefined || value === false) {
    node.removeAttribute(name);
  } else {
    node.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {Entry} entry */
function remove(entry) {
  for (const child of entry.node.__workbench ?? []) release(child);
  entry.vnode.props.unmount?.(entry.node);
  entry.node.remove();
}

/** @param {Entry} entry */
function release(entry) {
  for (const child of entry.node.__workbench ?? []) release(child);
  entry.vnode.props.unmount?.(entry.node);
}

let identifiers = 0;

/** An id that no other element of the page has, to tie labels and descriptions to controls. */
export function identifier() {
  return `workbench-${++identifiers}`;
}
