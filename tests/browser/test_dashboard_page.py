"""The real dashboard as a notebook in JupyterLab."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import REPOSITORY, Visit, running
from tests.browser.test_serving import run_all


def lab(notebooks: Path, cache: Path) -> list[str]:
    return [sys.executable, str(REPOSITORY / "tests/browser/server.py"), "lab", str(notebooks), str(cache)]


def test_the_notebook_works_in_lab(
    warm: dict[str, str], visit: Callable[..., Visit], tmp_path: Path, digits: Path
) -> None:
    shutil.copytree(REPOSITORY / "notebooks", tmp_path / "notebooks")
    shutil.copytree(digits, tmp_path / "digits")
    folders = {**warm, "WORKBENCH_FOLDER": str(tmp_path / "digits")}
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
        the_link_is_copied_and_a_restart_is_told(seen.page)


def the_link_is_copied_and_a_restart_is_told(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".wb-opens button").last.click()
    page.locator(".wb-link .wb-primary").click()
    expect(page.locator(".wb-link .wb-primary")).to_have_text("已复制")
    assert page.evaluate("navigator.clipboard.readText()").startswith("?open=dense-digits,digits")
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem").filter(has_text="Restart Kernel…").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    # Each panel is seen to be old, and is as before when its cell has run again.
    expect(page.get_by_role("alert").filter(has_text="重新运行")).to_be_visible()
    expect(page.locator(".wb-page .workbench:not(.wb-stale)")).to_have_count(0)
    run_all(page)
    expect(page.locator(".wb-stale")).to_have_count(0)
    expect(page.get_by_role("radio", name="int8")).to_be_visible()
