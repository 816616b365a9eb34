"""What a newcomer does: opens the page on an empty folder, presses Find, reads the best line, downloads.

The model is opened once, however many pages look on. To see how long a reader waits, with timings of full
length: ``WORKBENCH_SHORT_TIMING= python -m pytest -s tests/browser/test_journey.py``.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Visit, running

WORK_MS = 600_000
"""For a search on a machine that has other work too."""


def bottom(page: Page) -> float:
    """Where the part of the page begins that the lines at the top must not move."""
    return page.evaluate("document.querySelector('.wb-jobs').getBoundingClientRect().bottom + scrollY")


def processor_seconds(server: Server) -> float:
    """What the server and all that it has started have used: tells more than a clock on a busy machine."""
    spent = 0.0
    for process in (psutil.Process(server.process.pid), *server.descendants()):
        with suppress(psutil.Error):
            times = process.cpu_times()
            spent += times.user + times.system + times.children_user + times.children_system
    return spent


def is_complete(seen: Visit) -> None:
    """The model that an empty folder gets is there, once, and nothing is amiss."""
    page = seen.page
    expect(page.locator("#skeleton")).to_have_count(0)
    expect(page.locator(".wb-top").get_by_text("mnist-5k", exact=True)).to_be_visible(timeout=WORK_MS)
    expect(page.get_by_role("radio", name="cnn-mnist-5k")).to_be_visible(timeout=WORK_MS)
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=WORK_MS)
    expect(page.get_by_role("group", name="Open cnn-mnist-5k")).to_have_count(1)
    reach = "scrollY + [...document.querySelectorAll('.wb-card')].pop().getBoundingClientRect().bottom"
    height = "document.documentElement.scrollHeight"
    assert page.evaluate(f"{reach} <= {height}"), "the end of the page cannot be reached"
    assert seen.other_hosts() == []
    assert seen.complaints == []
    assert seen.asked_for("/plotly.min.js") == 1
    assert seen.violations() == {}


def test_a_newcomer_finds_a_smaller_and_faster_model_and_takes_it_home(
    tmp_path: Path, user_folders: dict[str, str], visit: Callable[..., Visit]
) -> None:
    command = [sys.executable, "-m", "workbench.cli", "dashboard", "--no-browser"]
    with running([*command, "--folder", str(tmp_path / "fresh")], **user_folders) as server:
        began = time.monotonic()
        seen = visit(server, viewport={"width": 1366, "height": 768})
        page = seen.page
        goal, best, jobs = (page.locator(f".wb-{name}") for name in ("goal", "best", "jobs"))
        find = goal.get_by_role("button", name=re.compile("^Find"))
        expect(find).to_be_disabled()
        expect(best).to_contain_text("being opened")
        expect(page.get_by_role("progressbar").first).to_be_visible()
        beside = visit(server, viewport={"width": 1400, "height": 1000})
        for one in (seen, beside):
            is_complete(one)
        beside.page.close()
        expect(find).to_be_enabled(timeout=WORK_MS)
        expect(best).to_contain_text("Press Find")
        lines = [line.bounding_box() for line in (goal, best, jobs)]
        assert all(box is not None and box["height"] <= 50 for box in lines)
        before = bottom(page)
        opened, idle = time.monotonic(), processor_seconds(server)
        find.click()
        # The search stands in the one line of the jobs, queued or at work, and can be stopped.
        expect(goal.get_by_role("button", name="Looking …")).to_be_disabled()
        expect(jobs.get_by_role("button", name=re.compile("^Cancel")).first).to_be_visible()
        expect(jobs).to_contain_text(re.compile(r"Full int8, \d of \d"), timeout=WORK_MS)
        assert abs(bottom(page) - before) < 1
        expect(find).to_be_enabled(timeout=WORK_MS)
        ended = time.monotonic()
        spent = processor_seconds(server)
        print(f"opened after {opened - began:.0f} s, found after {ended - began:.0f} s")
        print(
            f"processor seconds: {spent - idle:.0f} from pressing Find, {spent:.0f} with the server's start"
        )

        # One sentence with three ratios, aloud too.
        expect(best.locator(".wb-ratio")).to_have_count(3)
        expect(best.locator(".wb-ratio").first).to_have_text(re.compile(r"\d× smaller"))
        expect(best.locator(".wb-ratio").last).to_have_text(re.compile(r"F1 kept"))
        expect(best.get_by_role("status").first).to_have_text(re.compile(r"^Best: .*smaller.*F1 kept"))
        expect(jobs.get_by_role("status").first).to_contain_text("Found: ")
        expect(jobs.locator(".wb-jobs-now")).to_contain_text("Found: ")
        assert abs(bottom(page) - before) < 1
        best.get_by_role("button", name="Why?").click()
        expect(best.get_by_text(re.compile("keeps? F1 within 1 pt"))).to_be_visible()
        with page.expect_download() as download:
            best.get_by_role("button", name="Download").click()
        assert Path(download.value.path()).stat().st_size > 1000
        seen.picture("journey")

        # All that ran is in the drawer; the goal is there after a reload.
        jobs.get_by_role("button", name="All jobs").click()
        expect(jobs.locator(".wb-drawer .wb-job")).to_have_count(2)
        goal.get_by_role("radio", name="smaller").check()
        expect(goal.locator(".wb-want-on")).to_have_text("smaller")  # the kernel has kept it
        expect(best).to_contain_text("smaller")
        page.reload()
        expect(goal.get_by_role("radio", name="smaller")).to_be_checked()
        expect(best.locator(".wb-ratio").first).to_have_text(re.compile(r"\d× smaller"))
        assert seen.violations(".wb-answers") == {}
        # Where there is no room beside, what came out stands first.
        page.set_viewport_size({"width": 390, "height": 844})
        expect(best).to_be_visible()
        above, below = best.bounding_box(), goal.bounding_box()
        assert above is not None
        assert below is not None
        assert above["y"] < below["y"]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        seen.picture("journey-phone")
