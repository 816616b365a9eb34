// @ts-check
// Files that are dropped on the page: each goes where a file of its kind belongs.

/** Takes drops on the page around `element`; `taken` gets [{kind, file}], `refused` why nothing was taken. */
export function takeDrops(element, accepts, taken, refused) {
  const page = element.closest(".wb-page") ?? element;
  const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  let over = 0; // entering a child comes before leaving its parent
  const mark = (change) => {
    over = Math.max(0, over + change);
    page.classList.toggle("wb-dropping", over > 0);
  };
  const listeners = {
    dragenter: (event) => holdsFiles(event) && mark(1),
    dragleave: (event) => holdsFiles(event) && mark(-1),
    dragover: (event) => holdsFiles(event) && event.preventDefault(),
    drop: (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      mark(-over);
      const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
      if (items.some((item) => item.webkitGetAsEntry?.()?.isDirectory)) {
        refused("dropFolder");
        return;
      }
      const files = items.map((item) => item.getAsFile()).filter(Boolean).map((file) => ({ file, kind: kindOf(file.name, accepts()) }));
      if (files.every(({ kind }) => kind)) taken(files);
      else refused("dropOther");
    },
  };
  for (const [name, listener] of Object.entries(listeners)) page.addEventListener(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) page.removeEventListener(name, listener);
  };
}

/** "model", "data" or "recipe", by the end of a file's name; undefined for others. */
function kindOf(name, accepts) {
  const end = name.toLowerCase();
  return Object.keys(accepts).find((kind) => accepts[kind].split(",").some((suffix) => end.endsWith(suffix)));
}
