"""The axes that the trade-off chart offers: what each reads of a variant, and where its ticks are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from widgets.wording import interval_words, points, score, size, times
from workbench.api.task import Task, measure_of
from workbench.api.text import Text, say
from workbench.measure.records import Interval
from workbench.results.rows import ResultRow

_PAD = 0.08
"""Room beyond the outermost value, as a share of the range."""
_MOST_TICKS = 7
_STEPS = (
    (1,),
    (1, 3),
    (1, 2, 5),
    (1, 1.5, 2, 3, 5, 7),
    (1, 1.1, 1.2, 1.3, 1.5, 1.7, 2, 2.5, 3, 4, 5, 6, 7, 8, 9),
)


class Axis(NamedTuple):
    """One axis.

    Attributes:
        key: Its name in messages and links.
        title: As it is chosen.
        direction: As it stands at the axis.
        more_is_better: Whether large values are good.
        read: A variant's value with its interval; None where it is not known, or is not to be compared.
        write: A value in words.
        tick: A tick in words.
        logarithmic: Whether equal ratios are equal distances.
        timed: Whether it comes from timing, which a busy machine disturbs.
        reversed: Whether what is written of a value falls where it rises, so that intervals change ends.
    """

    key: str
    title: Text
    direction: Text
    more_is_better: bool
    read: Callable[[ResultRow], Interval | None]
    write: Callable[[float], str]
    tick: Callable[[float], str]
    logarithmic: bool = False
    timed: bool = False
    reversed: bool = False

    def interval(self, interval: Interval) -> str:
        """The ends of an interval in words."""
        if not self.reversed or interval.low == interval.high:
            return interval_words(interval, self.write)
        return f"[{self.write(interval.high)}, {self.write(interval.low)}]"


class Range(NamedTuple):
    """What is seen of an axis.

    Attributes:
        low: The lower end, as a value.
        high: The upper end.
        ticks: Values and their words.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]


def _exactly(value: float) -> Interval:
    return Interval(value=value, low=value, high=value)


def _speed(row: ResultRow) -> Interval | None:
    if row.variant.is_baseline:
        return _exactly(1.0) if row.latency is not None else None
    # Only what was timed on the machine of the baseline stands beside it.
    return row.total_speedup if row.paired_ms is not None else None


def _smaller(row: ResultRow) -> Interval | None:
    if row.size_change is None:
        return _exactly(1.0) if row.variant.is_baseline and row.size is not None else None
    return _exactly(row.size_change.ratio)


def _memory(row: ResultRow) -> Interval | None:
    if row.size is None or row.size.peak_memory_bytes is None:
        return None
    return _exactly(float(row.size.peak_memory_bytes))


def _change(row: ResultRow) -> Interval | None:
    if row.variant.is_baseline:
        return _exactly(0.0) if row.quality is not None else None
    return row.quality_change.change if row.quality_change is not None else None


def _score(row: ResultRow) -> Interval | None:
    return row.quality.measured if row.quality is not None else None


AXES = {
    axis.key: axis
    for axis in (
        Axis(
            "speed",
            say("Speed-up"),
            say("speed-up against the baseline → faster"),
            True,
            _speed,
            times,
            lambda value: f"{value:,g}×",
            logarithmic=True,
            timed=True,
        ),
        Axis(
            "size",
            say("Times smaller"),
            say("times smaller than the baseline's file → smaller"),
            True,
            _smaller,
            times,
            lambda value: f"{value:,g}×",
            logarithmic=True,
        ),
        Axis(
            "memory",
            say("Memory to run"),
            say("memory to load and infer once ← less"),
            False,
            _memory,
            lambda value: size(round(value)),
            lambda value: size(round(value)),
        ),
        Axis(
            "change",
            say("Change of F1"),
            say("change of macro F1, in points → better"),
            True,
            _change,
            points,
            lambda value: points(value).removesuffix(".0") if abs(value) >= 0.00995 else points(value),
        ),
        Axis(
            "f1",
            say("Macro F1"),
            say("macro F1 → better"),
            True,
            _score,
            score,
            score,
        ),
    )
}
"""By their keys, in the order in which they are offered."""

USUAL_AXES = ("speed", "change")


def axis_of(key: str, task: Task) -> Axis:
    """An axis for the variants of a task, whose measure takes the place of macro F1.

    Args:
        key: One of :data:`AXES`.
        task: What the variants are judged as.
    """
    axis, measure = AXES[key], measure_of(task)
    if task == "classification" or key not in ("change", "f1"):
        return axis
    if key == "f1":
        direction = (
            say("{measure} → better", measure=measure.name)
            if measure.higher_is_better
            else say("{measure} ← better", measure=measure.name)
        )
        return axis._replace(
            title=measure.name,
            direction=direction,
            more_is_better=measure.higher_is_better,
            write=measure.value,
            tick=measure.value,
        )
    # What is drawn is how much better, so that up is better; what is written is how the number has changed.
    return axis._replace(
        title=say("Change of {measure}", measure=measure.title),
        direction=say("change of {measure}, in points → better", measure=measure.title)
        if measure.higher_is_better
        else say("change of {measure}, in % → smaller, better", measure=measure.title),
        write=measure.change,
        tick=lambda value: (
            measure.change(value).removesuffix(".0") if abs(value) >= 0.00995 else measure.change(value)
        ),
        reversed=not measure.higher_is_better,
    )


def range_of(axis: Axis, values: Sequence[float]) -> Range:
    """An axis around values.

    Args:
        axis: The axis.
        values: What must be seen of it; above zero on a logarithmic axis.
    """
    if axis.logarithmic:
        return _ratios(axis, [value for value in values if value > 0] or [1.0])
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high <= low:
        room = abs(high) / 10 or 0.01
        low, high = low - room, high + room
    room = _PAD * (high - low)
    low, high = low - room, high + room
    step = _step(high - low)
    first = math.ceil(low / step - 1e-9)
    ticks = [round(number * step, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]
    return Range(low, high, tuple((tick, axis.tick(tick)) for tick in ticks))


def _step(span: float) -> float:
    """The roundest distance of ticks that makes no more than are wanted."""
    power = 10.0 ** math.floor(math.log10(span))
    return next(
        step * power * scale
        for scale in (0.1, 1.0, 10.0)
        for step in (1, 2, 5)
        if span / (step * power * scale) <= _MOST_TICKS
    )


def _ratios(axis: Axis, values: Sequence[float]) -> Range:
    low, high = math.log10(min(values)), math.log10(max(values))
    room = max(0.04, _PAD * (high - low))
    low, high = low - room, high + room
    best: list[float] = []
    for steps in _STEPS:
        ticks = [
            digit * 10.0**power
            for power in range(math.floor(low), math.ceil(high) + 1)
            for digit in steps
            if low <= math.log10(digit * 10.0**power) <= high
        ]
        if len(ticks) > _MOST_TICKS and best:
            break
        best = ticks or best
    # What floating point makes of 0.1 * 3 is no label.
    return Range(10**low, 10**high, tuple((tick, axis.tick(float(f"{tick:.6g}"))) for tick in best))
