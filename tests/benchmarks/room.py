"""How long the visitors of one shared page wait who do the same together, and what memory all of it takes.

``python -m tests.benchmarks.room [VISITORS [own]]`` starts ``workbench dashboard --shared`` and opens the
page in as many tabs of a browser at once (20 by default); ``PAUSE`` in the environment is the seconds
between two of them. Each waits for the built-in model that the page opens, then clicks on the "+" of one
technique after the other, as the others do; with ``own``, or after that where nothing is said, each applies
int8 with parameters that nobody else has, so that nothing of it is there from another. Printed: seconds
until the page answers, until the model is there with its size, quality and latency, and from each click
until the new variant is there with its size and quality, and with its latency; each as median and worst;
and the highest memory of the server with all processes, shared pages counted once. ``SHELF`` names a folder
to keep the room's results in; by default there is none at the start.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from playwright.async_api import Browser, Locator, Page, async_playwright

from tests.benchmarks.table import heads, row
from tests.browser.conftest import CHROMIUM, FLAGS, Server, running
from workbench.engine.shared_mode import SHELF_VARIABLE
from workbench.models.demo.demo import DEMO_MODELS

CLICKS = {"quantization.float16": "float16", "quantization.dynamic_range": "dynamic range"}
"""The techniques, and the names of what they make."""
MOST_MS = 3_600_000
OWN_SAMPLES = 50
"""Calibration samples of the first visitor; each further one takes one more."""
SHOWN = """([name, ...cells]) => [...document.querySelectorAll(".wb-lines-table tbody tr")].some((row) =>
  row.querySelector("th strong")?.textContent === name
  && cells.every((cell) => row.querySelector(`.wb-cell-${cell} .wb-detail`)))"""
BEFORE_TIMING = ("size", "quality")
MEASURED = (*BEFORE_TIMING, "speed")


class Memory(threading.Thread):
    """Watches what a server takes with all its processes.

    Attributes:
        most: The highest sum, in bytes; a page of memory that several use counts once.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._server = server
        self._ended = threading.Event()

    def run(self) -> None:
        """Looks every other second."""
        while not self._ended.wait(2):
            total = 0
            for process in (psutil.Process(self._server.process.pid), *self._server.descendants()):
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.most = max(self.most, total)

    def end(self) -> None:
        """Stops looking."""
        self._ended.set()
        self.join()


class Visit:
    """One visitor of the room.

    Attributes:
        number: Which one it is.
        own: Whether it asks for what nobody else has.
        seen: Times of all visitors, in seconds, by what they waited for.
    """

    def __init__(self, number: int, own: bool, seen: dict[str, list[float]]) -> None:
        self.number = number
        self.own = own
        self.seen = seen

    async def walk(self, page: Page, address: str) -> None:
        """From the address to the last click's result."""
        began = time.monotonic()
        if self.own:
            samples = OWN_SAMPLES + self.number
            address += f"{'&' if '?' in address else '?'}technique=quantization.int8&samples={samples}"
        await page.goto(address, wait_until="commit")
        await page.locator("[data-technique='quantization.float16'] .wb-add").wait_for()
        self.seen["page"].append(time.monotonic() - began)
        await page.wait_for_function(SHOWN, arg=[next(iter(DEMO_MODELS)), *MEASURED])
        self.seen["first result"].append(time.monotonic() - began)
        if self.own:
            apply = page.get_by_role("button", name="Apply: Full int8")
            await self._click(page, apply, "int8 with own parameters", "int8")
            return
        for technique, name in CLICKS.items():
            await page.wait_for_function(
                "name => !document.querySelector(`[data-technique='${name}'] .wb-add`).disabled",
                arg=technique,
            )
            add = page.locator(f"[data-technique='{technique}'] .wb-add")
            await self._click(page, add, technique, name)

    async def _click(self, page: Page, button: Locator, what: str, name: str) -> None:
        clicked = time.monotonic()
        await button.click()
        for cells, shown in ((BEFORE_TIMING, "size and quality"), (MEASURED, "with latency")):
            await page.wait_for_function(SHOWN, arg=[name, *cells])
            self.seen[f"click on {what}, {shown}"].append(time.monotonic() - clicked)


async def visit(browser: Browser, address: str, visitor: Visit, failures: list[str]) -> None:
    """One visitor in a browser window of its own."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(MOST_MS)
    page = await context.new_page()
    page.on("pageerror", lambda error: failures.append(str(error)))
    try:
        await visitor.walk(page, address)
    except Exception as error:
        failures.append(str(error).splitlines()[0])
        await page.screenshot(path=Path(tempfile.gettempdir()) / f"room-{len(failures)}.png")


async def all_visit(address: str, visitors: Sequence[Visit]) -> list[str]:
    """All of them; what went wrong."""
    failures: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tasks = []
        for visitor in visitors:
            tasks.append(asyncio.create_task(visit(browser, address, visitor, failures)))
            await asyncio.sleep(float(os.environ.get("PAUSE", "0")))
        await asyncio.gather(*tasks)
        await browser.close()
    return failures


def main(arguments: Sequence[str] = ()) -> None:
    """Prints the table of a room, or of both kinds of it."""
    visitors = int(next((one for one in arguments if one != "own"), "20"))
    for own in ("own" in arguments,) if arguments else (False, True):
        _room(visitors, own)


def _room(visitors: int, own: bool) -> None:
    command = [sys.executable, "-m", "workbench.cli", "dashboard", "--shared", "--no-browser"]
    command += ["--visitors", str(visitors + 1)]
    seen: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as root:
        names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        settings: dict[str, Any] = {name: str(Path(root) / name.lower()) for name in names}
        settings[SHELF_VARIABLE] = os.environ.get("SHELF") or str(Path(root) / "shelf")
        with running(command, **settings) as server:
            memory = Memory(server)
            memory.start()
            failures = asyncio.run(
                all_visit(server.address, [Visit(number, own, seen) for number in range(visitors)])
            )
            memory.end()
    alike = "each with parameters of its own" if own else "all with the same parameters"
    print(f"{visitors} visitors of one shared page, {alike}")
    heads("what they waited for", "median s", "worst s", "visitors")
    for what, times in seen.items():
        row(what, f"{statistics.median(times):.1f}", f"{max(times):.1f}", len(times))
    print(f"memory of the server with all processes: at most {memory.most / 1e9:.2f} GB")
    print(f"failures: {len(failures)}" + "".join(f"\n  {one}" for one in failures))


if __name__ == "__main__":
    main(sys.argv[1:])
