// @ts-check
// Watches the page until it is drawn: says what it waits for, opens it again when something broke, and says why
// where that does not help. It is part of the page's text and needs nothing else of it.
(() => {
  const STILL_TICKS = 60; // without any progress; ticks of a second, which a busy browser makes longer
  const WORDS_AFTER = 8;
  const ASK_EVERY = 5;
  const DELAYS = [1, 10, 30]; // seconds before each new opening
  const TRIED = "workbench-tried-again";
  const SHOWN = ".jp-OutputArea-output.lm-Panel .lm-Widget > :not(.lm-Widget)"; // what a widget itself draws
  const WIDGET = "application/vnd.jupyter.widget-view+json";

  /** A part of the page's own text, which stands before this script. @returns {any} */
  const part = (id) => document.getElementById(id);
  const { language, words, asks, base } = JSON.parse(part("workbench-start").textContent);
  const skeleton = part("skeleton");
  const notice = part("notice");
  const what = notice.querySelector("span");
  const soFar = notice.querySelector("p");
  const button = notice.querySelector("button");
  const spoken = (() => {
    try {
      const chosen = localStorage.getItem(`workbench-language ${language}`); // as in static/language.js
      return chosen !== null && chosen in words ? chosen : language;
    } catch {
      return language; // storage is closed in some embedded pages
    }
  })();
  const say = (name, seconds) => words[spoken][name].replace("{seconds}", seconds);
  const show = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  const tries = (value) => {
    try {
      if (value === undefined) return Number(sessionStorage.getItem(TRIED) ?? 0);
      if (value) sessionStorage.setItem(TRIED, value);
      else sessionStorage.removeItem(TRIED);
      return value;
    } catch {
      return Infinity; // without storage it could go on for ever
    }
  };

  let seconds = 0; // since the page began
  let still = 0; // ticks since anything moved
  let marks = "";
  let reason = null; // what broke
  let countdown = 0; // seconds until it is opened again
  let givenUp = false;
  let silent = false; // the server did not answer the last question
  let asking = false;
  /** @type {number | null} */
  let asked = null; // when the kernel was asked for last

  const kernel = () => {
    const config = document.getElementById("jupyter-config-data")?.textContent;
    try {
      return config && JSON.parse(config).kernelId;
    } catch {
      return null; // half of it has come
    }
  };

  const phase = () => {
    if (!window.workbenchComplete) return "sending";
    return window.jupyterapp ? "connecting" : "loading";
  };

  const broken = (name) => {
    if (reason !== null) return;
    reason = name;
    const count = tries();
    if (count < DELAYS.length && tries(count + 1) === count + 1) countdown = DELAYS[count];
    else giveUp();
    tell();
  };

  const giveUp = () => {
    givenUp = true;
    skeleton.classList.add("ended");
    if (!hasContent()) skeleton.setAttribute("role", "main");
    button.hidden = false;
  };

  const tell = () => {
    if (givenUp) {
      show(what, [reason, ...(Number.isFinite(tries()) ? ["tried"] : []), "given_up"].map((name) => say(name)).join(" "));
      show(soFar, "");
    } else if (silent) {
      show(what, say("silent"));
      show(soFar, "");
    } else if (reason !== null) {
      show(what, say(reason));
      show(soFar, say("again", countdown));
    } else if (seconds >= WORDS_AFTER) {
      show(what, say(phase()));
      show(soFar, say("so_far", seconds));
    }
  };

  // Every answer is one: a refusal has words of its own, a dead server would be the browser's empty page.
  const ask = async (address, heard) => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(30000) });
      silent = false;
      heard(answer);
    } catch {
      silent = true;
    }
    asking = false;
    tell();
  };
  const open = () => ask(`${base}api/status`, () => location.reload());

  const progress = () => {
    const loaded = performance.getEntriesByType("resource").filter((one) => !one.name.includes("/api/")).length;
    const now = `${document.readyState} ${document.scripts.length} ${loaded} ${phase()}`;
    if (now !== marks || silent) still = 0;
    else still += 1;
    marks = now;
  };

  const tick = () => {
    seconds += 1;
    if (givenUp) return;
    if (window.workbenchFailed) broken("failed");
    if (reason !== null) {
      if (countdown > 0) countdown -= 1;
      if (countdown === 0 && (!silent || seconds % ASK_EVERY === 0)) open();
    } else {
      progress();
      const id = asks && kernel(); // only the project's own server knows this question
      if (id && (asked === null || seconds - asked >= ASK_EVERY)) {
        asked = seconds;
        ask(`${base}voila/api/expect/${id}`, (answer) => answer.ok || broken("gone"));
      }
      if (still >= STILL_TICKS) broken("stuck");
    }
    tell();
  };

  const hasContent = () => (document.getElementById("rendered_cells")?.style.display ?? "none") !== "none";

  const look = () => {
    if (!hasContent()) return;
    const main = part("rendered_cells");
    if (main.querySelector(SHOWN)) {
      end();
      return;
    }
    const root = main.querySelector(".jupyter-widgets");
    // On a busy machine the kernel may not tell the widgets in the time that their manager gives it.
    if (root && !root.firstElementChild && root.textContent.startsWith("Error displaying widget")) broken("unknown");
    // Where the widgets' manager has no kernel, a widget is shown as its text.
    if (main.querySelector('.jp-RenderedText[data-mime-type="text/plain"]')) broken("unknown");
  };

  const onScript = (event) => {
    if (event.target instanceof HTMLScriptElement) broken("script");
  };

  const onContent = () => {
    if (!window.workbenchComplete) {
      broken(window.workbenchFailed ? "failed" : "cut");
      return;
    }
    const outputs = [...document.querySelectorAll('script[type="application/vnd.voila.cell-output+json"]')];
    if (outputs.some((one) => one.textContent.includes(WIDGET))) return;
    // Voila writes errors as they are, not as outputs for a script.
    broken(document.querySelector('#rendered_cells [data-mime-type="application/vnd.jupyter.stderr"]') ? "error" : "empty");
  };

  const end = () => {
    watch.disconnect();
    clearInterval(timer);
    removeEventListener("error", onScript, true);
    delete window.workbenchBroken;
    tries(0);
    skeleton.remove();
    performance.mark("workbench-shown");
  };

  // The server frees the kernel when its connection ends; this saves it the wait.
  addEventListener("pagehide", () => {
    const id = kernel();
    if (id) navigator.sendBeacon(`${base}voila/api/shutdown/${id}`);
  });
  // A page from the browser's back-forward cache has lost its kernel.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  notice.lang = spoken.replace("_", "-");
  show(what, say("starting"));
  show(button, say("reload"));
  button.addEventListener("click", () => {
    tries(0);
    location.reload();
  });
  performance.setResourceTimingBufferSize(1000);
  addEventListener("error", onScript, true);
  addEventListener("DOMContentLoaded", onContent);
  window.workbenchBroken = broken; // for scripts of the widgets; see widgets/assets.js
  const watch = new MutationObserver(look);
  watch.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["style"] });
  const timer = setInterval(tick, 1000);
})();
