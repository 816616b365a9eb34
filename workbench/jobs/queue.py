"""The jobs of one workbench, run one after the other on the executor's loop.

One at a time costs nothing: a training takes all cores, and measuring must not be disturbed. It
gives every job a queue position that is true.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from workbench.api.errors import Cancelled
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.jobs import under_way
from workbench.jobs.executor import Executor
from workbench.jobs.job import Job
from workbench.jobs.state import PROCESS_ENDED, JobKind, JobState

_PATIENCE_SECONDS = 5.0

Work = Callable[[Job], Awaitable[Variant | None]]


class JobQueue:
    """Runs jobs in the order in which they were asked for.

    Args:
        executor: Where the work runs.
        save: Called when a job's status changes, to make it durable.
        changed: Called with every new state.
    """

    def __init__(
        self, executor: Executor, save: Callable[[JobState], None], changed: Callable[[JobState], None]
    ) -> None:
        self._executor = executor
        self._save = save
        self._changed = changed
        self._lock = threading.Lock()
        self._waiting: list[tuple[Job, Work]] = []
        self._running: Job | None = None
        self._tasks: dict[str, asyncio.Task[Variant | None]] = {}
        self._jobs: dict[str, Job] = {}

    def add(
        self,
        kind: JobKind,
        title: Text,
        request: dict[str, Any],
        work: Work,
        expected_seconds: float | None = None,
    ) -> Job:
        """Puts a job at the end of the queue and returns at once.

        Args:
            kind: What it does.
            title: In words.
            request: Enough to run it again.
            work: The coroutine function that does it.
            expected_seconds: How long it is expected to take, once it runs.
        """
        state = JobState(
            id=uuid.uuid4().hex[:12],
            kind=kind,
            title=title,
            request=request,
            expected_seconds=expected_seconds,
            created=datetime.now(UTC),
        )
        job = Job(state, self.cancel, self._save)
        with self._lock:
            self._waiting.append((job, work))
            self._jobs[job.id] = job
            position = len(self._waiting) - (self._running is None)
        under_way.begin(job.id)
        job.observe(self._changed)
        job.observe(self._pass_on)
        job.update(queue_position=max(0, position))
        self._executor.spawn(self._drain())
        return job

    def add_done(self, kind: JobKind, title: Text, request: dict[str, Any], variant: Variant) -> Job:
        """A job that has nothing to do: what it was asked for is there. It does not wait for others.

        Args:
            kind: What it was to do.
            title: In words.
            request: Enough to run it again.
            variant: What is there.
        """
        state = JobState(
            id=uuid.uuid4().hex[:12], kind=kind, title=title, request=request, created=datetime.now(UTC)
        )
        job = Job(state, self.cancel, self._save)
        with self._lock:
            self._jobs[job.id] = job
        job.observe(self._changed)
        job.begin()
        job.update(variant=variant.id, log=(say("{name} is there already.", name=variant.name),))
        job.end(variant)
        return job

    def job(self, id_: str) -> Job | None:
        """A job of this process by its identifier."""
        return self._jobs.get(id_)

    def current(self) -> tuple[JobState, ...]:
        """The states of this process's jobs, newest first."""
        return tuple(job.state for job in reversed(list(self._jobs.values())))

    def cancel(self, id_: str) -> None:
        """Cancels a job, waiting or running; one that has ended stays as it is."""
        job = self._jobs.get(id_)
        if job is not None:
            job.asked_to_stop = True
            self._stop(id_)

    def let_go_on(self, id_: str) -> None:
        """Lets a job measure beside other work, now and whenever it would wait for that again."""
        job = self._jobs.get(id_)
        if job is not None:
            job.told_to_go_on = True
            self._pass_on(job.state)

    def _pass_on(self, state: JobState) -> None:
        """Tells its worker so, as soon as it waits."""
        if state.may_go_on and self._jobs[state.id].told_to_go_on:
            self._executor.spawn(self._executor.let_go_on(state.id))

    def _stop(self, id_: str) -> None:
        with self._lock:
            waiting = next((job for job, _ in self._waiting if job.id == id_), None)
            self._waiting = [entry for entry in self._waiting if entry[0].id != id_]
        if waiting is not None:
            self._end(waiting, error=Cancelled())
            self._renumber()
        elif self._running is not None and self._running.id == id_:
            self._executor.spawn(self._stop_work(id_))

    def cancel_all(self) -> None:
        """Stops everything that waits or runs, as interrupted, and waits a moment until it has ended."""
        under_way = [job for job in self._jobs.values() if not job.state.ended]
        for job in under_way:
            self._stop(job.id)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for job in under_way:
            with suppress(Exception):  # how it ends is in its state
                job.wait(max(0.0, deadline - time.monotonic()))

    def _end(self, job: Job, error: BaseException) -> None:
        # An event loop that ends cancels its work, which nobody has asked for.
        job.end(error=error, interrupted=None if job.asked_to_stop else PROCESS_ENDED)
        under_way.end(job.id)

    async def _stop_work(self, id_: str) -> None:
        await self._executor.cancel(id_)
        task = self._tasks.get(id_)
        if task is not None:
            task.cancel()

    async def _drain(self) -> None:
        with self._lock:
            if self._running is not None or not self._waiting:
                return
            job, work = self._waiting.pop(0)
            self._running = job
        self._renumber()
        job.begin()
        task = asyncio.ensure_future(work(job))
        self._tasks[job.id] = task
        try:
            job.end(await task)
            under_way.end(job.id)
        except (Exception, asyncio.CancelledError) as error:
            self._end(job, error)
        finally:
            self._tasks.pop(job.id, None)
            with self._lock:
                self._running = None
            self._executor.spawn(self._drain())

    def _renumber(self) -> None:
        with self._lock:
            waiting = [job for job, _ in self._waiting]
        for position, job in enumerate(waiting, start=1):
            job.update(queue_position=position)
