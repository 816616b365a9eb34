"""One search of the advisor on its way: its time, its share of the job, and its ledger."""

from __future__ import annotations

import time

from pydantic import ValidationError

from workbench.advisor.cells import Cell, Space
from workbench.advisor.demands import Demands
from workbench.advisor.ledger import Ledger, Outlook
from workbench.advisor.recording import ledger_of
from workbench.advisor.search import Search
from workbench.api.number_format import size
from workbench.api.number_format import time as time_words
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.engine.context import JobContext
from workbench.jobs.job import Job
from workbench.results.rows import ResultRow
from workbench.store import Store

FACT = "advice"
"""The fact that keeps the ledger."""

_MOST_FOR_CONFIRMING = 0.6
"""Of the time that is given. Where confirming the best takes more, all of it is for trials."""
_USUAL_TRIALS = 8


def kept_ledger(store: Store) -> Ledger | None:
    """The ledger of the last search in a folder; None before there was one."""
    kept = store.fact(FACT)
    try:
        return None if kept is None else Ledger.model_validate_json(kept)
    except ValidationError:  # of another release
        return None


class AdviceRun:
    """One search on its way.

    Args:
        job: Hears of the progress.
        context: Where the ledger is kept.
        demands: What is needed.
        space: What may be tried, and what cannot be.
        search: What is known of it.
        baseline: The model as it came.
        started: When it began, by the monotonic clock; earlier where an interrupted search goes on.
        confirming_s: How long confirming the best is expected to take.
    """

    def __init__(
        self,
        job: Job,
        context: JobContext,
        demands: Demands,
        space: Space,
        search: Search,
        baseline: Variant,
        started: float,
        confirming_s: float,
    ) -> None:
        self.job = job
        self.space = space
        self.search = search
        self.baseline = baseline
        self.numbers: dict[str, int] = {}
        self.foreseen: dict[str, Outlook] = {}
        self.confirmed: dict[str, ResultRow] = {}
        self.done = False
        self.out_of_time = False
        self._context = context
        self._demands = demands
        self._started = started
        self._tried = 0
        whole = None if demands.minutes is None else 60 * demands.minutes
        self._whole = whole
        fits = whole is not None and confirming_s <= _MOST_FOR_CONFIRMING * whole
        self._reserved = confirming_s if fits else 0.0

    @property
    def spent_s(self) -> float:
        """Seconds since it began, those before an interruption included."""
        return time.monotonic() - self._started

    @property
    def whole_seconds_left(self) -> float | None:
        """Until the time is up; None without a limit."""
        return None if self._whole is None else self._whole - self.spent_s

    @property
    def seconds_left(self) -> float | None:
        """For trials: what confirming the best needs is not theirs."""
        left = self.whole_seconds_left
        return None if left is None else max(0.0, left - self._reserved)

    def share(self) -> tuple[float, float]:
        """The part of the job that the next trial is."""
        if self._whole is None:
            start = 0.05 + 0.85 * self._tried / (self._tried + _USUAL_TRIALS)
        else:
            start = min(0.9, self.spent_s / self._whole)
        return start, start + (0.95 - start) / 4

    def begin(self, cell: Cell) -> int:
        """Notes what is expected of a cell before it is tried; its number."""
        self._tried += 1
        self.foreseen[cell.key] = self.search.outlook()[cell.key]
        number = len(self.numbers) + 1
        step = say("Trial {number}: {name}", number=number, name=cell.title)
        best = self.best_words()
        self.job.update(step=step if best is None else say("{trial} ({best})", trial=step, best=best))
        return number

    def give_up(self, cell: Cell, reason: Text) -> None:
        """No form of a structure that cannot be made can be."""
        for one in self.space.cells:
            if one.structure == cell.structure and one.key not in self.search.observed:
                self.search.failed[one.key] = reason

    def remember(self, kept: Ledger) -> None:
        """Takes from the ledger of an interrupted search what the store does not know."""
        for row in kept.rows:
            if row.number is not None:
                self.numbers[row.key] = row.number
                if row.foreseen is not None:
                    self.foreseen[row.key] = row.foreseen
            if row.status == "failed" and row.reason is not None:
                self.search.failed[row.key] = row.reason
        self._tried = len(self.numbers)

    def best_words(self) -> Text | None:
        """What is best so far; None if nothing serves yet."""
        ranking = self.search.ranking()
        if not ranking:
            return None
        best = self.search.observed[ranking[0]]
        cell = next(one for one in self.space.cells if one.key == ranking[0])
        assert best.ms is not None
        return say(
            "best so far {name}, {size}, {time}",
            name=cell.title,
            size=size(best.file_bytes),
            time=time_words(best.ms.value),
        )

    def log(self, line: Text) -> None:
        """Adds a line to the job's log."""
        self.job.update(log=(*self.job.state.log, line))

    def write(self) -> Ledger:
        """Makes the ledger durable."""
        ledger = ledger_of(
            self.search,
            self.space,
            self.numbers,
            self.foreseen,
            self.confirmed,
            spent_s=self.spent_s,
            out_of_time=self.out_of_time
            or (self.done and self.seconds_left is not None and self.seconds_left < 1.0),
            done=self.done,
        )
        self._context.store.set_fact(FACT, ledger.model_dump_json())
        self._context.changed("results")
        return ledger
