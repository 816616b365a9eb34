"""A room of visitors: what one has had made and measured appears for the next at once, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.jobs.conftest import until
from workbench.engine.shared_mode import SHELF_VARIABLE
from workbench.jobs.executor import Executor
from workbench.jobs.reporter import SilentReporter
from workbench.jobs.slot import shared_slot
from workbench.measure.records import LatencyMeasurement
from workbench.models.demo.demo import DEMO_MODELS
from workbench.results.lookup import row_of
from workbench.results.rows import ResultRow
from workbench.techniques import technique
from workbench.workbench import Workbench

Enter = Callable[[str], Workbench]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("room")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_SHARED", "1")
        patch.setenv("WORKBENCH_UPLOADS", "1")
        patch.setenv(SHELF_VARIABLE, str(folder / "shelf"))
        yield folder


@pytest.fixture(scope="module")
def enter(room: Path, executor: Executor) -> Iterator[Enter]:
    visitors: list[Workbench] = []

    def one(name: str) -> Workbench:
        visitors.append(Workbench(room / name, executor=executor))
        return visitors[-1]

    yield one
    for visitor in visitors:
        visitor.close()


@pytest.fixture(scope="module")
def first(enter: Enter) -> Workbench:
    visitor = enter("first")
    visitor.open("dense-digits", "digits").wait()
    visitor.quantization.float16().wait()
    return visitor


@pytest.mark.slow
def test_the_next_visitor_has_it_at_once_and_measures_it_for_themselves_when_asked(
    first: Workbench, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_runs(*arguments: object, **options: object) -> None:
        raise AssertionError(arguments)

    second = enter("second")
    with monkeypatch.context() as patch:
        patch.setattr(second.executor, "run", nothing_runs)
        second.open("dense-digits", "digits").wait()
        made = second.quantization.float16().wait()
    assert made is not None
    theirs, own = first.results(), second.results()
    assert [row.variant.name for row in own] == ["dense-digits", "LiteRT", "float16"]
    assert all(row.measured_before is None for row in theirs)
    for before, after in zip(sorted(theirs, key=_name), sorted(own, key=_name), strict=True):
        changes = {"variant": before.variant, "measured_before": None}
        assert after.model_copy(update=changes) == before
        assert after.measured_before is not None
        assert after.variant.path.is_relative_to(second.folder)
        assert after.variant.path.samefile(before.variant.path)
    assert second.details(made.id) == first.details(made.id)
    assert second.dataset.folder.is_relative_to(second.folder)

    second.measure([made.id], "quick").wait()
    again = row_of(second.results(), made.id)
    assert again is not None
    assert again.measured_before is None
    # Which of the two runs is shown depends on how quiet the machine was.
    runs, theirs_runs = (
        one._store.measurements("latency", made.id, LatencyMeasurement) for one in (second, first)
    )
    assert len(runs) == len(theirs_runs) + 1


@pytest.mark.slow
def test_those_who_ask_together_have_it_made_once_and_see_size_and_quality_before_it_is_timed(
    first: Workbench, enter: Enter
) -> None:
    visitors = [enter(f"together {number}") for number in range(3)]
    for visitor in visitors:
        visitor.open("dense-digits", "digits").wait()
    with shared_slot(SilentReporter()):  # nothing is timed
        jobs = [visitor.quantization.dynamic_range() for visitor in visitors]
        until(lambda: all(_latest(visitor).quality_change is not None for visitor in visitors))
        assert all(_latest(visitor).size is not None for visitor in visitors)
        assert all(_latest(visitor).latency is None for visitor in visitors)
        assert not any(job.state.ended for job in jobs)
    with ThreadPoolExecutor(len(jobs)) as pool:
        made = list(pool.map(lambda job: job.wait(), jobs))
    assert len({one.id for one in made}) == 1
    assert len({one.path.stat().st_ino for one in made}) == 1
    rows = [row_of(visitor.results(), made[0].id) for visitor in visitors]
    assert [row.measured_before for row in rows].count(None) == 1
    assert len({row.latency.p50_ms.value for row in rows}) == 1
    assert len({row.speed.speedup.value for row in rows}) == 1


@pytest.mark.slow
def test_what_is_a_visitors_own_never_reaches_another(first: Workbench, enter: Enter, room: Path) -> None:
    entries = room / "shelf" / "entries"
    before = set(entries.iterdir())
    owner = enter("owner")
    file = owner.folder / "mine.keras"
    file.write_bytes(DEMO_MODELS["dense-digits"].path.read_bytes())
    owner.open(str(file), "digits").wait()
    assert set(entries.iterdir()) == before
    assert owner._store.facts("key ") == {}  # so nothing that is made from it is anybody else's either

    namer = enter("namer")
    baseline = namer.open("dense-digits", "digits").wait()
    assert baseline is not None
    shelving = namer._pipeline._shelving
    chosen = technique("quantization.float16")

    def key() -> str | None:
        return asyncio.run(shelving.key_of_step(chosen, baseline, chosen.parameters_type()))

    assert key() is not None
    namer.rename(baseline.id, "a secret")  # which would be in the names of what is made from it
    assert key() is None
    assert set(entries.iterdir()) == before


def _latest(visitor: Workbench) -> ResultRow:
    return next(row for row in reversed(visitor.results()) if not row.variant.automatic)


def _name(row: ResultRow) -> str:
    return row.variant.name
