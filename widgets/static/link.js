// @ts-check
// The link to what the page shows: taken from the address once, copied from here, reset.

import { h } from "./dom.js";
import { chooseTheme, inJupyterLab, themeChoice } from "./theme.js";

const KEPT = ["token", "hide", "fix", "projector", "learner"]; // what a teacher has fixed outlives a reload
const NAMES = ["open", "technique", "show", "selected", "compared", "from", "seed", "lang", "theme"];
const COPIED_MS = 3000;

/** What the address says for the browser to follow; it is then taken out, so that a reload shows what was done since. */
export function takeLink() {
  const query = new URLSearchParams(location.search);
  if (inJupyterLab() || !NAMES.some((name) => query.has(name))) return {};
  const rest = new URLSearchParams();
  for (const name of KEPT) {
    const value = query.get(name);
    if (value !== null) rest.set(name, value);
  }
  history.replaceState(history.state, "", location.pathname + (rest.size > 0 ? `?${rest}` : ""));
  return { lang: query.get("lang") };
}

/** @param {View} view */
function address({ state }) {
  const said = [state.link, state.language !== state.usual && `lang=${state.language}`, themeChoice() !== "auto" && `theme=${themeChoice()}`];
  const query = said.filter(Boolean).join("&");
  // A notebook has no address of its own: what follows the question mark is what another page takes.
  return (inJupyterLab() ? "" : location.origin + location.pathname) + (query ? `?${query}` : "");
}

/** @param {View} view */
export function linkPanel(view) {
  const { state, labels, local } = view;
  const link = address(view);
  const copy = async () => {
    const field = document.getElementById(`${local.id}-address`);
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      if (field instanceof HTMLInputElement) field.select(); // without https, or in a frame
      document.execCommand("copy");
    }
    local.copied = true;
    setTimeout(() => {
      local.copied = false;
      view.redraw();
    }, COPIED_MS);
    view.redraw();
  };
  const toggle = (name) => (event) => view.act("show", {
    panels: state.panels.filter((one) => (one.name === name ? event.target.checked : one.shown)).map((one) => one.name),
  });
  return h("div", { class: "wb-link" },
    state.panels.length > 0 && !state.oneAtATime && h("fieldset", { class: "wb-panel-choice" }, h("legend", {}, labels.panels),
      state.panels.map((one) => h("label", { key: one.name }, h("input", { type: "checkbox", checked: one.shown, onchange: toggle(one.name) }), one.title))),
    h("label", { class: "wb-inline" }, h("input", { type: "checkbox", checked: state.oneAtATime,
      onchange: (event) => view.act("project", { on: event.target.checked }) }), " ", labels.projector),
    h("div", { class: "wb-field" }, h("label", { for: `${local.id}-address` }, labels.copyLink),
      h("span", { class: "wb-control" },
        h("input", { id: `${local.id}-address`, type: "text", readonly: true, value: link, "aria-describedby": `${local.id}-address-about` }),
        h("button", { type: "button", class: "wb-primary", onclick: copy }, local.copied ? labels.copiedLink : labels.copyLink)),
      h("p", { class: "wb-hint", id: `${local.id}-address-about` }, labels.linkHint)),
    h("div", { class: "wb-actions" },
      h("button", { type: "button", "aria-describedby": `${local.id}-reset-about`, onclick: () => {
        view.act("reset");
        chooseTheme("auto");
      } }, labels.reset),
      h("span", { class: "wb-hint", id: `${local.id}-reset-about` }, labels.resetHint)));
}
