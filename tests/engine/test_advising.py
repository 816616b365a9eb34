"""The advisor on a real model: it makes ordinary variants, and stands whatever happens on the way."""

from __future__ import annotations

import asyncio
import html
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from workbench.advisor.ledger import Row
from workbench.api.errors import Cancelled, InvalidInput, JobFailed
from workbench.api.recipe import Recipe
from workbench.api.text import say
from workbench.engine.advice_run import kept_ledger
from workbench.engine.making import Making
from workbench.jobs.executor import Executor
from workbench.measure.records import LatencyMeasurement
from workbench.store import Store
from workbench.workbench import Workbench

pytestmark = pytest.mark.slow
DEMANDS = {"size_kb": 12, "loss_points": 2, "runtime": "litert", "training": False}


@pytest.fixture(scope="module")
def opened(
    opened_digits: Path, executor: Executor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workbench]:
    folder = shutil.copytree(opened_digits, tmp_path_factory.mktemp("advise") / "digits")
    with Workbench(folder, executor=executor) as workbench:
        yield workbench


def test_one_that_is_cancelled_keeps_what_it_has_found_and_is_continued(
    opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, failed_first = Making.make, []

    async def failing(self, job, technique, *arguments, **options):
        if technique.name.startswith("quantization") and not failed_first:
            failed_first.append(technique.name)
            raise JobFailed(say("The disk is full."))
        variant = await make(self, job, technique, *arguments, **options)
        if technique.name.startswith("quantization"):
            job.cancel()  # as somebody does who has seen enough
        return variant

    with monkeypatch.context() as patch:
        patch.setattr(Making, "make", failing)
        advice = opened.advise(**DEMANDS)
        with pytest.raises(Cancelled):
            advice.wait()
    before = advice.ledger
    assert not before.done
    assert before.spent_s > 0
    first = {variant.id for variant in opened.variants}
    assert len(first) > 1

    advice = opened.advise(**DEMANDS).wait()
    ledger = advice.ledger
    assert ledger.done
    assert ledger.spent_s > before.spent_s  # of the same time
    assert first <= {variant.id for variant in opened.variants}
    failed = {row.key for row in before.rows if row.status == "failed"}
    assert len(failed) == len(failed_first) == 1
    assert failed == {row.key for row in ledger.rows if row.status == "failed"}  # it is not tried again

    winner = advice.winner
    assert winner is not None
    row = ledger.row(ledger.winner)
    size = next(one.size for one in opened.results() if one.variant.id == winner.id)
    assert size is not None
    assert row.observed is not None
    assert row.observed.file_bytes == size.file_bytes <= 12_000
    assert winner.runtime == "litert"
    assert ledger.winner in ledger.confirmed
    assert {run.protocol for run in opened._store.measurements("latency", winner.id, LatencyMeasurement)} == {
        "quick",
        "final",
    }
    for one in ledger.rows:
        if one.number is not None and one.observed is not None and one.foreseen is not None:
            assert one.observed.file_bytes == pytest.approx(one.foreseen.file_bytes.value, rel=0.2)
    keys = {one.key for one in ledger.rows}
    assert all(set(sentence.rows) <= keys for sentence in advice.sentences)
    assert winner.name in {one.name for one in opened.variants}
    assert str(row.title) in str(advice)
    assert "<table>" in advice._repr_html_()
    demands = str(advice.demands.words("classification"))
    assert demands in repr(advice)
    assert f"<b>{html.escape(demands)}</b>" in advice._repr_html_()

    # Another process, or the next session, sees the same.
    with Workbench(opened.folder, executor=opened.executor) as again:
        assert again.ledger == ledger
    # Who asks the same once more is answered from what is there: nothing is made twice.
    again_at_once = opened.advise(**DEMANDS).wait().ledger
    assert again_at_once.winner is not None
    assert {row.key for row in ledger.rows if row.observed} <= {
        row.key for row in again_at_once.rows if row.observed
    }
    names = [one.name for one in opened.variants]
    assert len(set(names)) == len(names)


def test_one_that_is_killed_goes_on_where_it_was(
    opened: Workbench, opened_digits: Path, scheduler: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(opened_digits, tmp_path / "killed")
    demands = {"size_kb": 40, "loss_points": 2, "runtime": "onnxruntime", "training": False}
    program = f"""
from workbench import Workbench
with Workbench({str(folder)!r}) as workbench:
    print(workbench.advise(**{demands!r}).wait())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "WORKBENCH_SCHEDULER": scheduler}
    )
    with closing(Store(folder)) as store:
        deadline = time.monotonic() + 600  # against hanging only
        while not any(row.number for row in _rows(store)) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
        process.wait()
        before = kept_ledger(store)
    assert before is not None
    assert not before.done
    tried = {row.key: row.observed for row in before.rows if row.number is not None}
    assert tried
    with Workbench(folder, executor=opened.executor) as workbench:
        assert workbench.jobs[0].status == "interrupted"
        ledger = workbench.advise(**demands).wait().ledger
    assert ledger.done
    assert ledger.spent_s > before.spent_s
    for key, observed in tried.items():
        row = ledger.row(key)
        assert row.number == before.row(key).number
        assert row.observed is not None
        assert observed is not None
        assert row.observed.variant == observed.variant  # not made again


def _rows(store: Store) -> tuple[Row, ...]:
    kept = kept_ledger(store)
    return () if kept is None or kept.demands.runtime != "onnxruntime" else kept.rows


def test_what_cannot_be_reached_costs_no_trial(opened: Workbench) -> None:
    count = len(opened.variants)
    with pytest.raises(InvalidInput, match="size_kb"):
        opened.run(Recipe(advise={"kilobytes": 1}))
    asked = {"size_kb": 0.5, "runtime": "litert", "training": False}
    assert opened.run(Recipe(advise=asked)).wait() is None
    advice = opened.advise(**asked).wait()
    assert len(opened.variants) == count
    assert advice.winner is None
    assert "No file reaches 0.5 kB: the nearest is" in str(advice)
    assert opened.job(advice.job.id) is not None
    assert "No file reaches" in str(advice.job.state.log[0])


def test_a_trial_that_takes_longer_than_there_is_time_is_stopped(
    opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(self, job, *arguments, **options):
        await asyncio.sleep(3600)

    monkeypatch.setattr(Making, "make", endless)
    advice = opened.advise(minutes=1, runtime="openvino", training=False).wait(600)
    assert advice.ledger.done
    assert "was stopped: the time was up." in str(advice.job.state.log[0])
    assert advice.winner is None
    assert any("The time was up" in str(sentence.text) for sentence in advice.sentences)
