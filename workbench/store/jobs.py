"""The jobs of a workbench's folder, with the process that each belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from workbench.jobs.state import PROCESS_ENDED, JobKind, JobState

Execute = Callable[[str, tuple[object, ...]], list[tuple[Any, ...]]]


class JobRecords:
    """One row for each job, in the order in which they were asked for.

    Args:
        execute: Runs a query with its values and returns the rows.
        owner: The mark of this process; see :mod:`workbench.store.ownership`.
    """

    def __init__(self, execute: Execute, owner: str) -> None:
        self._execute = execute
        self._owner = owner

    def save(self, state: JobState) -> None:
        """Stores a job's state; called when its status changes, not at every progress."""
        self._execute(
            "INSERT INTO jobs (id, number, owner, status, record) "
            "VALUES (?, (SELECT COALESCE(MAX(number), 0) + 1 FROM jobs), ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET status = excluded.status, record = excluded.record",
            (state.id, self._owner, state.status, state.model_dump_json()),
        )

    def all(self) -> tuple[JobState, ...]:
        """All jobs, newest first."""
        rows = self._execute("SELECT record FROM jobs ORDER BY number DESC", ())
        return tuple(JobState.model_validate_json(record) for (record,) in rows)

    def interrupt(self, alive: set[str]) -> None:
        """Marks those as interrupted whose process is gone.

        Args:
            alive: The marks of the other processes that live.
        """
        change = {"status": "interrupted", "finished": datetime.now(UTC), "error": PROCESS_ENDED}
        for owner, state in self._under_way():
            if owner not in alive:
                self.save(state.model_copy(update=change))

    def is_behind(self, id_: str, kind: JobKind, alive: set[str]) -> bool:
        """Whether another process was asked for a job of a kind before this one, and is at it.

        Args:
            id_: The job of this process; it waits or runs.
            kind: Of the other's job.
            alive: The marks of the other processes that live.
        """
        before = takewhile(lambda entry: entry[1].id != id_, self._under_way())
        return any(owner in alive and state.kind == kind for owner, state in before)

    def _under_way(self) -> Iterator[tuple[str, JobState]]:
        """Those that wait or run, with their owners, oldest first."""
        rows = self._execute(
            "SELECT owner, record FROM jobs WHERE status IN ('queued', 'running') ORDER BY number", ()
        )
        return ((owner, JobState.model_validate_json(record)) for owner, record in rows)
