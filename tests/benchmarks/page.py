"""How long a reader waits for the page: until it answers, from click to change; what it moves and holds."""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, PATIENCE_MS, Server, dashboard_command, running
from workbench.workbench import Workbench

OPENINGS = 5
CLICKS = 10

# In the page, where the clock is: from the click to the frame in which the change is painted.
CLICK = """
([selector, attribute]) => new Promise((resolve) => {
  const element = document.querySelector(selector);
  const before = element.getAttribute(attribute);
  const started = performance.now();
  new MutationObserver((_, watch) => {
    if (document.querySelector(selector).getAttribute(attribute) === before) return;
    watch.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - started)));
  }).observe(document.body, { subtree: true, attributes: true, childList: true });
  element.click();
})
"""
DISCLOSE = ".wb-family:last-of-type .wb-disclose"


def prepare(folder: Path) -> None:
    """A workbench with a model and one variant, as a reader who comes back finds it."""
    with Workbench(folder) as workbench:
        workbench.open("dense-digits", "digits").wait()
        workbench.apply("quantization.int8").wait()


def kernels(server: Server) -> list[psutil.Process]:
    found = []
    for child in server.descendants():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "ipykernel_launcher" in " ".join(child.cmdline()):
                found.append(child)
    return found


def wait_for_warm_kernel(server: Server) -> None:
    """Until only the kernel of the next page is left, and has run its notebook."""
    deadline = time.monotonic() + 90
    quiet = 0
    while quiet < 5 and time.monotonic() < deadline:
        time.sleep(0.1)
        warm = kernels(server)
        if len(warm) != 1:
            quiet = 0
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            quiet = quiet + 1 if warm[0].cpu_percent(0.2) < 10 else 0


def visit(browser: Any, server: Server) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE_MS)
    page: Page = context.new_page()
    moved: list[int] = []
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: _count(socket, moved))
    started = time.perf_counter()
    page.goto(server.address, wait_until="commit")
    first = page.locator(DISCLOSE).first
    first.wait_for()
    shown = time.perf_counter() - started
    page.evaluate(CLICK, [DISCLOSE, "aria-expanded"])
    interactive = time.perf_counter() - started
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    drawn = time.perf_counter() - started
    expect(page.get_by_role("radio", name="int8")).to_be_visible()
    clicks = [page.evaluate(CLICK, [DISCLOSE, "aria-expanded"]) for _ in range(CLICKS)]
    used = []
    for kernel in kernels(server):
        with contextlib.suppress(psutil.NoSuchProcess):
            used.append(kernel.memory_info().rss / 1e6)
    models = page.evaluate("document.querySelectorAll('.workbench').length")
    context.close()
    return {
        "shown": shown,
        "interactive": interactive,
        "drawn": drawn,
        "click": statistics.median(clicks),
        "slowest": max(clicks),
        "moved": sum(moved),
        "plotly": sum(url.split("?")[0].endswith("plotly.min.js") for url in asked),
        "requests": len(asked),
        "memory": max(used),
        "models": models,
    }


def _count(socket: Any, moved: list[int]) -> None:
    for direction in ("framereceived", "framesent"):
        socket.on(direction, lambda data: moved.append(len(data)))


def main() -> None:
    """Prints them; each beside what is aimed at."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "digits"
        prepare(folder)
        command = dashboard_command(folder)
        names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        homes = {name: str(Path(root) / name.lower()) for name in names}
        with running(command, **homes) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            seen = []
            for _ in range(OPENINGS + 1):
                wait_for_warm_kernel(server)
                seen.append(visit(browser, server))
            browser.close()
    first, again = seen[0], seen[1:]

    def median(name: str) -> float:
        return statistics.median(one[name] for one in again)

    def spread(name: str) -> str:
        return f"{min(one[name] for one in again):.2f}-{max(one[name] for one in again):.2f}"

    load = f"load of the machine {os.getloadavg()[0]:.1f}"
    print(f"page of {first['models']:.0f} widgets, {OPENINGS} openings with a warm kernel, {load}")
    print(f"first widget is there: {median('shown'):.2f} s")
    print(f"a control has answered: {median('interactive'):.2f} s ({spread('interactive')}; aim 3 s)")
    print(f"first figure is drawn: {median('drawn'):.2f} s")
    print(f"the very first opening: {first['interactive']:.2f} s")
    print(
        f"click to visible change: {median('click'):.0f} ms, slowest "
        f"{max(one['slowest'] for one in again):.0f} ms (median of {CLICKS}; aim 300 ms)"
    )
    print(f"over the websocket: {median('moved') / 1e3:.0f} kB; requests: {median('requests'):.0f}")
    print(f"plotly.js fetched per opening: {max(one['plotly'] for one in again):.0f} (aim 1)")
    print(f"memory of a kernel: {max(one['memory'] for one in again):.0f} MB (aim 200 MB)")


if __name__ == "__main__":
    main()
