// @ts-check
// Where the server does not keep jobs (a visitor's, or as it was told), the kernel, and with it the running job, ends
// when the page does: its template asks before leaving while something is in this set. JupyterLab's kernels stay.

/** Says whether a reader who leaves now loses work; `name` is whose work it is. */
export function warnOfLoss(name, working) {
  if (working) globalThis.workbenchBusy?.add(name);
  else globalThis.workbenchBusy?.delete(name);
}
