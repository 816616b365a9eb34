"""What is looked at beside the making of the next: in order, quietly, and not left behind."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from tests.widgets.result_rows import variant
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.engine.looking import Looking
from workbench.jobs.job import Job
from workbench.jobs.state import JobState
from workbench.jobs.told import Told

MADE = [variant(name, name) for name in ("first", "second", "third")]


def job_at_work() -> Job:
    state = JobState(id="j", kind="find", title=say("Find"), request={}, created=datetime.now(UTC))
    job = Job(state, lambda _: None, lambda _: None)
    job.begin()
    job.phase(0.2, 0.4, say("Converting"))
    return job


def test_what_is_good_comes_in_order_and_speaks_for_the_job_only_when_waited_for() -> None:
    async def main() -> None:
        job, go = job_at_work(), asyncio.Event()

        async def look(aside: Told, one: Variant) -> bool:
            await go.wait()
            aside.on_event({"type": "progress", "fraction": 1.0})
            aside.on_event({"type": "metric", "name": one.id, "points": [(1.0, 0.5)]})
            return one.id != "second"

        async with Looking(job, look) as looking:
            looking.begin(MADE[0])
            go.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert "first" in job.state.metrics
            assert job.state.progress == 0.2
            for one in MADE[1:]:
                looking.begin(one)
            assert [one.id for one in await looking.finished()] == ["first", "third"]
        assert job.state.progress == 0.4
        assert list(job.state.metrics) == ["first", "second", "third"]

    asyncio.run(main())


def test_nothing_is_left_at_work_when_the_making_fails() -> None:
    async def main() -> None:
        stopped, never = [], asyncio.Event()

        async def look(_: Told, one: Variant) -> bool:
            try:
                await never.wait()
            finally:
                stopped.append(one.id)
            return True

        async def make() -> None:
            async with Looking(job_at_work(), look) as looking:
                for one in MADE[:2]:
                    looking.begin(one)
                await asyncio.sleep(0)
                raise OSError("The disk is full.")

        with pytest.raises(OSError, match="full"):
            await make()
        assert stopped == ["first"]
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_look_that_fails_is_heard_of() -> None:
    async def main() -> None:
        async def look(_: Told, one: Variant) -> bool:
            raise OSError(one.id)

        async with Looking(job_at_work(), look) as looking:
            for one in MADE:
                looking.begin(one)
            with pytest.raises(OSError, match="first"):
                await looking.finished()

    asyncio.run(main())
