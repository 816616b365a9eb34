"""The whole page before and after somebody sees it: preheated, twice on one folder, back to another model."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from widgets import Dashboard
from widgets.panels.jobs import JobsLine
from widgets.panels.top_bar import TopBar
from widgets.session import session_of
from workbench.jobs.executor import Executor
from workbench.siblings import folder_beside, last_used, siblings
from workbench.workbench import Workbench

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    executor = Executor()
    executor.start()
    yield executor
    executor.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, executor: Executor) -> Path:
    """A workbench with a model. Copy it, do not use it."""
    folder = tmp_path_factory.mktemp("made") / "digits"
    with Workbench(folder, executor=executor) as workbench:
        workbench.open("dense-digits", "digits").wait()
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of somebody who has named none."""
    for name in ("WORKBENCH_FOLDER", "WORKBENCH_SHARED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "neural-workbench"


def see(page: Dashboard) -> None:
    """What a page says when it shows the widget for the first time."""
    page._top_bar._handle_custom_msg({"type": "rendered"}, [])


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
    home: Path, executor: Executor, made: Path
) -> None:
    shutil.copytree(made, home / "default")
    first = Workbench(home / "default", executor=executor)
    session = session_of(first)
    bar = TopBar(session)
    assert [one["value"] for one in bar.state["workbenches"]] == ["default"]
    click(bar, "open", model="dense-breast-cancer", data="breast-cancer")
    second = session.workbench
    assert second.folder == home / "default-2"
    assert last_used() == second.folder
    until(lambda: second.baseline is not None)
    until(lambda: len(session.siblings) == 2)
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


def test_an_opening_that_fails_leaves_the_page_as_it_was(home: Path, executor: Executor, made: Path) -> None:
    shutil.copytree(made, home / "default")
    first = Workbench(home / "default", executor=executor)
    session = session_of(first)
    bar, jobs = TopBar(session), JobsLine(session)
    before = bar.state["facts"]
    click(bar, "open", model="dense-digits", data="breast-cancer")
    second = session.workbench
    assert second.folder == home / "default-2"
    until(lambda: session.workbench is first)
    shown = click(bar, "language", language="en")
    assert (shown["facts"], shown["workbench"]) == (before, "default")
    assert last_used() == first.folder
    until(lambda: not (home / "default-2").exists())
    jobs._on_message(None, {"type": "rendered"}, [])
    (said,) = (job for job in jobs.view()["jobs"] if job["id"] == jobs.view()["failed"])
    assert "takes samples of shape (8, 8, 1)" in said["error"]
    assert not said["rerun"]
    first.close()


def test_a_visitor_sees_no_other_visitor(
    tmp_path: Path, executor: Executor, monkeypatch: pytest.MonkeyPatch, made: Path
) -> None:
    for visitor in ("a", "b"):
        shutil.copytree(made, tmp_path / visitor)
    assert [one.folder.name for one in siblings(tmp_path / "a")] == ["a", "b"]
    monkeypatch.setenv("WORKBENCH_SHARED", "1")
    monkeypatch.setenv("WORKBENCH_FOLDER", str(tmp_path / "a"))
    assert [one.folder for one in siblings(tmp_path / "a")] == [tmp_path / "a"]
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


def test_another_programs_folder_is_no_sibling(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("foreign", b"not a database at all")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "workbench.sqlite").write_bytes(content)
    assert siblings(tmp_path / "empty") == ()


def test_a_model_opened_while_another_is_opening_gets_a_folder_of_its_own(
    executor: Executor, tmp_path: Path
) -> None:
    first = Workbench(tmp_path / "first", executor=executor)
    session = session_of(first)
    session.open("dense-digits", "digits")
    session.open("dense-breast-cancer", "breast-cancer")
    second = session.workbench
    assert second.folder.parent == first.folder.parent
    for workbench, model in ((first, "dense-digits"), (second, "dense-breast-cancer")):
        job = workbench.job(workbench.jobs[0].id)
        assert job is not None
        job.wait()
        assert workbench.baseline is not None
        assert workbench.baseline.name == model
        workbench.close()
