"""What is known of every cell, how it is known, and what came of the search: all that a panel shows."""

from __future__ import annotations

from typing import Literal

from workbench.advisor.demands import Demands
from workbench.api.records import Record
from workbench.api.text import Text
from workbench.measure.records import Interval

Status = Literal["measured", "failed", "not tried", "ruled out", "impossible"]
Demand = Literal["size", "latency", "quality"]
"""What may be demanded of a model."""


class Observation(Record):
    """What was measured of a cell.

    Attributes:
        variant: Identifier of the variant that was made.
        file_bytes: Bytes of its file.
        ms: Its latency, as every surface shows it; None if that was not measured.
        distrust: Why that is not believed.
        change: Of the task's measure on the validation split, against the model as it came; None if that was
            not measured.
        samples: Validation samples behind it.
        seconds: How long making and measuring it took.
    """

    variant: str
    file_bytes: int
    ms: Interval | None = None
    distrust: Text | None = None
    change: Interval | None = None
    samples: int = 0
    seconds: float = 0.0


class Outlook(Record):
    """What is expected of a cell before it is tried. The ends enclose it four times in five.

    Attributes:
        file_bytes: Bytes of its file.
        ms: Its latency.
        change: Of the task's measure.
        chance: How likely its quality stays within the bound, 0 to 1.
        meets: How likely it meets all demands, 0 to 1.
    """

    file_bytes: Interval
    ms: Interval
    change: Interval
    chance: float
    meets: float


class Row(Record):
    """One cell of the ledger.

    Attributes:
        key: Names the cell.
        title: What it is called.
        steps: The techniques that make it, in order.
        runtime: What runs it.
        threads: Threads inside one inference.
        trains: Whether making it needs a training.
        status: What became of it.
        number: The place among the trials, from 1; None where it was not tried, or was there before.
        foreseen: What was expected of it last, before it was measured.
        observed: What was measured of it.
        reason: Why it was ruled out, or has failed.
        demand: Which demand it was ruled out by.
    """

    key: str
    title: Text
    steps: tuple[str, ...]
    runtime: str
    threads: int
    trains: bool
    status: Status
    number: int | None = None
    foreseen: Outlook | None = None
    observed: Observation | None = None
    reason: Text | None = None
    demand: Demand | None = None


class Sentence(Record):
    """Something that the ledger says.

    Attributes:
        text: In words.
        rows: Keys of the rows that it speaks of.
    """

    text: Text
    rows: tuple[str, ...] = ()


class Ledger(Record):
    """What is known of every cell, and what follows from it.

    Attributes:
        demands: What was needed.
        rows: All cells, what serves best first, then what was measured, then the others.
        winner: Key of what serves best; None if nothing measured meets the demands.
        runner_up: Key of the next.
        sentences: What follows from the rows.
        confirmed: Keys of those that were timed by the ``final`` protocol.
        spent_s: Seconds that the search has taken.
        done: Whether it came to its end.
    """

    demands: Demands
    rows: tuple[Row, ...] = ()
    winner: str | None = None
    runner_up: str | None = None
    sentences: tuple[Sentence, ...] = ()
    confirmed: tuple[str, ...] = ()
    spent_s: float = 0.0
    done: bool = False

    def row(self, key: str) -> Row:
        """The row of a cell."""
        return next(row for row in self.rows if row.key == key)
