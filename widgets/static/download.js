// @ts-check
// Files from the kernel: they arrive in parts, are put together, and saved by the browser.

/** Takes messages {type: "file", name, part, parts} with one buffer each; null for other messages. */
export function receiver() {
  const arriving = new Map();
  return (message, buffers) => {
    if (message?.type !== "file") return;
    const parts = arriving.get(message.transfer) ?? [];
    arriving.set(message.transfer, parts);
    parts[message.part] = buffers[0];
    if (parts.filter(Boolean).length < message.parts) return;
    arriving.delete(message.transfer);
    const address = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = message.name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  };
}
