"""Who hears of a step's events: a job, or a part of it that runs beside another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from workbench.jobs.state import JobState


class Told(Protocol):
    """What a step needs of the job that it belongs to."""

    @property
    def id(self) -> str:
        """Identifier of the job, by which it is cancelled."""

    @property
    def state(self) -> JobState:
        """What is known of the job now."""

    def update(self, **changes: Any) -> None:
        """Replaces the job's state by one with ``changes``."""

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Takes one event of a worker process."""


class Aside:
    """A job as the work beside its main work sees it: how far that is and what it does is not its to say.

    Args:
        job: The job.
    """

    _MAIN = frozenset({"progress", "stage", "queued", "started", "waiting"})

    def __init__(self, job: Told) -> None:
        self._job = job
        self.alone = False
        """Whether the main work waits for this: then it speaks for the job."""

    @property
    def id(self) -> str:
        """Identifier of the job."""
        return self._job.id

    @property
    def state(self) -> JobState:
        """What is known of the job now."""
        return self._job.state

    def update(self, **changes: Any) -> None:
        """Replaces the job's state by one with ``changes``."""
        self._job.update(**changes)

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Passes on what is said of the work itself, such as curves and the log."""
        if self.alone or event["type"] not in self._MAIN:
            self._job.on_event(event)
