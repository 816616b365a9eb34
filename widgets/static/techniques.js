// @ts-check
// All techniques, or one family: where new variants start, search, filters, and a list by use.

import { h, identifier } from "./dom.js";
import { closeDrawer, openDrawer, watchPlace } from "./drawer.js";
import { receiver } from "./download.js";
import { moved } from "./roving.js";
import { scrollTo, technique as entry } from "./technique.js";

const SEARCH_AFTER_MS = 120;

/** @param {View} view */
export function techniques(view) {
  const { state, labels, local } = view;
  local.id ??= identifier();
  local.values ??= {};
  local.help ??= new Set();
  local.shown ??= state.shown ?? 0;
  view.receive ??= receiver();
  local.setDrawer ??= (open) => setDrawer(view, open);
  closeWhenApplied(view);
  const sheet = h("section", {
    class: state.whole ? "wb-card wb-family wb-all" : "wb-card wb-family", id: `${local.id}-sheet`, key: "sheet",
    "aria-labelledby": `${local.id}-title`, popover: local.drawer ? "manual" : null,
    role: local.drawer ? "dialog" : null, "aria-modal": local.drawer ? "true" : null,
    onkeydown: (event) => {
      if (event.key === "Escape" && local.drawerOpen) local.setDrawer(false);
    },
    mount: (node) => { local.sheet = node; },
    update: () => {
      show(view);
      reveal(view);
    },
  },
  // In a column the first line is where new variants start; a heading would take the room of a technique.
  h("header", { class: state.whole && !local.drawer ? "wb-hidden" : "wb-card-head" },
    !state.whole && h("span", { class: `wb-mark wb-mark-${state.families[0]?.name}`, "aria-hidden": "true" }),
    h("h2", { id: `${local.id}-title` }, state.title),
    h("span", { class: "wb-spring" }),
    local.drawer && h("button", { type: "button", class: "wb-small", key: "close", "data-close": true,
      onclick: () => local.setDrawer(false) }, labels.close)),
  state.notice && h("p", { class: "wb-hint wb-pad" }, state.notice),
  state.parents.length > 0 && startLine(view),
  state.whole && state.ready && finder(view),
  list(view));
  if (!state.whole) return sheet;
  return h("div", {
    class: "wb-techniques-host",
    mount: (node) => {
      local.unwatch = watchPlace(node, (drawer) => {
        if (local.drawerOpen) local.setDrawer(false);
        local.drawer = drawer;
        view.redraw();
      });
      local.outside = (event) => local.drawerOpen && !local.sheet.contains(event.target) && local.setDrawer(false);
      addEventListener("pointerdown", local.outside);
    },
    unmount: () => {
      local.unwatch?.();
      removeEventListener("pointerdown", local.outside);
    },
  },
  local.drawer && h("button", { type: "button", class: "wb-drawer-button wb-primary", key: "open", "aria-haspopup": "dialog",
    "aria-expanded": String(Boolean(local.drawerOpen)), "aria-controls": `${local.id}-sheet`,
    inert: Boolean(local.drawerOpen),
    mount: (node) => { local.opener = node; },
    onclick: () => local.setDrawer(true) }, state.opener),
  sheet);
}

/** @param {View} view */
function setDrawer(view, open) {
  const { local } = view;
  if (!local.sheet || open === Boolean(local.drawerOpen)) return;
  local.drawerOpen = open;
  view.redraw();
  if (open) openDrawer(local.sheet, local.sheet.querySelector("[data-close]"));
  else closeDrawer(local.sheet, local.opener);
}

/**
 * A drawer has done its work when the job is there: the results are what one wants to see then.
 * @param {View} view
 */
function closeWhenApplied({ state, local }) {
  if (!local.applied) return;
  const { technique, jobs } = local.applied;
  const now = state.techniques.find((one) => one.name === technique);
  const started = now?.jobs.some((job) => !jobs.includes(job.id));
  if (!started) return;
  local.applied = null;
  if (local.drawerOpen) setTimeout(() => local.setDrawer(false), 0);
}

/** @param {View} view */
function startLine(view) {
  const { state, labels, local } = view;
  return h("div", { class: "wb-start", key: "start",
    update: (node) => {
      if (local.start !== undefined && local.start !== state.parent) flash(node);
      local.start = state.parent;
    },
    mount: () => { local.start = state.parent; } },
  h("label", { class: "wb-hint", for: `${local.id}-from` }, labels.from),
  h("select", { id: `${local.id}-from`, value: state.parent ?? "", onchange: (event) => view.act("parent", { variant: event.target.value }) },
    state.parents.map((parent) => h("option", { key: parent.id, value: parent.id }, parent.name))),
  state.baseline && state.parent !== state.baseline && h("button", { type: "button", class: "wb-small wb-quiet", key: "back",
    onclick: () => {
      view.act("parent", { variant: state.baseline });
      // The button goes with what it does.
      document.getElementById(`${local.id}-from`)?.focus();
    } }, labels.back),
  h("span", { class: "wb-hidden", role: "status" }, state.answer ?? ""));
}

