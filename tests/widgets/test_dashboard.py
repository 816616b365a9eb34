"""The whole page before and after somebody sees it: preheated, twice on one folder, back to another model."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from widgets import Dashboard, QuantizationPanel, TradeoffChart, TrainingPanel
from widgets.component import Component
from widgets.course import Lesson
from widgets.link import follow, read
from widgets.panels.jobs import JobsLine
from widgets.panels.techniques import TechniquesPanel
from widgets.panels.top_bar import TopBar
from widgets.session import session_of
from workbench.course.class_settings import parse_settings
from workbench.engine.elsewhere import openings_elsewhere
from workbench.engine.workbench_folders import folder_beside, last_used, remember, workbench_folders
from workbench.jobs.executor import Executor
from workbench.store import Store
from workbench.workbench import Workbench

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of somebody who has named none."""
    for name in ("WORKBENCH_FOLDER", "WORKBENCH_SHARED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "neural-workbench"


def see(page: Dashboard, query: str = "") -> None:
    """What a page says when it shows the widget for the first time."""
    page._top_bar._handle_custom_msg({"type": "rendered", "query": query}, [])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def click(bar: TopBar, action: str, **values: Any) -> dict[str, Any]:
    bar._on_message(None, {"type": "rendered"}, [])
    bar._on_message(None, {"type": "act", "name": action, **values}, [])
    bar._on_message(None, {"type": "rendered"}, [])
    return bar.state


def test_making_the_page_starts_nothing_and_the_second_page_follows_the_first(
    tmp_path: Path, executor: Executor
) -> None:
    with Workbench(tmp_path, executor=executor) as first, Workbench(tmp_path, executor=executor) as second:
        pages = Dashboard(first), Dashboard(second)
        assert first.jobs == ()
        see(pages[0])
        see(pages[0])
        see(pages[1])
        assert [job.kind for job in second.jobs] == ["open"]
        until(lambda: bool(pages[1].session.jobs))
        first.job(first.jobs[0].id).wait()
        until(lambda: pages[1].session.baseline is not None)
        until(lambda: pages[1].session.jobs[0].status == "done")
        assert len(pages[1].session.rows) == 1
        assert pages[1].session.rows[0].quality is not None
        see(Dashboard(second))
        assert len(second.jobs) == 1


def test_the_reader_goes_back_to_a_model_and_finds_it_at_the_next_start(
    home: Path, executor: Executor, opened_digits: Path
) -> None:
    shutil.copytree(opened_digits, home / "default")
    first = Workbench(home / "default", executor=executor)
    session = session_of(first)
    bar = TopBar(session)
    assert [one["value"] for one in bar.state["workbenches"]] == ["default"]
    refused = click(bar, "open", model="dense-breast-cancer", data="breast-cancer", tasks={"": "guessing"})
    assert "There is no such task" in refused["error"]
    click(bar, "open", model="dense-breast-cancer", data="breast-cancer", onlyClasses="malignant")
    assert session.workbench is first
    until(lambda: session.workbench is not first)
    second = session.workbench
    assert second.baseline is not None
    assert second.folder == home / "default-2"
    assert last_used() == second.folder
    assert len(session.workbench_folders) == 2
    until(lambda: bool(session.rows) and session.rows[0].quality is not None)
    assert session.rows[0].quality.classes == ("malignant",)
    assert any("the classes malignant alone" in str(note) for note in session.rows[0].notes)
    own = second.metric(lambda labels, answers: float(len(set(labels.tolist()))), draws=10)
    assert own[0].value.value == 1  # of the labels that are measured
    assert "1 of 2 classes measured" in bar.view()["facts"][1]["detail"]
    shown = click(bar, "go", workbench="default")
    assert session.workbench is first
    assert shown["workbench"] == "default"
    assert {one["value"] for one in shown["workbenches"]} == {"default", "default-2"}
    assert "no such workbench" in click(bar, "go", workbench="../../etc")["error"]
    assert last_used() == first.folder
    click(bar, "go", workbench="default-2")
    # A kernel that was started before this shows it all the same.
    stale = Dashboard(first)
    stale._usual = True
    see(stale)
    assert stale.workbench.folder == second.folder
    stale.workbench.close()
    second.close()
    first.close()


@pytest.mark.parametrize("named", [False, True])
def test_an_opening_that_fails_leaves_page_and_folders_as_they_were(
    home: Path, executor: Executor, opened_digits: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    shutil.copytree(opened_digits, home / "default")
    if named:
        monkeypatch.setenv("WORKBENCH_FOLDER", str(home / "default"))
    with Workbench(home / "default", executor=executor) as first:
        session = session_of(first)
        bar, jobs = TopBar(session), JobsLine(session)
        before = bar.state["facts"]
        (home / "nonsense.keras").write_bytes(b"this is no model")
        (home / "empty.csv").touch()
        # What shows at once is said at once, at each field, and nothing is started.
        shown = click(bar, "open", model=str(home / "nonsense.keras"), data=str(home / "empty.csv"))
        assert "is no model file" in shown["errors"]["model"]
        assert "is empty" in shown["errors"]["data"]
        assert not any(job.kind == "open" and not job.ended for job in session.jobs)
        shown = click(bar, "open", model="dense-digits", data=str(home / "empty.csv"), ignoreLabel="none")
        assert "Label that does not count: 'none' is no whole number." in shown["error"]
        # What only reading shows is said there, too.
        (home / "rows.csv").write_text("a,label\n1,0\n2,1\n")
        rows = {"data": str(home / "rows.csv"), "weights": " heavy ", "ignoreLabel": ""}
        click(bar, "open", model="dense-digits", **rows)
        until(lambda: session.openings.last is not None and session.openings.last.ended)
        shown = click(bar, "language", language="en")
        assert "rows.csv has no column heavy" in shown["errors"]["data"]
        click(bar, "open", model="dense-digits", data="breast-cancer")
        until(lambda: session.openings.last is not None and session.openings.last.ended)
        assert session.workbench is first
        shown = click(bar, "language", language="en")
        assert (shown["facts"], shown["workbench"]) == (before, "default")
        assert "takes samples of shape (8, 8, 1)" in shown["errors"]["data"]
        assert last_used() == first.folder
        until(lambda: not (home / "default-2").exists())
        jobs._on_message(None, {"type": "rendered"}, [])
        (said,) = (job for job in jobs.view()["jobs"] if job["id"] == jobs.view()["failed"])
        assert "takes samples of shape (8, 8, 1)" in said["error"]
        assert said["rerun"]
        jobs._on_message(None, {"type": "act", "name": "rerun", "job": said["id"]}, [])
        again = session.openings.last
        assert again is not None
        assert again.id != said["id"]
        until(lambda: session.openings.last.ended)
        until(lambda: {one.name for one in home.iterdir() if one.is_dir()} == {"default"})


def test_a_workbench_that_was_named_is_left_and_come_back_to(
    tmp_path: Path, executor: Executor, opened_digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_FOLDER", str(tmp_path / "wine"))
    shutil.copytree(opened_digits, tmp_path / "wine")
    assert last_used() == tmp_path / "wine"
    # A server makes the page's kernel, and with it the page, before there is anything beside it.
    with Workbench(tmp_path / "wine", executor=executor) as first:
        page = Dashboard(first)
        page._usual = True
        assert {one.folder.name for one in page.session.workbench_folders} == {"wine"}
        shutil.copytree(opened_digits, tmp_path / "wine-2")
        remember(tmp_path / "wine-2")
        see(page)
        assert page.workbench.folder == tmp_path / "wine-2"
        assert {one.folder.name for one in page.session.workbench_folders} == {"wine", "wine-2"}
        page.workbench.close()


CUT_SHORT = """
import os, signal, sys, time
from workbench.workbench import Workbench
job = Workbench(sys.argv[1]).open("dense-digits", "digits")
while job.state.status != "running":
    time.sleep(0.01)
os.killpg(0, signal.SIGKILL)
"""


def test_an_opening_that_was_cut_short_is_told_of_and_can_be_asked_for_again(
    tmp_path: Path,
    executor: Executor,
    scheduler: str,
    opened_digits: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORKBENCH_SCHEDULER", scheduler)
    monkeypatch.setenv("WORKBENCH_FOLDER", str(tmp_path / "wine"))
    shutil.copytree(opened_digits, tmp_path / "wine")
    command = [sys.executable, "-c", CUT_SHORT, str(tmp_path / "wine-2")]
    assert subprocess.run(command, start_new_session=True, check=False).returncode == -9
    with Workbench(tmp_path / "wine", executor=executor) as first:
        page = Dashboard(first)
        page._usual = True
        see(page)
        jobs = JobsLine(page.session)
        (told,) = (job for job in jobs.view()["jobs"] if job["status"] == "interrupted")
        assert "ended before it was finished" in told["error"]
        page.session.rerun(told["id"])
        until(lambda: page.workbench is not first)
        assert page.workbench.folder == tmp_path / "wine-2"
        assert page.workbench.baseline is not None
        page.workbench.close()


OPENS_TWO = """
import sys
import time
import numpy as np
from workbench.api.errors import Cancelled
from workbench.jobs.executor import Executor
from workbench.store import Store
from workbench.workbench import Workbench
executor = Executor()
executor.start()
workbenches = [Workbench(folder, executor=executor) for folder in sys.argv[1:]]
def slowly():  # so that it is still on its way when it is cancelled, on any machine
    while True:
        time.sleep(0.05)
        yield np.zeros((1, 64), "float32"), np.zeros(1, "int64")
jobs = [
    workbench.open("dense-digits", data, **options)
    for workbench, data, options in zip(workbenches, ("digits", slowly()), ({}, {"steps": 100_000}))
]
for job in jobs:
    try:
        job.wait()
    except Cancelled:
        pass
for workbench in workbenches:
    workbench.close()
executor.close()
"""


def test_openings_of_a_page_that_was_closed_are_seen_cancelled_and_found_in_the_next_one(
    tmp_path: Path,
    executor: Executor,
    scheduler: str,
    opened_digits: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORKBENCH_SCHEDULER", scheduler)
    monkeypatch.setenv("WORKBENCH_FOLDER", str(tmp_path / "wine"))
    shutil.copytree(opened_digits, tmp_path / "wine")
    folders = [tmp_path / "wine-2", tmp_path / "wine-3"]
    other = subprocess.Popen([sys.executable, "-c", OPENS_TWO, *map(str, folders)])
    try:
        until(lambda: len(openings_elsewhere(tmp_path / "wine", ())) == 2)
        assert {one.folder for one in openings_elsewhere(tmp_path / "wine", {folders[0]})} == {folders[1]}
        with Workbench(tmp_path / "wine", executor=executor) as first:
            page = Dashboard(first)
            page._usual = True
            see(page)
            ids = {one.folder: one.state.id for one in openings_elsewhere(first.folder, ())}
            line = JobsLine(page.session)

            def shown(folder: Path) -> dict[str, Any]:
                return next(job for job in line.view()["jobs"] if job["id"] == ids[folder])

            assert not [job for job in first.jobs if job.id in ids.values()]
            assert all("runs in another page" in shown(folder)["stage"] for folder in folders)
            page.session.cancel(ids[folders[1]])
            until(lambda: shown(folders[1])["status"] == "cancelled")
            until(lambda: shown(folders[0])["status"] == "done")
            assert "under “Open …”" in shown(folders[0])["outcome"]
            assert [one.folder.name for one in page.session.workbench_folders] == ["wine", "wine-2"]
            # The page goes there, and the job is one of that workbench.
            page.session.go_to("wine-2")
            assert [job["id"] for job in line.view()["jobs"]].count(ids[folders[0]]) == 1
            page.workbench.close()
    finally:
        assert other.wait(120) == 0


def test_a_baseline_is_listed_by_its_new_name_and_links_lead_to_it(
    tmp_path: Path, executor: Executor, opened_digits: Path
) -> None:
    shutil.copytree(opened_digits, tmp_path / "digits")
    with Workbench(tmp_path / "digits", executor=executor) as workbench:
        bar = TopBar(workbench)
        workbench.rename("dense-digits", "for the phone")
        until(lambda: bar.session.workbench_folders[0].name == "for the phone")
        assert bar.view()["workbenches"][0]["label"] == "for the phone · 1 variant · digits"
        assert bar.view()["link"] == "open=dense-digits,digits"
        follow(bar.session, read("?open=dense-digits,digits"))
        assert [job.kind for job in workbench.jobs] == ["open"]


def test_folders_are_counted_and_one_that_was_left_empty_is_taken(
    tmp_path: Path, executor: Executor, opened_digits: Path
) -> None:
    for name in ("wine", "wine-2"):
        shutil.copytree(opened_digits, tmp_path / name)
    assert folder_beside(tmp_path / "wine-2") == tmp_path / "wine-3"
    with Workbench(tmp_path / "wine-3", executor=executor):
        assert folder_beside(tmp_path / "wine") == tmp_path / "wine-4"
    assert folder_beside(tmp_path / "wine") == tmp_path / "wine-3"
    assert folder_beside(tmp_path / "alone-7") == tmp_path / "alone-7-2"


def test_a_visitor_sees_no_other_visitor(
    tmp_path: Path, executor: Executor, monkeypatch: pytest.MonkeyPatch, opened_digits: Path
) -> None:
    for visitor in ("a", "b"):
        shutil.copytree(opened_digits, tmp_path / visitor)
    assert [one.folder.name for one in workbench_folders(tmp_path / "a")] == ["a", "b"]
    monkeypatch.setenv("WORKBENCH_SHARED", "1")
    monkeypatch.setenv("WORKBENCH_FOLDER", str(tmp_path / "a"))
    assert [one.folder for one in workbench_folders(tmp_path / "a")] == [tmp_path / "a"]
    assert folder_beside(tmp_path / "a") == tmp_path / "a" / "model-2"
    assert folder_beside(tmp_path / "a" / "model-2") == tmp_path / "a" / "model-2"
    with Workbench(tmp_path / "a", executor=executor) as workbench:
        bar = TopBar(workbench)
        job = workbench.apply("quantization.float16")
        shown = click(bar, "open", model="dense-digits", data="digits")
        assert "one job at a time" in shown["error"]
        assert not (tmp_path / "a" / "model-2").exists()
        job.cancel()
    assert not (tmp_path / "last-used.txt").exists()


def test_a_folder_of_a_later_version_is_not_listed(tmp_path: Path) -> None:
    Store(tmp_path / "later").close()
    with closing(sqlite3.connect(tmp_path / "later" / "workbench.sqlite")) as base, base:
        base.execute('INSERT INTO variants (id, record) VALUES (\'a\', \'{"name": "a", "of": "later"}\')')
    assert workbench_folders(tmp_path / "later") == ()


def test_another_programs_folder_is_not_listed(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("foreign", b"not a database at all")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "workbench.sqlite").write_bytes(content)
    assert workbench_folders(tmp_path / "empty") == ()


def test_a_model_opened_while_another_is_opening_gets_a_folder_of_its_own(
    executor: Executor, tmp_path: Path
) -> None:
    first = Workbench(tmp_path / "first", executor=executor)
    session = session_of(first)
    session.open("dense-digits", "digits")
    beside = session.open("dense-breast-cancer", "breast-cancer")
    second = session.openings.workbench_of(beside.id)
    assert second is not None
    assert second.folder.parent == first.folder.parent
    for workbench, model in ((first, "dense-digits"), (second, "dense-breast-cancer")):
        until(lambda workbench=workbench: workbench.baseline is not None or workbench.jobs[0].ended)
        assert workbench.baseline is not None
        assert workbench.baseline.name == model
        workbench.close()  # what is still measured is not waited for


def test_a_link_brings_the_page_to_its_state_and_is_made_from_it(
    tmp_path: Path, executor: Executor, opened_digits: Path
) -> None:
    shutil.copytree(opened_digits, tmp_path / "digits")
    with Workbench(tmp_path / "digits", executor=executor) as workbench:
        page = Dashboard(workbench)
        query = (
            "open=dense-digits,digits&selected=dense-digits&show=quantization,trade-off"
            "&technique=quantization.int8&samples=50"
        )
        see(page, f"?{query}&token=secret&lang=zh_CN")
        page.session.rhythm.flush()
        assert workbench.jobs[0].status == "done"
        assert page.session.selected == page.session.baseline.id
        panel = next(one for one in inside(page) if isinstance(one, TechniquesPanel))
        shown = {type(one).__name__ for one in inside(page) if not getattr(one, "off", False)}
        assert {"TradeoffChart", "TopBar"} <= shown
        assert "VariantsTable" not in shown
        assert {one["family"] for one in panel.view()["techniques"]} == {"quantization"}
        assert panel.view()["open"] == "quantization.int8"
        assert panel._values["quantization.int8"]["samples"] == 50
        assert sorted(page._top_bar.view()["link"].split("&")) == sorted(query.split("&"))
        click(page._top_bar, "reset")
        assert page._top_bar.view()["link"] == "open=dense-digits,digits"
        assert panel.view()["open"] is None


def shown_panels(page: Dashboard) -> set[str]:
    return {
        one.panel or "techniques"
        for one in inside(page)
        if isinstance(one, TechniquesPanel) or getattr(one, "panel", "")
        if not one.off
    }


def test_what_a_teacher_fixes_by_a_link_cannot_be_clicked_away(
    tmp_path: Path, executor: Executor, opened_digits: Path
) -> None:
    shutil.copytree(opened_digits, tmp_path / "digits")
    with Workbench(tmp_path / "digits", executor=executor) as workbench:
        page = Dashboard(workbench)
        query = "hide=advisor,training&fix=quantization.int8.per_channel:false,quantization.int8.samples:50"
        see(page, f"?{query}&technique=quantization.int8&samples=99")
        panel = next(one for one in inside(page) if isinstance(one, TechniquesPanel))
        panel.view()
        assert "advisor" not in shown_panels(page)
        assert "training" not in {one["family"] for one in panel.view()["techniques"]}
        (shown,) = [one for one in panel.view()["techniques"] if one["name"] == "quantization.int8"]
        assert (shown["values"]["samples"], shown["values"]["per_channel"]) == (50, False)
        assert {one["name"] for one in shown["fields"] if one["fixed"]} == {"samples", "per_channel"}
        assert set(query.split("&")) <= set(page._top_bar.view()["link"].split("&"))
        # A page can send anything.
        panel.act_check("quantization.int8", {**shown["values"], "samples": 500})
        page._top_bar.act_show(["advisor", "training", "variants"])
        panel.view()
        assert panel._values["quantization.int8"]["samples"] == 50
        assert shown_panels(page) == {"variants"}
        click(page._top_bar, "reset")
        panel.view()
        assert panel._values["quantization.int8"]["samples"] == 50
        assert "advisor" not in shown_panels(page)
        # On a projector it is one panel at a time, of those that are not hidden.
        click(page._top_bar, "project", on=True)
        assert len(shown_panels(page)) == 1
        page._top_bar.act_show(["trade-off"])
        assert shown_panels(page) == {"trade-off"}
        page._top_bar.act_show(["training"])
        assert len(shown_panels(page)) == 1
        assert "projector=1" in page._top_bar.view()["link"]
        follow(page.session, read("?learner=Ada%20%0AL"))
        assert workbench.course.learner == "Ada L"
        click(page._top_bar, "project", on=False)
        assert "variants" in shown_panels(page)


def test_a_lesson_takes_what_is_fixed_from_the_file_beside_its_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = parse_settings(
        {
            "seed": 7,
            "hidden": ["training", "trade-off"],
            "fixed": {"quantization.int8": {"samples": 50}},
            "projector": True,
            "room": "room",
        }
    )
    (tmp_path / "class.json").write_text(settings.model_dump_json(), "utf-8")
    (tmp_path / "lessons" / "en").mkdir(parents=True)
    (tmp_path / "room").mkdir()
    monkeypatch.chdir(tmp_path / "lessons" / "en")
    lesson = Lesson("4-quantization", folder=tmp_path / "w")
    assert lesson.workbench.seed == 7
    assert TrainingPanel(lesson.workbench).state["off"] is True
    assert TradeoffChart(lesson.workbench).state["off"] is True
    panel = QuantizationPanel(lesson.workbench)
    assert panel.state["off"] is False
    assert panel.state["projector"] is True
    panel.act_check("quantization.int8", {"samples": 500})
    assert panel._values["quantization.int8"]["samples"] == 50
    assert lesson.hand_in("Ada") == tmp_path / "room" / "Ada-4-quantization.zip"
    lesson.lock("size", 4)
    lesson.workbench.course.checked("4-quantization/scale", passed=True, answer="1")
    lesson.undo()
    lesson.reset()
    assert lesson.unpassed() != ()
    assert len(lesson.workbench.course.predictions) == 1
    lesson.workbench.close()


def test_a_lesson_begun_anew_keeps_its_baseline_and_brings_all_back_at_once(
    tmp_path: Path, executor: Executor, opened_digits: Path
) -> None:
    shutil.copytree(opened_digits, tmp_path / "digits")
    with Workbench(tmp_path / "digits", executor=executor) as workbench:
        workbench.delete_made()
        assert workbench.deleted == ()
        store = Store(workbench.folder)
        for name in ("one", "other"):
            copy = store.staging() / "model.keras"
            shutil.copy(workbench.baseline.path, copy)
            changes = {
                "id": name,
                "name": name,
                "parent": workbench.baseline.id,
                "technique": "structure.width",
            }
            store.add_variant(workbench.baseline.model_copy(update=changes), copy)
        store.close()
        workbench.delete_made()
        assert [one.name for one in workbench.variants] == ["dense-digits"]
        workbench.undo()
        assert [one.name for one in workbench.variants] == ["dense-digits", "one", "other"]


@pytest.mark.parametrize(
    "query",
    [
        "open=/etc/passwd,digits",
        "open=dense-digits,/etc/passwd",
        "open=dense-digits,mnist-5k",
        "open=dense-digits,digits&seed=-1",
        "technique=__class__&samples=1",
        "technique=quantization.int8&samples=[[1]]&__class__=x",
        "selected=../../etc",
        "show=<script>",
        "hide=<script>,advisor,,",
        "fix=quantization.int8.samples:many",
        "fix=__class__.x:1,,:",
        "projector=2",
    ],
)
def test_a_hostile_link_starts_nothing_and_leaves_the_page_alive(
    tmp_path: Path, executor: Executor, opened_digits: Path, query: str
) -> None:
    shutil.copytree(opened_digits, tmp_path / "digits")
    with Workbench(tmp_path / "digits", executor=executor) as workbench:
        page = Dashboard(workbench)
        see(page, f"?{query}")
        assert len(workbench.jobs) == 1
        assert page.workbench is workbench
        assert {one.name for one in tmp_path.iterdir()} == {"digits"}
        assert click(page._top_bar, "language", language="en")["facts"]


def inside(box: Any) -> Iterator[Any]:
    for widget in box.children:
        yield widget
        if hasattr(widget, "children"):
            yield from inside(widget)


def test_a_closed_workbench_is_said_on_every_panel(
    tmp_path: Path, executor: Executor, opened_digits: Path
) -> None:
    shutil.copytree(opened_digits, tmp_path / "digits")
    workbench = Workbench(tmp_path / "digits", executor=executor)
    page = Dashboard(workbench)
    panels = [one for one in inside(page) if isinstance(one, Component)]
    for panel in panels:
        panel._on_message(None, {"type": "rendered"}, [])
        assert panel.state["closed"] is None
    workbench.close()
    page.session.rhythm.flush()
    assert len(panels) > 5
    for panel in panels:
        panel._on_message(None, {"type": "echo", "frame": panel.state["frame"]}, [])
        panel._on_message(None, {"type": "act", "name": "rerun", "job": "x"}, [])
        assert "was closed" in panel.state["closed"], type(panel)
        assert len(panel.state) > 5, "what it showed is still there"


def test_data_are_looked_into_before_a_model_is_opened(
    tmp_path: Path, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "wine.csv"
    table.write_text("cultivar,ash\n" + "red,1.5\nwhite,2.5\nred,3.5\n" * 5)
    with Workbench(tmp_path / "digits", executor=executor) as workbench:
        bar = TopBar(workbench)
        assert click(bar, "look", data=str(table))["preview"]["busy"]
        until(lambda: not bar.view()["preview"]["busy"])
        shown = bar.view()["preview"]
        assert [column["name"] for column in shown["columns"]] == ["cultivar", "ash"]
        assert shown["rows"][0] == ["red", "1.5"]
        assert shown["columns"][0]["counts"] == [
            {"name": "red", "count": "10"},
            {"name": "white", "count": "5"},
        ]
        click(bar, "look", data=str(tmp_path / "missing.csv"))
        until(lambda: "error" in bar.view()["preview"])
        monkeypatch.setenv("WORKBENCH_SHARED", "1")
        assert "cannot be opened" in click(bar, "look", data="/etc/passwd")["error"]
        assert bar.view()["preview"] is None
