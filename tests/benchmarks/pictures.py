"""Takes the picture of the README and of the site: ``make pictures``.

A model is opened and made smaller in a folder of its own, measured on this machine, and the dashboard that
shows it is photographed in a browser.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, dashboard_command, running
from workbench import Workbench

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "_static" / "page.png"
MODEL, DATA = "cnn-mnist-5k", "mnist-5k"
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("inference.runtime", {"runtime": "litert"}),
    ("quantization.float16", {}),
    ("quantization.int8", {}),
    ("quantization.int4_weights", {}),
    ("structure.width", {"factor": 0.5}),
)
_MOST_MS = 300_000


def main() -> None:
    """Makes the variants, then takes the picture."""
    with tempfile.TemporaryDirectory(prefix="workbench-pictures-") as name:
        folder = Path(name) / "workbench"
        with Workbench(folder) as workbench:
            workbench.open(MODEL, DATA).wait()
            for technique, parameters in STEPS:
                made = workbench.apply(technique, **parameters).wait()
            workbench.quantization.int8(made).wait()
        command = dashboard_command(folder)
        with running(command) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1366, "height": 900}, color_scheme="light")
            page.set_default_timeout(_MOST_MS)
            page.goto(server.address)
            page.locator(".wb-lines-table tbody tr").nth(len(STEPS) + 1).wait_for()
            page.locator(".js-plotly-plot .main-svg").first.wait_for()
            page.wait_for_timeout(3_000)  # a figure is laid out again when its panel has its width
            page.screenshot(path=PICTURE)
            browser.close()
    print(PICTURE)


if __name__ == "__main__":
    main()
