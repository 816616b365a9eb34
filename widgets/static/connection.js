// @ts-check
// Whether somebody still answers this page: a kernel that has ended says nothing, and the page would stand
// still as if all were well, after a laptop has slept or a server was stopped. One panel for each kernel asks,
// the newest, and all are told: those that a kernel before it made are lost though this one answers.

const EVERY_MS = 5000;
const PATIENCE_MS = 20000;
const PATIENCE_AFTER_RESTART_MS = 2000;

const kernels = new Map(); // the manager of a kernel's widgets -> its watch

class Watch {
  /** @param {() => void} forget called when nobody is left to be told */
  constructor(forget) {
    /** @type {Map<(lost: boolean) => void, Model>} what is told -> its model, in the order in which they were made */
    this.panels = new Map();
    /** @type {number | null} */
    this.asked = null;
    this.silent = false;
    this.process = null; // which one answered last
    this.forget = forget;
    this.timer = setInterval(() => this.ask(), EVERY_MS);
  }

  tell() {
    for (const [changed, model] of this.panels) {
      changed(this.silent || (this.process !== null && model.get("state").process !== this.process));
    }
  }

  ask() {
    if (this.asked !== null && performance.now() - this.asked > PATIENCE_MS) this.fall();
    if (this.asked !== null && !this.silent) return;
    this.asked ??= performance.now();
    try {
      [...this.panels.values()].at(-1)?.send({ type: "ping" });
    } catch {
      this.fall();
    }
  }

  /** The kernel has restarted, says its notebook: who is still there answers soon, or never. */
  hurry() {
    this.asked = null;
    this.ask();
    setTimeout(() => this.asked !== null && this.fall(), PATIENCE_AFTER_RESTART_MS);
  }

  fall() {
    this.silent = true;
    this.tell();
  }

  /** @param {any} message */
  hear(message) {
    if (message?.type !== "pong") return;
    this.asked = null;
    this.silent = false;
    this.process = message.process;
    this.tell();
  }

  /**
   * @param {Model} model
   * @param {(lost: boolean) => void} changed
   */
  add(model, changed) {
    const hear = (message) => this.hear(message);
    const hurry = () => this.hurry();
    model.on("msg:custom", hear);
    model.on("comm_live_update", hurry);
    this.panels.set(changed, model);
    this.asked = null; // the newest one asks from now on
    this.tell();
    return () => {
      model.off("msg:custom", hear);
      model.off("comm_live_update", hurry);
      this.panels.delete(changed);
      this.asked = null; // the answer may have been due to that one
      if (this.panels.size > 0) return;
      clearInterval(this.timer);
      this.forget();
    };
  }
}

/**
 * Tells whether the kernel of a model is lost.
 * @param {Model} model
 * @param {(lost: boolean) => void} changed
 * @returns {() => void} how to stop
 */
export function watchConnection(model, changed) {
  const manager = model.widget_manager ?? globalThis;
  if (!kernels.has(manager)) kernels.set(manager, new Watch(() => kernels.delete(manager)));
  return kernels.get(manager).add(model, changed);
}
