"""How long the visitors of one shared page wait who do the same together, and what memory all of it takes.

``python -m tests.benchmarks.room [VISITORS]`` starts ``workbench dashboard --shared`` and opens the page in
as many tabs of a browser at once (20 by default); ``PAUSE`` in the environment is the seconds between two of
them. Each waits for the built-in model that the page opens, then clicks on the "+" of one technique after the
other, as the others do. Printed: seconds until the page answers, until the model is there with its size,
quality and latency, and from each click until the new variant is; each as median and worst; and the highest
memory of the server with all processes, shared pages counted once. ``SHELF`` names a folder to keep the
room's results in; by default there is none at the start.
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
from playwright.async_api import Browser, async_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, Server, running
from workbench.engine.shared_mode import SHELF_VARIABLE
from workbench.models.demo.demo import DEMO_MODELS

CLICKS = {"quantization.float16": "float16", "quantization.dynamic_range": "dynamic range"}
"""The techniques, and the names of what they make."""
MOST_MS = 3_600_000
MEASURED = """name => [...document.querySelectorAll(".wb-lines-table tbody tr")].some((row) =>
  row.querySelector("th strong")?.textContent === name
  && ["size", "speed", "quality"].every((cell) => row.querySelector(`.wb-cell-${cell} .wb-detail`)))"""


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


async def visit(browser: Browser, address: str, seen: dict[str, list[float]], failures: list[str]) -> None:
    """One visitor, from the address to the last click's result."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(MOST_MS)
    page = await context.new_page()
    page.on("pageerror", lambda error: failures.append(str(error)))
    try:
        began = time.monotonic()
        await page.goto(address, wait_until="commit")
        add = page.locator("[data-technique='quantization.float16'] .wb-add")
        await add.wait_for()
        seen["page"].append(time.monotonic() - began)
        await page.wait_for_function(MEASURED, arg=next(iter(DEMO_MODELS)))
        seen["first result"].append(time.monotonic() - began)
        for technique, name in CLICKS.items():
            await page.wait_for_function(
                "name => !document.querySelector(`[data-technique='${name}'] .wb-add`).disabled",
                arg=technique,
            )
            clicked = time.monotonic()
            await page.locator(f"[data-technique='{technique}'] .wb-add").click()
            await page.wait_for_function(MEASURED, arg=name)
            seen[f"click on {technique}"].append(time.monotonic() - clicked)
    except Exception as error:
        failures.append(str(error).splitlines()[0])
        await page.screenshot(path=Path(tempfile.gettempdir()) / f"room-{len(failures)}.png")


async def all_visit(address: str, visitors: int, seen: dict[str, list[float]]) -> list[str]:
    """All of them; what went wrong."""
    failures: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tasks = []
        for _ in range(visitors):
            tasks.append(asyncio.create_task(visit(browser, address, seen, failures)))
            await asyncio.sleep(float(os.environ.get("PAUSE", "0")))
        await asyncio.gather(*tasks)
        await browser.close()
    return failures


def main(arguments: Sequence[str] = ()) -> None:
    """Prints them."""
    visitors = int(next(iter(arguments), "20"))
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
            failures = asyncio.run(all_visit(server.address, visitors, seen))
            memory.end()
    print(f"{visitors} visitors of one shared page; load of the machine {os.getloadavg()[0]:.1f}")
    for what, times in seen.items():
        print(f"{what}: median {statistics.median(times):.1f} s, worst {max(times):.1f} s, of {len(times)}")
    print(f"memory of the server with all processes: at most {memory.most / 1e9:.2f} GB")
    print(f"failures: {len(failures)}" + "".join(f"\n  {one}" for one in failures))


if __name__ == "__main__":
    main(sys.argv[1:])
