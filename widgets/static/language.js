// @ts-check
// The language that the reader chose here before, for pages that start in the same one: a server that is
// told to start in another is obeyed.

const key = (state) => `workbench-language ${state.usual}`;

/** What to speak: what was chosen, else what is spoken. */
export function chosenLanguage(state) {
  try {
    const chosen = localStorage.getItem(key(state));
    return state.languages.some((one) => one.value === chosen) ? chosen : state.language;
  } catch {
    return state.language; // storage is closed in some embedded pages
  }
}

/** Keeps the choice for the next visit. */
export function rememberLanguage(state, language) {
  try {
    localStorage.setItem(key(state), language);
  } catch {
    // spoken on this page only
  }
}
