"""The table of a grid's times while it fills, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.api.technique import Reporter
from workbench.api.text import say
from workbench.measure.latency import Candidate
from workbench.measure.narrowing import SoFar
from workbench.measure.records import LatencySummary
from workbench.techniques.inference.grid.cells import Cell
from workbench.techniques.inference.grid.choice import Time, times_table


class Filling:
    """Shows the cells of a grid as they are timed; sees what :func:`workbench.measure.grid.time_grid` does.

    Args:
        report: Is shown the table.
        cells: All cells that will be timed, by the identifiers of their candidates, in their order.
    """

    def __init__(self, report: Reporter, cells: Mapping[str, Cell]) -> None:
        self._report = report
        self._cells = cells
        self._times: dict[str, Time] = {}
        self._done: set[str] = set()
        self._show()

    def so_far(self, candidate: Candidate, found: SoFar) -> None:
        """A file is being timed: first alone, then round by round among the others of its process."""
        if candidate.variant in self._done:
            return  # the reference of the other processes
        new = candidate.variant not in self._times
        low, high = found.interval or (None, None)
        self._times[candidate.variant] = found.median_ms, low, high
        if new:
            self._report.stage(
                say("Timing combination {number} of {count}", number=len(self._times), count=len(self._cells))
            )
        self._show()

    def done(self, candidate: Candidate, summary: LatencySummary) -> None:
        """All of a file's rounds are over."""
        self._done.add(candidate.variant)
        p50 = summary.p50_ms
        self._times[candidate.variant] = p50.value, p50.low, p50.high
        self._show()

    def lost(self, candidates: list[Candidate]) -> None:
        """A process has failed: what was seen of its files is not believed."""
        for candidate in candidates:
            if candidate.variant not in self._done:
                self._times.pop(candidate.variant, None)
        self._show()

    def _show(self) -> None:
        moving = len(self._times) - len(self._done)
        counted = {"done": len(self._done), "count": len(self._cells)}
        note = (
            say(
                "{done} of {count} combinations are timed; {moving} are being timed, and their numbers still "
                "move.",
                moving=moving,
                **counted,
            )
            if moving
            else say("{done} of {count} combinations are timed.", **counted)
        )
        self._report.table(
            times_table({cell: self._times.get(name) for name, cell in self._cells.items()}, note)
        )
