"""A notebook in JupyterLab: panels in cells share their state, and live while a job waits in another."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit, running, write_notebook
from tests.browser.test_actions import WORK_MS
from tests.browser.test_dashboard_page import lab
from tests.browser.test_serving import run_all

OPEN = """
from widgets import QuantizationPanel, VariantsTable
from workbench import Workbench
from workbench.api.errors import Cancelled

workbench = Workbench({folder!r})
QuantizationPanel(workbench)
"""
TABLE = "VariantsTable(workbench)"
WAIT = """
try:
    workbench.structure.width(epochs=1000, patience=0).wait()
except Cancelled:
    print("was cancelled")
"""


def test_a_cell_that_waits_shows_the_job_and_leaves_the_panels_alive(
    warm: dict[str, str], visit: Callable[..., Visit], tmp_path: Path, digits: Path
) -> None:
    shutil.copytree(digits, tmp_path / "digits")
    opened = OPEN.format(folder=str(tmp_path / "digits"))
    sources = [opened, TABLE, WAIT, "workbench.quantization.float16()"]
    notebooks = write_notebook(tmp_path / "notebooks", *sources)
    with running(lab(notebooks, tmp_path / "cache"), **warm) as server:
        seen = visit(server, viewport={"width": 1400, "height": 1500})
        page = seen.page
        run_all(page)
        cells = page.locator(".jp-Notebook .jp-CodeCell")
        waiting = cells.nth(2).locator(".wb-cell-job")
        expect(waiting.get_by_role("progressbar")).to_be_visible()
        # The cell runs, and the panels above it still do what they are told: each follows the other.
        start = page.get_by_label("New variants start from")
        chosen = page.get_by_role("button", name="Continue from here")
        expect(start.locator("option:checked")).to_have_text("dense-digits")
        page.get_by_role("radio", name="int8").check()
        expect(start.locator("option:checked")).to_have_text("dense-digits")
        chosen.click()
        expect(chosen).to_have_attribute("aria-pressed", "true")
        expect(start.locator("option:checked")).to_have_text("int8")
        start.select_option(label="dense-digits")
        page.get_by_role("radio", name="dense-digits").check()
        expect(chosen).to_have_attribute("aria-pressed", "true")
        expect(waiting).to_contain_text("epoch", timeout=WORK_MS)
        seen.picture("lab-waiting")
        waiting.get_by_role("button", name="Cancel").click()
        expect(cells.nth(2)).to_contain_text("was cancelled")
        expect(cells.nth(2).locator(".jp-RenderedHTML")).to_contain_text("cancelled in")
        # As the last line of a cell a job is a card, which says in the end what came out.
        made = cells.nth(3).locator(".wb-made")
        expect(made).to_contain_text("float16", timeout=WORK_MS)
        expect(made).to_contain_text("smaller")
        expect(cells.nth(3).locator(".wb-job-done")).to_be_visible(timeout=WORK_MS)
        seen.picture("lab-card")
        # What a panel makes comes into the cell of the table.
        page.get_by_role("button", name="Dynamic range").first.click()
        page.get_by_role("button", name="Apply: Dynamic range").click()
        expect(page.get_by_role("radio", name="dynamic range")).to_be_visible(timeout=WORK_MS)
        seen.picture("lab-panel")
        # The map is laid out in a worker here as well, and its keys are not the notebook's.
        page.get_by_role("button", name="Map", exact=True).click()
        variants = page.get_by_role("listbox").get_by_role("option")
        page.get_by_role("option", name=re.compile("^dense-digits;")).focus()
        page.keyboard.press("ArrowRight")
        expect(variants.first).not_to_be_focused()
        expect(page.locator(".wb-graph-node:focus")).to_have_count(1)
        assert seen.other_hosts() == []
        assert seen.complaints == []
        assert seen.asked_for("/plotly.min.js") == 0
