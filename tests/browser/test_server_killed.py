"""kill -9 of the server while a page works: nothing runs on, nothing finished is lost."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
from playwright.sync_api import expect

from tests.browser.conftest import Visit, dashboard_command, drawn, running
from tests.browser.test_actions import WORK_MS, train_until_cancelled


def test_a_killed_server_loses_nothing_that_was_finished(
    digits: Path,
    tmp_path: Path,
    user_folders: dict[str, str],
    warm: dict[str, str],
    visit: Callable[..., Visit],
) -> None:
    folder = tmp_path / "digits"
    shutil.copytree(digits, folder)
    command = dashboard_command(folder)
    with running(command, **user_folders) as server:
        page = visit(server).page
        drawn(page)
        train_until_cancelled(page)
        expect(page.locator(".wb-live .js-plotly-plot .main-svg").first).to_be_visible(timeout=WORK_MS)
        family = server.descendants()
        server.process.kill()
        _, alive = psutil.wait_procs(family, timeout=300)
        assert [process.cmdline() for process in alive] == []
    with running(command, **warm) as server:
        page = visit(server).page
        drawn(page)
        # Nobody has to look for it: the last one stands in the line of the jobs.
        # Failed, if the kernel lived long enough to see its workers go; else interrupted.
        ended = page.locator(".wb-job-interrupted, .wb-job-failed").first
        expect(ended).to_contain_text(re.compile("ended before it was finished|is gone"))
        expect(ended.get_by_role("button", name=re.compile("^Run again"))).to_be_visible()