function flash(node) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  node.animate([{ background: "var(--wb-accent-soft)" }, { background: "transparent" }], { duration: 1600 });
}

/** @param {View} view */
function finder(view) {
  const { state, labels, local } = view;
  const typed = (event) => {
    local.search = event.target.value;
    clearTimeout(local.searchTimer);
    local.searchTimer = setTimeout(() => {
      local.searchTimer = null;
      view.act("search", { text: local.search });
    }, SEARCH_AFTER_MS);
  };
  // What is typed is ahead of what the kernel knows.
  if (state.search !== local.searched && !local.searchTimer && document.activeElement?.id !== `${local.id}-search`) local.search = state.search;
  local.searched = state.search;
  local.filterAt ??= state.filters[0]?.name;
  return h("div", { class: "wb-finder", key: "finder" },
    h("input", { type: "search", class: "wb-search", id: `${local.id}-search`, "aria-label": labels.search, placeholder: labels.search,
      value: local.search ?? "", oninput: typed, autocomplete: "off", spellcheck: "false" }),
    h("div", { class: "wb-filters", role: "toolbar", "aria-label": labels.filters, onkeydown: (event) => {
      const to = moved(event, "[data-filter]");
      if (!to) return;
      local.filterAt = to.dataset.filter;
      view.redraw();
      to.focus();
    } }, state.filters.map((one) => h("button", { type: "button", class: "wb-filter", key: one.name, "data-filter": one.name, "data-stop": true,
      "aria-pressed": String(one.on), tabindex: one.name === local.filterAt ? "0" : "-1",
      onclick: () => {
        local.filterAt = one.name;
        view.act("filter", { filter: one.name, on: !one.on });
      } }, one.sign && h("span", { "aria-hidden": "true" }, one.sign, " "), one.title))),
    h("p", { class: state.found ? "wb-hint" : "wb-hidden", role: "status" }, state.found ?? ""));
}

/** @param {View} view */
function list(view) {
  const { state, labels, local } = view;
  const names = state.techniques.map((one) => one.name);
  if (!names.includes(local.at)) local.at = names.includes(state.open) ? state.open : names[0];
  const move = (event) => {
    const to = moved(event, "[data-technique]");
    if (!to) return;
    local.at = to.dataset.technique;
    view.redraw();
    to.querySelector(".wb-disclose").focus();
    scrollTo(to);
  };
  const entries = (family) => h("ul", { class: "wb-techniques", "aria-labelledby": `${local.id}-${family.name}`, "aria-describedby": `${local.id}-keys`, key: `list ${family.name}` },
    state.techniques.filter((one) => one.family === family.name).map((one) => entry(view, one)));
  return h("div", { class: "wb-technique-scroll", key: "list", onkeydown: move },
    h("p", { class: "wb-hidden", id: `${local.id}-keys`, key: "keys" }, labels.keys),
    state.families.map((family) => [
      h("div", { class: "wb-family-head", key: family.name },
        h("h3", { id: `${local.id}-${family.name}`, class: state.whole ? null : "wb-hidden" },
          h("span", { class: `wb-mark wb-mark-${family.name}`, "aria-hidden": "true" }), family.title),
        h("p", { class: "wb-hint" }, family.about)),
      entries(family),
    ]));
}

/**
 * A form that was opened is seen whole, or from its beginning.
 * @param {View} view
 */
function reveal({ state, local }) {
  const wish = JSON.stringify([state.search, state.filters.filter((one) => one.on)]);
  local.wish ??= wish;
  if (wish !== local.wish) {
    local.wish = wish;
    local.sheet.querySelector(".wb-technique-scroll").scrollTop = 0; // what was found is seen from its beginning
  }
  if (local.opened === state.open) return;
  local.opened = state.open;
  const row = local.sheet?.querySelector(`[data-technique="${CSS.escape(state.open ?? "")}"]`);
  if (row) requestAnimationFrame(() => scrollTo(row));
}

/**
 * Goes to the technique that was asked for elsewhere on the page: opens the drawer, scrolls the column alone.
 * @param {View} view
 */
function show(view) {
  const { state, local } = view;
  if (state.shown === null || state.shown === local.shown) return;
  const row = local.sheet?.querySelector(`[data-technique="${CSS.escape(state.open ?? "")}"]`);
  if (!row) return;
  local.shown = state.shown;
  local.at = state.open;
  if (local.drawer) local.setDrawer(true);
  // After this drawing: what is above may still grow.
  requestAnimationFrame(() => {
    row.querySelector(".wb-disclose").focus({ preventScroll: true });
    scrollTo(row, true);
  });
}
