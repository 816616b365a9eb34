// @ts-check
// Where there is no room beside the results, the techniques are a drawer: a sheet that is opened by a button.
// Whether there is room says the style sheet (--wb-place); what a drawer means for focus and keys is said here.

const LOW = matchMedia("(min-height: 560px)");
const GAP = 14;
const LEAST_HEIGHT = 260;
const LOW_HEIGHT = 600; // a form needs what the filters take

/**
 * Watches the place of an element on the page.
 * @param {HTMLElement} host
 * @param {(drawer: boolean) => void} placed hears when it becomes a drawer or ceases to be one
 * @returns how to stop
 */
export function watchPlace(host, placed) {
  /** @type {Element | null} */
  let grid = null;
  /** @type {boolean | null} */
  let drawer = null;
  let frame = 0;
  const look = () => {
    frame = 0;
    const column = /** @type {HTMLElement | null} */ (host.closest(".wb-left"));
    const around = column?.parentElement;
    if (!column || !around) return;
    if (!grid) {
      grid = around;
      sizes.observe(grid);
    }
    const now = getComputedStyle(column).getPropertyValue("--wb-place").trim() === "drawer";
    if (now !== drawer) {
      drawer = now;
      placed(now);
    }
    // A column that sticks ends where the window ends, also while the page above it is still in view.
    const top = Math.max(column.getBoundingClientRect().top, GAP);
    const height = Math.max(LEAST_HEIGHT, innerHeight - top - GAP);
    column.style.setProperty("--wb-left-height", `${height}px`);
    column.classList.toggle("wb-low", now ? innerHeight < LOW_HEIGHT : height < LOW_HEIGHT);
  };
  const soon = () => {
    if (frame === 0) frame = requestAnimationFrame(look);
  };
  const sizes = new ResizeObserver(soon);
  sizes.observe(host);
  LOW.addEventListener("change", soon);
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  return () => {
    sizes.disconnect();
    LOW.removeEventListener("change", soon);
    removeEventListener("scroll", soon);
    removeEventListener("resize", soon);
  };
}

/**
 * Opens the drawer: in front of everything, with nothing else in reach.
 * @param {HTMLElement} sheet
 * @param {HTMLElement | null} [first] gets the focus
 */
export function openDrawer(sheet, first) {
  sheet.showPopover();
  for (const other of beside(sheet)) other.inert = true;
  first?.focus({ preventScroll: true });
}

/**
 * Closes it; the focus goes back to what had opened it.
 * @param {HTMLElement} sheet
 * @param {HTMLElement | null} [opener]
 */
export function closeDrawer(sheet, opener) {
  for (const other of beside(sheet)) other.inert = false;
  if (sheet.hasAttribute("popover") && sheet.matches(":popover-open")) sheet.hidePopover();
  opener?.focus({ preventScroll: true });
}

/** @param {HTMLElement} sheet */
function beside(sheet) {
  const column = sheet.closest(".wb-left");
  const around = /** @type {HTMLElement[]} */ ([...(column?.parentElement?.children ?? [])]);
  return around.filter((one) => one !== column);
}
