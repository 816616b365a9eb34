"""A lesson in JupyterLab: a prediction that locks before the run, a check that fails and then passes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import REPOSITORY, Visit, running
from tests.browser.test_actions import WORK_MS
from tests.browser.test_dashboard_page import lab
from tests.browser.test_serving import run_all
from workbench.course.room import collect_room

DECIDE = "lesson.decide()"
WEIGHTS = "weights = (64 * 64 + 64) + (64 * 32 + 32) + (32 * 10 + 10); share = 4 * weights / file_bytes"


def cell(page: Page, code: str) -> Locator:
    return page.locator(".jp-Notebook .jp-CodeCell").filter(has_text=code)


def rewrite(page: Page, before: str, after: str) -> None:
    """Replaces a line of a cell as somebody does who types, and runs the cell."""
    line = page.locator(".cm-line").filter(has_text=before).first
    line.click()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.insert_text(after)


def test_a_learner_predicts_fails_a_check_and_passes_it(
    warm: dict[str, str], visit: Callable[..., Visit], tmp_path: Path, digits: Path
) -> None:
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    (tmp_path / "room").mkdir()
    (tmp_path / "class.json").write_text('{"room": "room"}', "utf-8")
    shutil.copy(REPOSITORY / "notebooks/course/en/0-measure-first.ipynb", notebooks / "dashboard.ipynb")
    shutil.copytree(digits, tmp_path / "course" / "0-measure-first")  # opening it is not what is tested
    folders = {**warm, "WORKBENCH_FOLDER": str(tmp_path / "default")}
    with running(lab(notebooks, tmp_path / "cache"), **folders) as server:
        seen = visit(server, viewport={"width": 1366, "height": 2400})
        page = seen.page
        run_all(page)
        # It stops before the run, and says in two lines why.
        gate = cell(page, 'lesson.require("size")')
        expect(gate).to_contain_text("Lock your prediction in the panel above", timeout=WORK_MS)
        expect(gate).not_to_contain_text("Traceback")
        prediction = page.get_by_role("group", name="Predict first").first
        prediction.get_by_label("My prediction").fill("a lot")
        prediction.get_by_role("button", name="Lock my prediction").click()
        expect(prediction.get_by_role("alert")).to_contain_text("A prediction is a number here")
        prediction.get_by_label("My prediction").fill("26")
        prediction.get_by_label("My prediction").press("Enter")
        expect(prediction.get_by_role("status")).to_contain_text("Locked")
        expect(prediction.get_by_role("textbox")).to_have_count(0)
        seen.picture("lesson-locked")
        # The run shows what was predicted beside what came out.
        run_all(page)
        prediction = page.get_by_role("group", name="Predicted and measured").first
        expect(prediction.get_by_role("status")).to_contain_text("predicted 26 kB", timeout=WORK_MS)
        expect(prediction.get_by_role("status")).to_contain_text("more than predicted: why?")
        # The check of the untouched cell fails; the right answer passes.
        counted = cell(page, "weights = ...")
        expect(counted.locator(".wb-lesson-failed")).to_contain_text("There is no answer yet")
        rewrite(page, "weights = ...", "weights = 64 * 64 + 64 * 32 + 32 * 10")
        page.keyboard.press("Shift+Enter")
        counted = cell(page, '"weights",').first
        expect(counted.locator(".wb-lesson-failed")).to_contain_text("Each unit also has a bias")
        rewrite(page, "weights = 64 * 64", WEIGHTS)
        rewrite(page, "share = ...", "")
        page.keyboard.press("Shift+Enter")
        expect(counted.locator(".wb-lesson-passed")).to_contain_text("Right.")
        seen.picture("lesson-passed")
        # One click hands it in, into the room of the class that is beside the notebook.
        summary = page.locator(".cm-line").filter(has_text="lesson.summary()")
        summary.click()
        page.keyboard.press("Shift+Enter")
        handed = page.get_by_role("form", name="Hand in")
        handed.get_by_label("Your name").fill("Ada")
        handed.get_by_role("button", name="Hand in").click()
        expect(handed.get_by_role("status")).to_contain_text("Handed in as Ada-0-measure-first.zip")
        (told,) = collect_room([tmp_path / "room"]).handed
        assert {check.key: check.passed for check in told.checks}["weights"] is True
        so_far = page.get_by_role("group", name="This lesson so far")
        so_far.get_by_role("button", name="Begin this lesson anew").click()
        so_far.get_by_role("button", name="Keep them").click()
        so_far.get_by_role("button", name="Undo the last answer").click()
        expect(so_far).to_contain_text("Predicted: 26 kB")
        assert seen.violations(".wb-lesson") == {}
        assert seen.other_hosts() == []
