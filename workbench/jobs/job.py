"""A job as its owner sees it: a state that changes, a result to wait for, a way to cancel."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from workbench.api.display import shown as shown_in_notebook
from workbench.api.errors import Cancelled, JobFailed, WorkbenchError
from workbench.api.library_errors import with_kind
from workbench.api.observers import Observers
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import Table, Variant
from workbench.jobs.kernel import kernel_loop, run_until_done
from workbench.jobs.pace import Pace
from workbench.jobs.state import JobState
from workbench.jobs.waiting import mime_bundle, shown

if TYPE_CHECKING:
    from workbench.workbench import Workbench

_MOST_POINTS = 1000
_MOST_LINES = 200


class Job:
    """Something on its way. Made by the workbench only.

    ``job.wait()`` returns its variant or raises its error, ``await job`` does the same in a coroutine. Both
    show how far it is, in a notebook below the cell and in a terminal on standard error, and both leave the
    panels of a notebook alive. As the last line of a cell, ``job`` is a card that shows it live.

    Example:
        >>> job = workbench.quantization.float16()
        >>> job.wait().name
        'float16'
        >>> job.state.status
        'done'
    """

    def __init__(
        self, state: JobState, cancel: Callable[[str], None], save: Callable[[JobState], None]
    ) -> None:
        self._state = state
        self._cancel = cancel
        self._save = save
        save(state)
        self._observers: Observers[JobState] = Observers()
        self._outcome: concurrent.futures.Future[Variant | None] = concurrent.futures.Future()
        self._phase: tuple[float, float] = (0.0, 1.0)
        self._pace: Pace | None = None
        self._stage_before: Text | None = None
        self.workbench: weakref.ref[Workbench] | None = None
        """The workbench that it belongs to, for who wants to see what came out."""
        self.told_to_go_on = False
        """Whether somebody has said that it should not wait until the machine is quiet."""
        self.asked_to_stop = False
        """Whether somebody has cancelled it: work that ends with its process was not asked to."""

    @property
    def id(self) -> str:
        """Identifier inside its workbench."""
        return self._state.id

    @property
    def state(self) -> JobState:
        """What is known of it now."""
        return self._state

    def wait(self, timeout: float | None = None) -> Variant | None:
        """Waits until it ends, and shows how far it is.

        Args:
            timeout: Seconds to wait at most; None for ever.

        Returns:
            The variant that it made; None if it makes none.

        Raises:
            WorkbenchError: Why it failed.
            Cancelled: If it was cancelled.
            TimeoutError: If it has not ended in time; it goes on.
        """
        loop = kernel_loop()
        with shown(self):
            if loop is None:
                return self._outcome.result(timeout)
            if not run_until_done(loop, self._outcome, timeout):
                raise TimeoutError
            return self._outcome.result()

    def __await__(self) -> Generator[Any, None, Variant | None]:
        return self._awaited().__await__()

    async def _awaited(self) -> Variant | None:
        with shown(self):
            # Shielded: who stops waiting does not take the outcome from those who go on.
            return await asyncio.shield(asyncio.wrap_future(self._outcome))

    def cancel(self) -> None:
        """Asks it to stop; what was finished before stays."""
        self._cancel(self.id)

    def observe(self, callback: Callable[[JobState], None]) -> Callable[[], None]:
        """Calls back with every new state; calling what is returned stops that."""
        return self._observers.add(callback)

    def __repr__(self) -> str:
        return f"Job({self.id!r}, {self._state.status}, {str(self._state.title)!r})"

    def _repr_html_(self) -> str | None:
        return cast("str | None", shown_in_notebook("job", self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return mime_bundle(self, shown_in_notebook("live job", self))

    # -- for the queue that runs it -----------------------------------------------------------

    def update(self, **changes: Any) -> None:
        """Replaces the state by one with ``changes`` and tells the observers.

        A new status is made durable before anyone hears of it.
        """
        before = self._state.status
        self._state = self._state.model_copy(update=changes)
        if self._state.status != before:
            self._save(self._state)
        self._observers.notify(self._state)

    def begin(self) -> None:
        """Marks it as running."""
        self._pace = Pace(
            time.monotonic(), self._state.expected_seconds, even=self._state.kind in ("find", "advise")
        )
        self.update(
            status="running",
            started=datetime.now(UTC),
            queue_position=0,
            progress=0.0,
            eta_seconds=self._state.expected_seconds,
        )

    def phase(self, start: float, end: float, stage: Text) -> None:
        """Maps the progress of the work that follows to a part of the whole.

        Args:
            start: Share of the job done before it, 0 to 1.
            end: Share of the job done after it.
            stage: What it is, in words.
        """
        self._phase = (start, end)
        left = None
        if self._pace is not None:
            self._pace.phase(start, end)
            left = self._pace.at_once(time.monotonic(), start)
        self.update(stage=stage, progress=start, **self._time_left(left))

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Takes one event of a worker process."""
        kind = event["type"]
        if kind == "progress":
            start, end = self._phase
            progress = start + (end - start) * min(1.0, max(0.0, float(event["fraction"])))
            progress = max(progress, self._state.progress or 0.0)  # of two side by side, the further
            self.update(progress=progress, **self._time_left(self._eta(progress)))
        elif kind == "queued":
            self.update(
                queue_position=int(event["position"]),
                **self._waits(),
                stage=say(
                    "Waiting for a worker: {count} job is before this one",
                    "Waiting for a worker: {count} jobs are before this one",
                    count=event["position"],
                ),
            )
        elif kind == "started":
            self.update(queue_position=0, **self._waits_no_longer())
        elif kind == "waiting" and event["text"] is not None:
            self.update(stage=_text(event["text"]), may_go_on=bool(event["may_go_on"]), **self._waits())
        elif kind == "waiting":
            self.update(may_go_on=False, **self._waits_no_longer())
        elif kind == "stage":
            self.update(stage=_text(event["text"]))
        elif kind == "log":
            self.update(log=(*self._state.log, _text(event["text"]))[-_MOST_LINES:])
        elif kind == "metric":
            points = tuple(tuple(point) for point in event["points"])
            curve = self._state.metrics.get(event["name"], ())
            if curve and points and points[0][0] < curve[-1][0]:
                curve = ()  # a second evaluation in the same job begins its curve anew
            curve = (*curve, *points)
            if len(curve) > _MOST_POINTS:  # every other point, and always the last
                curve = (*curve[:-1:2], curve[-1])
            self.update(metrics={**self._state.metrics, event["name"]: curve})
        elif kind == "table":
            table = event["table"]
            table = table if isinstance(table, Table) else Table.model_validate(table)
            others = [one for one in self._state.tables if one.title != table.title]
            self.update(tables=(*others, table))

    def end(
        self,
        result: Variant | None = None,
        error: BaseException | None = None,
        interrupted: Text | None = None,
    ) -> None:
        """Ends it.

        Args:
            result: What it made.
            error: What it ended with instead.
            interrupted: Why it was stopped, where nobody asked for that.
        """
        finished = {
            "finished": datetime.now(UTC),
            "eta_seconds": None,
            "late": False,
            "step": None,
            "queue_position": 0,
            "waiting_since": None,
            "may_go_on": False,
        }
        if error is None:
            self.update(status="done", progress=1.0, stage=None, **finished)
            self._outcome.set_result(result)
        elif isinstance(error, (Cancelled, asyncio.CancelledError)):
            status = "cancelled" if interrupted is None else "interrupted"
            self.update(status=status, error=interrupted, stage=None, **finished)
            self._outcome.set_exception(Cancelled())
        else:
            failure = error if isinstance(error, WorkbenchError) else JobFailed(unexpected(error))
            self.update(status="failed", error=failure.text, **finished)
            failure.__cause__ = error if failure is not error else error.__cause__
            self._outcome.set_exception(failure)

    def _waits(self) -> dict[str, Any]:
        if self._state.waiting_since is None:
            self._stage_before = self._state.stage
        return {"waiting_since": self._state.waiting_since or datetime.now(UTC), "eta_seconds": None}

    def _waits_no_longer(self) -> dict[str, Any]:
        since = self._state.waiting_since
        if since is None:
            return {}
        if self._pace is not None:  # the time left is estimated from the time at work
            self._pace.waited((datetime.now(UTC) - since).total_seconds())
        return {"waiting_since": None, "stage": self._stage_before}

    def _time_left(self, seconds: float | None) -> dict[str, Any]:
        return {"eta_seconds": seconds, "late": self._pace is not None and self._pace.late}

    def _eta(self, progress: float) -> float | None:
        return None if self._pace is None else self._pace.seconds_left(time.monotonic(), progress)


def unexpected(error: BaseException) -> Text:
    """An error that nobody foresaw, in words."""
    return say(
        "This failed in a way that was not foreseen: {error}",
        error=verbatim(with_kind(error)),
    )


def _text(value: Text | Mapping[str, Any]) -> Text:
    return value if isinstance(value, Text) else Text.model_validate(value)
