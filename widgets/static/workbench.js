// The one entry: shows a component of the page from the JSON state that the kernel sends.

import { clear, render as draw } from "./dom.js";
import { announce, inJupyterLab, onTheme } from "./theme.js";
import { bars as barsView, live as liveView, tradeOff as tradeOffView } from "./charts.js";
import { best as bestView } from "./best.js";
import { details as detailsView } from "./details.js";
import { drawing as drawingView } from "./drawing.js";
import { goal as goalView } from "./goal.js";
import { guess as guessView } from "./guess.js";
import { jobOfCell as jobOfCellView } from "./jobcard.js";
import { jobs as jobsView } from "./jobs.js";
import { skipLink as skipLinkView } from "./skiplink.js";
import { techniques as techniquesView } from "./techniques.js";
import { topBar as topBarView } from "./topbar.js";
import { variants as variantsView } from "./variants.js";

const greeted = new WeakSet();

/** Once per model: tells the kernel that updates arrive from now on, and echoes each frame. */
function greet(model) {
  if (greeted.has(model)) return;
  greeted.add(model);
  model.on("change:state", () => {
    // After the views of this model have drawn: they were told of the same change.
    setTimeout(() => model.send({ type: "echo", frame: model.get("state").frame }), 0);
  });
  model.send({ type: "rendered" });
}

/** Tells readers aloud and the browser's fonts which language is shown; JupyterLab's page has its own. */
function speak(el, language) {
  el.lang = language;
  if (!inJupyterLab()) document.documentElement.lang = language;
}

function component(content) {
  return {
    async render({ model, el, assets }) {
      await assets.style("workbench.css");
      announce();
      const view = {
        model,
        assets,
        local: {},
        get state() {
          return model.get("state");
        },
        get labels() {
          return model.get("state").labels;
        },
        act(name, values = {}, buffers = []) {
          model.send({ type: "act", name, ...values }, undefined, buffers);
        },
        redraw() {
          speak(el, view.state.spoken);
          draw(el, content(view));
        },
      };
      const receive = (message, buffers) => view.receive?.(message, buffers);
      el.classList.add("workbench");
      model.on("change:state", view.redraw);
      model.on("msg:custom", receive);
      const forget = onTheme(view.redraw);
      view.redraw();
      greet(model);
      return () => {
        model.off("change:state", view.redraw);
        model.off("msg:custom", receive);
        forget();
        clear(el);
      };
    },
  };
}

export const bars = component(barsView);
export const best = component(bestView);
export const details = component(detailsView);
export const drawing = component(drawingView);
export const goal = component(goalView);
export const guess = component(guessView);
export const jobOfCell = component(jobOfCellView);
export const jobs = component(jobsView);
export const live = component(liveView);
export const skipLink = component(skipLinkView);
export const techniques = component(techniquesView);
export const topBar = component(topBarView);
export const tradeOff = component(tradeOffView);
export const variants = component(variantsView);
