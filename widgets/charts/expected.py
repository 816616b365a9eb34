"""What a search expects of what it has not tried yet, and what it is asked for, on the chart's axes."""

from __future__ import annotations

from typing import NamedTuple

from workbench.advisor.demands import Demands
from workbench.advisor.ledger import Ledger, Outlook
from workbench.api.text import Text
from workbench.measure.records import Interval
from workbench.results.rows import ResultRow

MOST = 6
"""More hollow marks with their wide intervals would hide what was measured."""


class Expected(NamedTuple):
    """Something that was not tried yet.

    Attributes:
        title: What it is called.
        x: What is expected across; the ends enclose it four times in five.
        y: What is expected up.
        meets: How likely it meets all demands, 0 to 1.
    """

    title: Text
    x: Interval
    y: Interval
    meets: float


class Corner(NamedTuple):
    """The part of the picture that meets the demands.

    Attributes:
        x: The least that is needed across; None where nothing is demanded of it.
        y: The least that is needed up; None where nothing is demanded of it.
    """

    x: float | None
    y: float | None


def expected_of(ledger: Ledger, baseline: ResultRow, across: str, up: str) -> tuple[Expected, ...]:
    """What most likely meets the demands of all that was not tried.

    Args:
        ledger: Of the search.
        baseline: Ratios are against it.
        across: Key of the horizontal axis; nothing is expected of some axes.
        up: Key of the vertical one.
    """
    found = []
    for row in ledger.rows:
        if row.status != "not tried" or row.foreseen is None:
            continue
        x, y = (_read(key, row.foreseen, baseline) for key in (across, up))
        if x is not None and y is not None:
            found.append(Expected(row.title, x, y, row.foreseen.meets))
    return tuple(sorted(found, key=lambda one: -one.meets)[:MOST])


def corner_of(demands: Demands, baseline: ResultRow, across: str, up: str) -> Corner:
    """What is demanded on two axes.

    Args:
        demands: What is needed.
        baseline: Ratios are against it.
        across: Key of the horizontal axis.
        up: Key of the vertical one.
    """
    return Corner(*(_needed(key, demands, baseline) for key in (across, up)))


def _read(key: str, outlook: Outlook, baseline: ResultRow) -> Interval | None:
    if key == "change":
        return outlook.change
    if key == "size" and baseline.size is not None:
        return _ratio(float(baseline.size.file_bytes), outlook.file_bytes)
    if key == "speed" and baseline.shown_ms is not None:
        return _ratio(baseline.shown_ms.value, outlook.ms)
    return None


def _ratio(whole: float, part: Interval) -> Interval:
    return Interval(value=whole / part.value, low=whole / part.high, high=whole / part.low)


def _needed(key: str, demands: Demands, baseline: ResultRow) -> float | None:
    if key == "change":
        return -(1.0 if demands.loss_points is None else demands.loss_points) / 100
    if key == "size" and demands.size_kb is not None and baseline.size is not None:
        return baseline.size.file_bytes / (1000 * demands.size_kb)
    if key == "speed" and demands.latency_ms is not None and baseline.shown_ms is not None:
        return baseline.shown_ms.value / demands.latency_ms
    return None
