// Where there is no room beside the results, the techniques are a drawer: a sheet that is opened by a button.
// Whether there is room says the style sheet (--wb-place); what a drawer means for focus and keys is said here.

const LOW = matchMedia("(min-height: 560px)");
const GAP = 14;
const LEAST_HEIGHT = 260;
const LOW_HEIGHT = 600; // a form needs what the filters take

/** Watches the place of `host` on the page; `placed` hears when it becomes a drawer or ceases to be one. */
export function watchPlace(host, placed) {
  let grid = null;
  let drawer = null;
  let frame = null;
  const look = () => {
    frame = null;
    const column = host.closest(".wb-left");
    if (!column) return;
    if (!grid) {
      grid = column.parentElement;
      sizes.observe(grid);
    }
    const now = getComputedStyle(column).getPropertyValue("--wb-place").trim() === "drawer";
    if (now !== drawer) placed((drawer = now));
    // A column that sticks ends where the window ends, also while the page above it is still in view.
    const top = Math.max(column.getBoundingClientRect().top, GAP);
    const height = Math.max(LEAST_HEIGHT, innerHeight - top - GAP);
    column.style.setProperty("--wb-left-height", `${height}px`);
    column.classList.toggle("wb-low", now ? innerHeight < LOW_HEIGHT : height < LOW_HEIGHT);
  };
  const soon = () => {
    frame ??= requestAnimationFrame(look);
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

/** Opens the drawer: in front of everything, with nothing else in reach. */
export function openDrawer(sheet, first) {
  sheet.showPopover();
  for (const other of beside(sheet)) other.inert = true;
  first?.focus({ preventScroll: true });
}

/** Closes it; the focus goes back to what had opened it. */
export function closeDrawer(sheet, opener) {
  for (const other of beside(sheet)) other.inert = false;
  if (sheet.hasAttribute("popover") && sheet.matches(":popover-open")) sheet.hidePopover();
  opener?.focus({ preventScroll: true });
}

function beside(sheet) {
  const column = sheet.closest(".wb-left");
  return column ? [...column.parentElement.children].filter((one) => one !== column) : [];
}
