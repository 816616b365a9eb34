"""Find on a real model: it makes and measures what serves a goal, and stands whatever happens on the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workbench.api.errors import Cancelled, InvalidInput, JobFailed, Refused
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.engine.candidates import plan_of
from workbench.engine.goal import Goal
from workbench.engine.making import Making
from workbench.jobs.executor import Executor
from workbench.measure.records import LatencyMeasurement
from workbench.workbench import Workbench

pytestmark = pytest.mark.slow
GOAL = Goal(want="faster", f1_may_fall=0.02, runtime="litert")


@pytest.fixture(scope="module")
def opened(
    opened_digits: Path, executor: Executor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workbench]:
    folder = shutil.copytree(opened_digits, tmp_path_factory.mktemp("find") / "digits")
    with Workbench(folder, executor=executor) as workbench:
        yield workbench


def test_where_everything_fails_the_job_fails_with_the_reason(
    opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(self, *arguments, **options):
        raise JobFailed(say("The disk is full."))

    monkeypatch.setattr(Making, "make", failing)
    with pytest.raises(JobFailed, match=r"Nothing could be made: .* failed: The disk is full\."):
        opened.find(GOAL).wait()


def test_find_goes_on_after_a_failure_and_is_cancelled_without_loss(
    opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Making.make

    async def failing(self, job, technique, *arguments, **options):
        if technique.name == "quantization.int8":
            raise JobFailed(say("The disk is full."))
        if technique.name == "quantization.dynamic_range":
            job.cancel()  # as somebody does who has seen enough
        return await make(self, job, technique, *arguments, **options)

    monkeypatch.setattr(Making, "make", failing)
    job = opened.find(GOAL)
    with pytest.raises(Cancelled):
        job.wait()
    assert any("Full int8 failed: The disk is full." in str(line) for line in job.state.log)
    assert [variant.name for variant in opened.variants] == ["dense-digits", "LiteRT"]
    monkeypatch.undo()

    # Asked for again it makes what is missing, and nothing twice; all of a runtime are timed in one run.
    steps = set()
    again = opened.rerun(job.id)
    again.observe(lambda state: steps.add(str(state.step)))
    found = again.wait()
    names = [variant.name for variant in opened.variants]
    assert names == ["dense-digits", "LiteRT", "int8", "dynamic range"]
    assert {"Full int8, 1 of 2", "Dynamic range (int8 weights), 2 of 2"} <= steps
    rows = {row.variant.name: row for row in opened.results()}
    assert all(row.size and row.quality and row.latency for row in rows.values())
    assert all(row.total_speedup for row in rows.values())
    runs = opened._store.measurements("latency", rows["int8"].variant.id, LatencyMeasurement)
    assert [len(run.summaries) for run in runs] == [3]

    best = opened.best()
    assert best is not None
    assert found is not None
    assert best.variant.id == found.id == again.state.variant
    assert best.change.low >= -GOAL.f1_may_fall
    assert str(opened.conclusion()) == str(again.state.log[-1])
    assert again.state.progress == 1.0
    # What Find made is an ordinary variant, whose steps can be told.
    assert opened.recipe(found.id).steps

    third = opened.find(GOAL)
    third.wait()
    assert [variant.name for variant in opened.variants] == names
    assert opened.find_seconds(GOAL) == 0
    assert len(opened._store.measurements("latency", rows["int8"].variant.id, LatencyMeasurement)) == 1


def test_what_cannot_be_tried_is_named_with_the_reason(opened: Workbench) -> None:
    baseline, info = opened.baseline, opened.dataset_info
    assert baseline is not None
    assert info is not None
    everything = plan_of(Goal(), baseline, info, opened.variants)
    assert everything.runtimes == ("litert", "onnxruntime", "openvino")
    assert everything.trials[0].technique == "quantization.int8"
    assert [trial.technique for trial in everything.fallbacks] == ["quantization.float16"]
    finished = Variant(
        id="t",
        name="t",
        format="tflite",
        path=Path("t.tflite"),
        sha256="",
        runtime="litert",
        description=baseline.description,
        created=datetime.now(UTC),
    )
    nothing = plan_of(Goal(want="faster", runtime="onnxruntime"), finished, info, (finished,))
    assert not nothing.trials
    (passed_over,) = nothing.passed_over  # the runtime itself takes it, through tf2onnx
    assert passed_over.trial.technique == "quantization.onnx_int8"
    assert "LiteRT" in str(passed_over.reason)
    with pytest.raises(Refused, match="Nothing that serves this goal"):
        opened.find(Goal(runtime="tensorrt")).wait()


def test_find_needs_a_model(tmp_path: Path, executor: Executor) -> None:
    with Workbench(tmp_path, executor=executor) as empty:
        with pytest.raises(InvalidInput, match="No model is open"):
            empty.find()
        assert empty.best() is None
