// One stop of the Tab key for a whole list: the arrow keys, Home and End move inside it.

/**
 * @param event a keydown inside the list
 * @param row selects what is moved between
 * @returns where the focus goes, or null where the key is not one of these
 */
export function moved(event, row) {
  const rows = [...event.currentTarget.querySelectorAll(row)];
  const from = event.target.closest(row);
  // In a form inside the list the keys are the form's.
  if (!from || event.target.closest("[data-stop]") === null) return null;
  const at = rows.indexOf(from);
  const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined) return null;
  event.preventDefault();
  return rows[Math.min(Math.max(to, 0), rows.length - 1)];
}
