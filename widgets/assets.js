// @ts-check
// The few lines that each widget sends to the page; see widgets/assets.py for the contract.
// assets.py replaces the words between double underscores.
const PATH = "__PATH__";
const COMPONENT = "__COMPONENT__";
const ASSET = "neural-workbench.asset";

class Assets {
  #urls = new Map();
  #modules = new Map();
  #styles = new Map();
  #made = new Map();
  /** @type {Promise<URL | null> | null} */
  #folder = null;

  // Where the server has the files: https://host/base/lab/extensions/@neural-workbench/..., or null.
  folder() {
    this.#folder ??= (async () => {
      const config = document.getElementById("jupyter-config-data");
      if (!PATH || !config) return null;
      const root = JSON.parse(config.textContent).fullLabextensionsUrl;
      if (!root) return null;
      const folder = new URL(`${root}/${PATH}/`, document.baseURI);
      const answer = await fetch(new URL("workbench.js", folder), { method: "HEAD" });
      return answer.ok ? folder : null;
    })();
    return this.#folder;
  }

  url(name, model) {
    if (this.#made.has(name)) return Promise.resolve(this.#made.get(name));
    return this.#once(this.#urls, name, async () => {
      const folder = await this.folder();
      return folder ? new URL(name, folder).href : this.#ask(name, model);
    });
  }

  load(name, model) {
    return this.#once(this.#modules, name, async () => import(await this.url(name, model)));
  }

  style(name, model) {
    return this.#once(this.#styles, name, async () => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = await this.url(name, model);
      await new Promise((resolve, reject) => {
        link.onload = resolve;
        link.onerror = () => reject(new Error(`${name} did not load`));
        document.head.append(link);
      });
    });
  }

  async plotly(model) {
    await this.load("plotly.min.js", model);
    return globalThis.Plotly;
  }

  // A failure is forgotten, so that the next widget tries again.
  #once(memory, name, make) {
    if (!memory.has(name)) {
      const promise = make();
      memory.set(name, promise);
      promise.catch(() => memory.delete(name));
    }
    return memory.get(name);
  }

  // Without a server that has the files (VS Code, Colab, an unknown server) the kernel sends them.
  #ask(name, model) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(reject, new Error(`${name} did not arrive`)), 60000);
      const finish = (settle, value) => {
        clearTimeout(timer);
        model.off("msg:custom", onMessage);
        settle(value);
      };
      const onMessage = (content, buffers) => {
        if (content?.kind !== ASSET || content.name !== name) return;
        if (content.error) return finish(reject, new Error(content.error));
        // What a module imports comes before it; what came earlier is used again.
        content.files.forEach((file, index) => {
          if (this.#made.has(file.name)) return;
          let part = buffers[index];
          if (file.imports.length) {
            part = new TextDecoder().decode(part);
            for (const used of file.imports) {
              part = part.replaceAll(`"./${used}"`, JSON.stringify(this.#made.get(used)));
            }
          }
          this.#made.set(file.name, URL.createObjectURL(new Blob([part], { type: file.type })));
        });
        finish(resolve, this.#made.get(name));
      };
      model.on("msg:custom", onMessage);
      model.send({ kind: ASSET, name });
    });
  }
}

// One per page and version, whatever the number of widgets and kernels' restarts.
const NAME = Symbol.for("neural-workbench __VERSION__");
/** @type {any} */ (globalThis)[NAME] ??= new Assets();
/** @type {Assets} */
const assets = /** @type {any} */ (globalThis)[NAME];

async function render(context) {
  const { model, el, signal } = context;
  const mine = {
    url: (name) => assets.url(name, model),
    load: (name) => assets.load(name, model),
    style: (name) => assets.style(name, model),
    plotly: () => assets.plotly(model),
  };
  try {
    const library = await mine.load("workbench.js");
    if (signal?.aborted) return;
    return await library[COMPONENT].render({ ...context, assets: mine });
  } catch (error) {
    if (signal?.aborted) return;
    el.textContent = `${COMPONENT}: ${error instanceof Error ? error.message : error}`;
    globalThis.workbenchBroken?.("script"); // a served page that shows nothing yet opens again
    throw error;
  }
}

export default { render };
