"""The code cell of the test notebook: a widget that says what reached the kernel and the page."""

import os

import anywidget
import traitlets

from widgets.assets import deliver, esm


class Probe(anywidget.AnyWidget):
    _esm = (
        esm("probe").replace("library[COMPONENT]", "probe")
        + """
const probe = {
  render({ model, el, assets }) {
    const button = (name, act) => {
      const made = document.createElement("button");
      made.textContent = name;
      made.onclick = act;
      el.append(made);
      return made;
    };
    const status = document.createElement("output");
    status.setAttribute("aria-label", "answer");
    button("Count", () => { model.set("count", model.get("count") + 1); model.save_changes(); });
    button("Upload", () => model.send({ kind: "upload" }, undefined, [new ArrayBuffer(12 * 2 ** 20)]));
    button("Plot", async () => {
      const plotly = await assets.plotly();
      const figure = document.createElement("div");
      figure.className = "figure";
      el.append(figure);
      await plotly.newPlot(figure, [{ y: [1, 3, 2] }], { width: 300, height: 200 });
      status.textContent = `plotted with ${plotly.version}`;
    });
    model.on("msg:custom", (content) => { if (content.answer) status.textContent = content.answer; });
    model.on("change:count", () => { status.textContent = `count ${model.get("count")}`; });
    status.textContent = model.get("hello");
    el.append(status);
  },
};
"""
    )
    count = traitlets.Int(0).tag(sync=True)
    hello = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        variables = sorted(name for name in os.environ if name.startswith("WORKBENCH_"))
        super().__init__(hello=f"ready {' '.join(variables)}")
        self.on_msg(deliver)
        self.on_msg(self._on_message)

    def _on_message(self, _, content, buffers):
        if content.get("kind") == "upload":
            self.send({"answer": f"received {len(buffers[0])} bytes"})


Probe()
