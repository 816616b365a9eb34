// @ts-check
// Two cards in JupyterLab's launcher: the dashboard and the course. It is the form that JupyterLab's own
// builder gives an extension (a container of module federation), written by hand: no build step.
(() => {
  const NAME = "@neural-workbench/launcher";
  // Beside "Python 3", where one looks first; the cards of that group have pictures.
  const CATEGORY = "Notebook";
  // Bars that become smaller.
  const ICON =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="#3b7dc4">' +
    '<rect x="3" y="4" width="4" height="16" rx="1"/><rect x="10" y="10" width="4" height="10" rx="1"/>' +
    '<rect x="17" y="15" width="4" height="5" rx="1"/></g></svg>';
  // A server of ours says what each card opens, in its language; elsewhere (Binder) these are tried.
  const USUAL = [
    { id: "dashboard", label: "Neural Workbench", paths: ["dashboard.ipynb"], run: true },
    { id: "course", label: "Course", paths: ["course/en/0-measure-first.ipynb", "article.ipynb"], run: false },
  ];

  /** @type {any} */
  let shared = {};

  // A module that JupyterLab has loaded itself: tokens are only equal if they are the same object.
  async function borrowed(name) {
    const versions = Object.values(shared[name] ?? {});
    if (versions.length === 0) return null;
    return (await versions[0].get())();
  }

  function entries() {
    const config = document.getElementById("jupyter-config-data");
    const told = config ? JSON.parse(config.textContent || "{}").neuralWorkbenchLauncher : null;
    return told ? JSON.parse(told) : USUAL;
  }

  // The notebooks are the server's root, or a folder of it where the repository is (Binder).
  async function found(app, paths) {
    for (const path of paths.flatMap((path) => [path, `notebooks/${path}`])) {
      const folder = path.split("/").slice(0, -1).join("/");
      const listed = await app.serviceManager.contents.get(folder).catch(() => ({ content: [] }));
      if (listed.content.some((one) => one.path === path)) return path;
    }
    throw new Error(`There is no ${paths.join(", ")}.`);
  }

  async function open(app, entry) {
    const path = await found(app, entry.paths);
    const widget = await app.commands.execute("docmanager:open", { path });
    if (entry.run) run(app, widget); // is not waited for: the launcher gives its place to the notebook now
    return widget;
  }

  async function run(app, widget) {
    await widget.context.ready;
    await widget.context.sessionContext.ready;
    await app.commands.execute("notebook:run-all-cells");
  }

  async function plugin() {
    const launcher = await borrowed("@jupyterlab/launcher");
    return {
      id: `${NAME}:plugin`,
      description: "Dashboard and course in the launcher.",
      autoStart: true,
      optional: launcher ? [launcher.ILauncher] : [],
      activate: (app, cards) => {
        const kernelIconUrl = `data:image/svg+xml,${encodeURIComponent(ICON)}`;
        for (const [rank, entry] of entries().entries()) {
          const command = `neural-workbench:${entry.id}`;
          app.commands.addCommand(command, {
            label: entry.label,
            caption: entry.caption ?? entry.label,
            execute: () => open(app, entry),
          });
          cards?.add({ command, category: CATEGORY, kernelIconUrl, rank: 100 + rank });
        }
      },
    };
  }

  /** @type {any} */ (globalThis)._JUPYTERLAB ??= {};
  /** @type {any} */ (globalThis)._JUPYTERLAB[NAME] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
