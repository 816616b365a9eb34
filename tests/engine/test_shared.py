"""A page that strangers use: what it refuses to open, one job at a time, a limit for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.judging import judged
from workbench.api.errors import Cancelled, JobFailed, Refused
from workbench.engine import submit
from workbench.engine.shared_mode import JOB_LIMITS, require_allowed
from workbench.jobs.limits import Limits
from workbench.workbench import Workbench


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("WORKBENCH_SHARED", "1")
    return monkeypatch


def test_every_file_may_be_opened_where_the_page_is_ones_own(tmp_path: Path) -> None:
    require_allowed("/etc/passwd", "/etc/shadow", tmp_path)


def test_a_stranger_opens_what_ships_and_nothing_of_the_server(
    shared: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require_allowed("dense-digits", "digits", tmp_path)
    own = tmp_path / "uploads" / "model.keras"
    for model, data in [("/etc/passwd", "digits"), ("dense-digits", Path("/etc/shadow")), (own, "digits")]:
        with pytest.raises(Refused, match="shared page") as refused:
            require_allowed(model, data, tmp_path)
        assert "dense-digits" in str(refused.value) or "digits" in str(refused.value)


def test_a_stranger_opens_what_they_have_sent_and_no_way_out_of_it(
    shared: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shared.setenv("WORKBENCH_UPLOADS", "1")
    folder = tmp_path / "visitor"
    folder.mkdir()
    (folder / "link.keras").symlink_to("/etc/passwd")
    require_allowed(folder / "staging" / "model.keras", "digits", folder)
    for way_out in (folder / ".." / "other" / "model.keras", folder / "link.keras"):
        with pytest.raises(Refused, match="shared page"):
            require_allowed(way_out, "digits", folder)


@pytest.fixture
def visitor(shared: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path / "visitor") as workbench:
        workbench.open("dense-digits", "digits").wait()
        yield workbench


@pytest.mark.slow
def test_a_visitor_has_one_job_at_a_time_and_each_ends_at_its_limit(
    visitor: Workbench, shared: pytest.MonkeyPatch
) -> None:
    running = visitor.apply("structure.width", epochs=1000, patience=0)
    waiting = [visitor.apply("quantization.float16") for _ in range(3)]
    with pytest.raises(Refused, match="at most 3 jobs of a visitor wait"):
        visitor.apply("quantization.float16")
    assert {job.state.status for job in waiting} == {"queued"}
    for job in (*waiting, running):
        job.cancel()
    with pytest.raises(Cancelled):
        running.wait()

    assert JOB_LIMITS.wall_seconds is not None
    shared.setattr(submit, "JOB_LIMITS", Limits(wall_seconds=4))
    with pytest.raises(JobFailed, match=r"4 s|4 seconds"):
        visitor.apply("structure.width", epochs=1000, patience=0).wait()

    shared.setattr(submit, "JOB_LIMITS", JOB_LIMITS)  # the worker that was ended has a successor
    made = judged(visitor, visitor.apply("quantization.float16"))
    assert made.format == "tflite"
