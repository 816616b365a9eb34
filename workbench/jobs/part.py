"""One part of a job's work, which speaks as if it were all of it."""

from __future__ import annotations

from workbench.api.technique import Reporter
from workbench.api.text import Text
from workbench.api.variant import Table


class PartReporter:
    """A reporter whose progress from 0 to 1 is a part of another's.

    Args:
        report: The whole job's.
        start: Where the part begins, 0 to 1.
        end: Where it ends.
    """

    def __init__(self, report: Reporter, start: float, end: float) -> None:
        self._report, self._start, self._end = report, start, end
        self._reached = start

    def stage(self, text: Text) -> None:
        """Says what is being done now."""
        self._report.stage(text)

    def progress(self, fraction: float) -> None:
        """Says how much of the part is done, 0 to 1; what is done again does not take it back."""
        self._reached = max(self._reached, self._start + (self._end - self._start) * fraction)
        self._report.progress(min(1.0, self._reached))

    def metric(
        self, name: str, step: float, value: float, interval: tuple[float, float] | None = None
    ) -> None:
        """Adds a point to a live curve."""
        self._report.metric(name, step, value, interval)

    def table(self, table: Table) -> None:
        """Shows a table as far as it is filled."""
        self._report.table(table)

    def log(self, text: Text) -> None:
        """Adds a line to the job's log."""
        self._report.log(text)

    def wait(self, reason: Text | None, may_go_on: bool) -> bool:
        """Says that the work waits; see :class:`workbench.jobs.slot.CanWait`."""
        wait = getattr(self._report, "wait", None)
        return wait is not None and bool(wait(reason, may_go_on))

    def check(self) -> None:
        """Raises if the user has cancelled the job."""
        self._report.check()
