"""The real dashboard in both servers: quiet, offline, accessible, and pictures of it."""

from __future__ import annotations

import shutil
import sys

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import REPOSITORY, running
from tests.browser.test_serving import run_all


@pytest.fixture(scope="module")
def dashboard(user_folders):
    command = [sys.executable, "-m", "workbench.cli", "dashboard", "--no-browser"]
    with running(command, **user_folders) as server:
        yield server


def wait_for_model(page: Page) -> None:
    expect(page.locator("#skeleton")).to_have_count(0)
    expect(page.locator(".wb-top").get_by_text("mnist-5k", exact=True)).to_be_visible(timeout=150_000)
    expect(page.get_by_role("table").first).to_be_visible(timeout=150_000)


LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1400, "height": 1000}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1400, "height": 1000}},
    "400px": {"color_scheme": "light", "viewport": {"width": 400, "height": 900}},
}


@pytest.mark.parametrize("look", LOOKS)
def test_dashboard_looks_quiet_and_accessible(dashboard, visit, look):
    visited = visit(dashboard, **LOOKS[look])
    wait_for_model(visited.page)
    reach = "scrollY + [...document.querySelectorAll('.wb-card')].pop().getBoundingClientRect().bottom"
    height = "document.documentElement.scrollHeight"
    assert visited.page.evaluate(f"{reach} <= {height}"), "the end of the page cannot be reached"
    visited.picture(f"dashboard-{look}")
    assert visited.other_hosts() == []
    assert visited.complaints == []
    assert visited.asked_for("/plotly.min.js") <= 1
    width = visited.page.evaluate("document.documentElement.scrollWidth")
    assert width <= LOOKS[look]["viewport"]["width"], "the page scrolls sideways"
    assert visited.violations() == {}


@pytest.mark.skipif(
    not (REPOSITORY / "workbench/locale/zh_CN").is_dir(), reason="there is no Chinese catalogue yet"
)
def test_dashboard_speaks_chinese(dashboard, visit):
    visited = visit(dashboard, viewport={"width": 1400, "height": 1000})
    wait_for_model(visited.page)
    language = visited.page.get_by_role("combobox").filter(has=visited.page.get_by_text("简体中文"))
    language.first.select_option(label="简体中文")
    expect(visited.page.locator(".wb-top")).to_contain_text("模型")
    visited.picture("dashboard-chinese")
    assert visited.complaints == []


def test_notebook_works_in_lab(user_folders, visit, tmp_path):
    shutil.copytree(REPOSITORY / "notebooks", tmp_path / "notebooks")
    script = str(REPOSITORY / "tests/browser/server.py")
    command = [sys.executable, script, "lab", str(tmp_path / "notebooks"), str(tmp_path / "cache")]
    with running(command, **user_folders) as server:
        visited = visit(server, viewport={"width": 1600, "height": 1000})
        run_all(visited.page)
        wait_for_model(visited.page)
        visited.picture("lab-light")
        assert visited.other_hosts() == []
        assert visited.complaints == []
        assert visited.asked_for("/plotly.min.js") <= 1
