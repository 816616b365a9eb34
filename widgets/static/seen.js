// @ts-check
// Whether somebody looks at this page: a tab behind others is told nothing and draws nothing, for all that
// is drawn takes processor time, perhaps from a model that is being timed on this machine.

/** Tells the kernel of a model, and draws what came meanwhile when somebody looks again; returns how to stop. */
export function watchSight(model, drawNow) {
  const changed = () => {
    model.send({ type: document.hidden ? "unseen" : "seen" });
    if (!document.hidden) drawNow();
  };
  // A page that is left is asked in general who looks: another page of the same kernel may.
  const asked = (message) => {
    if (message?.type === "who looks" && !document.hidden) model.send({ type: "seen" });
  };
  document.addEventListener("visibilitychange", changed);
  model.on("msg:custom", asked);
  if (document.hidden) model.send({ type: "unseen" });
  return () => {
    document.removeEventListener("visibilitychange", changed);
    model.off("msg:custom", asked);
  };
}
