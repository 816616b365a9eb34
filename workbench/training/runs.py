"""Several trainings in one job, shown one after the other."""

from __future__ import annotations

from typing import get_args

from workbench.api.task import Task
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Table
from workbench.jobs.curves import curves_of, plain_curve


class RunReporter:
    """Speaks for one of several trainings: its curves go on where those of the one before ended.

    Args:
        report: That of the whole job.
        run: Which one it is, from 1.
        runs: How many there are.
        epochs: Epochs of the runs before it.
        seconds: Seconds of the runs before it.
    """

    def __init__(self, report: Reporter, run: int, runs: int, *, epochs: int, seconds: float) -> None:
        self._report = report
        self._run, self._runs = run, runs
        self._before: dict[str, float] = {curves_of(task).over_seconds: seconds for task in get_args(Task)}
        self._epochs = epochs

    def stage(self, text: Text) -> None:
        """Says which run it is, too."""
        if self._runs > 1:
            text = say("Run {run} of {runs}. {stage}", run=self._run, runs=self._runs, stage=text)
        self._report.stage(text)

    def progress(self, fraction: float) -> None:
        """Passes it on."""
        self._report.progress(fraction)

    def metric(
        self, name: str, step: float, value: float, interval: tuple[float, float] | None = None
    ) -> None:
        """Adds a point after those of the runs before."""
        self._report.metric(name, step + self._before.get(plain_curve(name), self._epochs), value, interval)

    def table(self, table: Table) -> None:
        """Passes it on."""
        self._report.table(table)

    def log(self, text: Text) -> None:
        """Passes it on."""
        self._report.log(text)

    def check(self) -> None:
        """Passes it on."""
        self._report.check()
