// Whether somebody still answers this page: a kernel that has ended says nothing, and the page would stand
// still as if all were well, after a laptop has slept or a server was stopped.

const EVERY_MS = 5000;
const PATIENCE_MS = 20000;

/** Asks the kernel again and again, and tells `changed` whether it is lost; returns how to stop. */
export function watchConnection(model, changed) {
  let asked = null;
  let lost = false;
  const say = (now) => {
    if (now !== lost) changed(lost = now);
  };
  const answered = (message) => {
    if (message?.type !== "pong") return;
    asked = null;
    say(false);
  };
  const ask = () => {
    if (asked !== null && performance.now() - asked > PATIENCE_MS) say(true);
    if (asked !== null && !lost) return;
    asked ??= performance.now();
    try {
      model.send({ type: "ping" });
    } catch {
      say(true);
    }
  };
  model.on("msg:custom", answered);
  const timer = setInterval(ask, EVERY_MS);
  return () => {
    clearInterval(timer);
    model.off("msg:custom", answered);
  };
}
