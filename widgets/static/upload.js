// @ts-check
// A file to the kernel in parts, each sent when the one before has arrived: a server limits messages.

const PART_BYTES = 1024 * 1024;
let transfers = 0;

/**
 * Sends a file.
 * @param {View} view
 * @param {string} kind "model", "data" or "recipe"
 * @param {File} file
 * @param {(path: string | null) => void} finished called with its place on the kernel's side, or null
 * @param {(share: number) => void} progress called with the share that is sent
 */
export function upload(view, kind, file, finished, progress) {
  const transfer = `${Date.now()}-${++transfers}`;
  const parts = Math.max(1, Math.ceil(file.size / PART_BYTES));
  const end = (path) => {
    view.model.off("msg:custom", answered);
    finished(path);
  };
  const next = async (part) => {
    try {
      const bytes = await file.slice(part * PART_BYTES, (part + 1) * PART_BYTES).arrayBuffer();
      view.act("upload", { transfer, kind, file: file.name, size: file.size, part, parts }, [bytes]);
    } catch {
      end(null); // the file has changed or gone, or was a folder
    }
  };
  const answered = (message) => {
    if (message?.type !== "upload" || message.transfer !== transfer) return;
    if (message.part !== undefined && message.part + 1 < parts && !message.error) {
      progress((message.part + 1) / parts);
      next(message.part + 1);
      return;
    }
    end(message.error ? null : message.path);
  };
  view.model.on("msg:custom", answered);
  progress(0);
  next(0);
}
