// @ts-check
// The one entry: shows a component of the page from the JSON state that the kernel sends.

import { watchConnection } from "./connection.js";
import { clear, h, render as draw } from "./dom.js";
import { announce, inJupyterLab, onTheme } from "./theme.js";
import { live as liveView, tradeOff as tradeOffView } from "./charts.js";
import { advisor as advisorView } from "./advisor.js";
import { best as bestView } from "./best.js";
import { decision as decisionView } from "./decision.js";
import { details as detailsView } from "./details.js";
import { drawing as drawingView } from "./drawing.js";
import { goal as goalView } from "./goal.js";
import { guess as guessView } from "./guess.js";
import { jobOfCell as jobOfCellView } from "./jobcard.js";
import { jobs as jobsView } from "./jobs.js";
import { check as checkView, prediction as predictionView, question as questionView, summary as summaryView } from "./lesson.js";
import { watchSight } from "./seen.js";
import { skipLink as skipLinkView } from "./skiplink.js";
import { techniques as techniquesView } from "./techniques.js";
import { topBar as topBarView } from "./topbar.js";
import { variants as variantsView } from "./variants.js";

const greeted = new WeakSet();
const QUERY = location.search; // as it came: what was followed is then taken out of it

/** Once per model: tells the kernel that updates arrive from now on, and echoes each frame. */
function greet(model) {
  if (greeted.has(model)) return;
  greeted.add(model);
  model.on("change:state", () => {
    // After the views of this model have drawn: they were told of the same change.
    setTimeout(() => model.send({ type: "echo", frame: model.get("state").frame }), 0);
  });
  // JupyterLab's address is not this page's.
  model.send({ type: "rendered", query: inJupyterLab() ? "" : QUERY });
}

/** Tells readers aloud and the browser's fonts which language is shown; JupyterLab's page has its own. */
function speak(el, language) {
  el.lang = language;
  if (!inJupyterLab()) document.documentElement.lang = language;
}

/**
 * What stands before a panel that shows something old: its workbench was closed, or nobody answers it.
 * @param {View} view
 */
function notice(view) {
  const { state } = view;
  const text = view.lost ? state.lost : state.closed;
  if (!text) return null;
  // On the whole page the bar at its top says it once and in full.
  if (view.el.closest(".wb-page") && !view.el.querySelector(".wb-top")) return h("p", { class: "wb-old", key: "lost" }, state.old);
  return h("div", { class: "wb-callout wb-callout-warn wb-lost", role: "alert", key: "lost" }, h("span", {}, text),
    view.lost && !inJupyterLab() && h("button", { type: "button", class: "wb-small", onclick: () => location.reload() }, state.lostReload));
}

/**
 * JupyterLab takes Enter, the arrows and letters for its cells, some before they arrive and some afterwards: what is
 * typed into a panel is the panel's.
 */
function keepKeys(el) {
  if (!inJupyterLab()) return;
  el.dataset.lmSuppressShortcuts = "true";
  el.addEventListener("keydown", (event) => event.stopPropagation());
}

function component(content) {
  return {
    async render({ model, el, assets }) {
      await assets.style("workbench.css");
      announce();
      const view = {
        model,
        el,
        assets,
        local: {},
        lost: false,
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
          el.classList.toggle("wb-off", view.state.off);
          el.classList.toggle("wb-projector", view.state.projector);
          el.classList.toggle("wb-stale", Boolean(view.lost || view.state.closed));
          const tree = [notice(view), content(view)];
          // Before it is drawn: what is not displayed takes no focus.
          if (tree.some(Boolean)) el.classList.remove("wb-nothing");
          draw(el, tree);
          el.classList.toggle("wb-nothing", el.childElementCount === 0);
        },
      };
      const receive = (message, buffers) => view.receive?.(message, buffers);
      const changed = () => {
        if (!document.hidden) view.redraw();
      };
      el.classList.add("workbench");
      keepKeys(el);
      model.on("change:state", changed);
      model.on("msg:custom", receive);
      const forget = onTheme(view.redraw);
      view.redraw();
      greet(model);
      const unsee = watchSight(model, view.redraw);
      const unwatch = watchConnection(model, (lost) => {
        if (lost === view.lost) return;
        view.lost = lost;
        view.redraw();
      });
      return () => {
        unwatch();
        unsee();
        model.off("change:state", changed);
        model.off("msg:custom", receive);
        forget();
        clear(el);
      };
    },
  };
}

export const advisor = component(advisorView);
export const best = component(bestView);
export const details = component(detailsView);
export const drawing = component(drawingView);
export const goal = component(goalView);
export const guess = component(guessView);
export const jobOfCell = component(jobOfCellView);
export const jobs = component(jobsView);
export const lessonCheck = component(checkView);
export const lessonDecision = component(decisionView);
export const lessonPrediction = component(predictionView);
export const lessonQuestion = component(questionView);
export const lessonSummary = component(summaryView);
export const live = component(liveView);
export const skipLink = component(skipLinkView);
export const techniques = component(techniquesView);
export const topBar = component(topBarView);
export const tradeOff = component(tradeOffView);
export const variants = component(variantsView);
