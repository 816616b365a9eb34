// @ts-check
// Light or dark: the reader's choice, else JupyterLab's theme, else the system's preference.

const STORED = "workbench-theme";
/** @type {Set<() => void>} */
const listeners = new Set();
let choice = read();

function read() {
  try {
    return localStorage.getItem(STORED) ?? "auto";
  } catch {
    return "auto"; // storage is closed in some embedded pages
  }
}

const preference = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is a JupyterLab (or a Notebook 7), whose own theme then decides; Voila's are ours. */
export function inJupyterLab() {
  return document.body.dataset.jpThemeName !== undefined && document.getElementById("rendered_cells") === null;
}

/** "auto", "light" or "dark": what the reader chose. */
export function themeChoice() {
  return choice;
}

/** "light" or "dark": what is shown. */
export function currentTheme() {
  if (choice !== "auto") return choice;
  if (inJupyterLab()) return document.body.dataset.jpThemeLight === "false" ? "dark" : "light";
  return preference.matches ? "dark" : "light";
}

/**
 * Sets the reader's choice for every widget of the page.
 * @param {string} name "auto", "light" or "dark"
 */
export function chooseTheme(name) {
  choice = name;
  try {
    localStorage.setItem(STORED, name);
  } catch {
    // kept for this page only
  }
  announce();
  for (const listener of listeners) listener(); // the switches of other widgets, too
}

/**
 * Calls `listener` at each change.
 * @param {() => void} listener
 * @returns how to stop
 */
export function onTheme(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Writes the theme where the style sheet looks for it. */
export function announce() {
  const lab = inJupyterLab();
  /** @type {Record<string, string>} */
  const shown = {
    workbenchTheme: currentTheme(),
    workbenchFollows: choice === "auto" && lab ? "jupyterlab" : "self",
    workbenchPage: lab ? "jupyterlab" : "plain",
  };
  const { dataset } = document.documentElement;
  // Others watch these and answer at the body, which is watched here: without a change, say nothing.
  const changed = Object.keys(shown).filter((name) => dataset[name] !== shown[name]);
  for (const name of changed) dataset[name] = shown[name];
  if (changed.length > 0) for (const listener of listeners) listener();
}

preference.addEventListener("change", announce);
new MutationObserver(announce).observe(document.body, {
  attributes: true,
  attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"],
});
