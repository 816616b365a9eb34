"""The real dashboard as a notebook in JupyterLab."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import REPOSITORY, Visit, running
from tests.browser.test_serving import run_all


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
