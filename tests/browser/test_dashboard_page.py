"""The real dashboard from nothing: the first result, a second page beside the first, JupyterLab."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import REPOSITORY, Visit, running, write_notebook
from tests.browser.test_serving import run_all


def wait_for_model(page: Page) -> None:
    expect(page.locator("#skeleton")).to_have_count(0)
    expect(page.locator(".wb-top").get_by_text("mnist-5k", exact=True)).to_be_visible(timeout=150_000)
    expect(page.get_by_role("radio", name="cnn-mnist-5k")).to_be_visible(timeout=150_000)


def test_an_empty_folder_gets_a_model_once_however_many_pages_look(
    user_folders: dict[str, str], visit: Callable[..., Visit], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "workbench.cli", "dashboard", "--no-browser", "--folder", str(tmp_path)]
    with running(command, **user_folders) as server:
        first = visit(server, viewport={"width": 1400, "height": 1000})
        expect(first.page.get_by_role("progressbar").first).to_be_visible()
        second = visit(server, viewport={"width": 1400, "height": 1000})
        for seen in (first, second):
            wait_for_model(seen.page)
            expect(seen.page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=150_000)
            expect(seen.page.get_by_role("group", name="Open cnn-mnist-5k")).to_have_count(1)
            reach = (
                "scrollY + [...document.querySelectorAll('.wb-card')].pop().getBoundingClientRect().bottom"
            )
            height = "document.documentElement.scrollHeight"
            assert seen.page.evaluate(f"{reach} <= {height}"), "the end of the page cannot be reached"
            assert seen.other_hosts() == []
            assert seen.complaints == []
            assert seen.asked_for("/plotly.min.js") == 1
            assert seen.violations() == {}


def lab(notebooks: Path, cache: Path) -> list[str]:
    return [sys.executable, str(REPOSITORY / "tests/browser/server.py"), "lab", str(notebooks), str(cache)]


def test_the_notebook_works_in_lab(
    user_folders: dict[str, str], visit: Callable[..., Visit], tmp_path: Path, digits: Path
) -> None:
    shutil.copytree(REPOSITORY / "notebooks", tmp_path / "notebooks")
    shutil.copytree(digits, tmp_path / "digits")
    folders = {**user_folders, "WORKBENCH_FOLDER": str(tmp_path / "digits")}
    with running(lab(tmp_path / "notebooks", tmp_path / "cache"), **folders) as server:
        seen = visit(server, viewport={"width": 1600, "height": 1000})
        run_all(seen.page)
        expect(seen.page.get_by_role("radio", name="int8")).to_be_visible()
        expect(seen.page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
        # JupyterLab's page speaks its own language; ours is said on our part of it.
        seen.page.locator(".wb-top").get_by_label("Language").select_option("zh_CN")
        expect(seen.page.get_by_role("heading", name="变体", exact=True)).to_be_visible()
        expect(seen.page.locator(".wb-page .workbench").first).to_have_attribute("lang", "zh-CN")
        expect(seen.page.locator("html")).not_to_have_attribute("lang", "zh-CN")
        seen.picture("lab-light")
        assert seen.other_hosts() == []
        assert seen.complaints == []
        assert seen.asked_for("/plotly.min.js") == 1
        check_link_and_restart(seen.page)


def check_link_and_restart(page: Page) -> None:
    """The link is copied; after a restart each panel says that it is old, until its cell has run again."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".wb-opens button").last.click()
    page.locator(".wb-link .wb-primary").click()
    expect(page.locator(".wb-link .wb-primary")).to_have_text("已复制")
    assert page.evaluate("navigator.clipboard.readText()").startswith("?open=dense-digits,digits")
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem").filter(has_text="Restart Kernel…").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Restart").click()
    expect(page.get_by_role("alert").filter(has_text="重新运行")).to_be_visible()
    expect(page.locator(".wb-page .workbench:not(.wb-stale)")).to_have_count(0)
    run_all(page)
    expect(page.locator(".wb-stale")).to_have_count(0)
    expect(page.get_by_role("radio", name="int8")).to_be_visible()


PANEL_AND_TABLE = """
from workbench.workbench import Workbench
from widgets import QuantizationPanel, VariantsTable

workbench = Workbench({folder!r})
QuantizationPanel(workbench)
"""


def test_a_panel_alone_in_a_cell_shares_its_state_with_another_cell(
    user_folders: dict[str, str], visit: Callable[..., Visit], tmp_path: Path, digits: Path
) -> None:
    shutil.copytree(digits, tmp_path / "digits")
    notebooks = write_notebook(
        tmp_path / "notebooks",
        PANEL_AND_TABLE.format(folder=str(tmp_path / "digits")),
        "VariantsTable(workbench)",
    )
    with running(lab(notebooks, tmp_path / "cache"), **user_folders) as server:
        seen = visit(server, viewport={"width": 1200, "height": 1400})
        page = seen.page
        run_all(page)
        page.get_by_role("radio", name="int8").check()
        expect(page.get_by_label("New variants start from")).to_have_value(
            page.get_by_label("New variants start from")
            .locator("option", has_text="dense-digits")
            .get_attribute("value")
        )
        page.get_by_role("button", name="Continue from here").click()
        expect(page.get_by_label("New variants start from").locator("option:checked")).to_have_text("int8")
        page.get_by_label("New variants start from").select_option(label="dense-digits")
        page.get_by_role("radio", name="dense-digits").check()
        expect(page.get_by_role("button", name="Continue from here")).to_have_attribute(
            "aria-pressed", "true"
        )
        # And it is a full panel: what it makes comes into the other cell.
        page.get_by_role("button", name="Float16 weights").first.click()
        page.get_by_role("button", name="Apply: Float16 weights").click()
        expect(page.get_by_role("radio", name="float16")).to_be_visible(timeout=150_000)
        seen.picture("lab-panel")
        assert seen.complaints == []
        assert seen.asked_for("/plotly.min.js") == 0
