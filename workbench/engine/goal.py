"""What a user wants of a model, and which of the variants that are there serves it best."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import Field, ValidationError

from workbench.advisor.demands import WANTED, KnownRuntime, Want
from workbench.api.errors import InvalidInput
from workbench.api.number_format import points, ratio
from workbench.api.records import Record
from workbench.api.task import Task, measure_of
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.measure.records import Interval
from workbench.results.rows import ResultRow
from workbench.runtimes import runtimes
from workbench.store import Store

GOAL = "goal"
"""The fact that keeps what is wanted."""

_MOST_RULED_OUT = 2
"""So many of those that would be ahead, but for their quality, are named."""


class Goal(Record):
    """What is wanted of a variant.

    Attributes:
        want: A smaller file, a shorter latency, or both.
        f1_may_fall: How much macro F1 may fall against the baseline, as a fraction: 0.01 is one point. The
            lower end of the paired interval counts, so what is not proven to be kept does not serve. The
            measure of another task takes its place: of an error, by which share of it that may grow.
        runtime: The runtime that it has to run in; None for any of this machine.

    Example:
        >>> Goal(want="smaller", f1_may_fall=0.005).runtime is None
        True
    """

    want: Want = "both"
    f1_may_fall: float = Field(0.01, ge=0.0, le=1.0)
    runtime: KnownRuntime = None

    @property
    def words(self) -> Text:
        """The goal in words, for a classification."""
        return self.words_for("classification")

    def words_for(self, task: Task) -> Text:
        """The goal in words, with the measure of a task."""
        wanted = say(
            "{wanted}, {measure} within {points} {unit}",
            wanted=WANTED[self.want],
            points=self.points,
            **_measure(task),
        )
        if self.runtime is None:
            return wanted
        return say("{goal}, in {runtime}", goal=wanted, runtime=say_title(self.runtime))

    @property
    def points(self) -> str:
        """How much F1 may fall, in points."""
        return f"{100 * self.f1_may_fall:.2f}".rstrip("0").rstrip(".")


def goal_of(store: Store) -> Goal:
    """What is wanted of a workbench's model; kept with its folder."""
    kept = store.fact(GOAL)
    try:
        return Goal() if kept is None else Goal.model_validate_json(kept)
    except ValidationError:  # a runtime that is not installed any more
        return Goal()


def parse_goal(want: object, f1_may_fall: object, runtime: object) -> Goal:
    """A goal from what somebody has sent.

    Args:
        want: ``smaller``, ``faster`` or ``both``.
        f1_may_fall: As a fraction.
        runtime: Name of a runtime; empty or None for any.

    Raises:
        InvalidInput: With what is allowed.
    """
    try:
        return Goal.model_validate({"want": want, "f1_may_fall": f1_may_fall, "runtime": runtime or None})
    except ValidationError as error:
        match error.errors()[0]["loc"][:1]:
            case ("want",):
                reason = say("A goal is one of: {names}.", names=("smaller", "faster", "both"))
            case ("f1_may_fall",):
                reason = say("How much F1 may fall is between 0 and 100 pt, such as 1.0.")
            case _:
                reason = say("The runtimes are: {names}.", names=tuple(runtimes()))
        raise InvalidInput(say("There is no such goal."), reason) from None


class Best(Record):
    """The variant that serves a goal best.

    Attributes:
        variant: The variant.
        size_ratio: Bytes of the baseline over its own.
        speedup: Against the baseline; None where the goal is its size and it was not timed.
        change: Change of the task's measure against the baseline, paired by sample.
        reason: Why it is the best, in a sentence.
        more: What else is to be known of the choice: the next one, and those ruled out with the reason.
        doubt: Why its speed is not believed; None where it is, or was not asked for.
    """

    variant: Variant
    size_ratio: float
    speedup: Interval | None
    change: Interval
    reason: Text
    more: tuple[Text, ...] = ()
    doubt: Text | None = None


def best(rows: Sequence[ResultRow], goal: Goal) -> Best | None:
    """The variant that serves a goal best; None if none does.

    Of those that keep F1 as the goal asks and are measurably what it wants, the smallest, the fastest, or
    (for both) the one with the largest geometric mean of the two ratios. A speed that is in doubt decides
    only where there is no other, and is said to be in doubt.

    Args:
        rows: All variants with what is known of them.
        goal: What is wanted.
    """
    serving = ranked([row for row in rows if keeps(row, goal)], goal)
    if not serving:
        return None
    first = serving[0]
    assert first.size_change is not None
    assert first.quality_change is not None
    return Best(
        variant=first.variant,
        size_ratio=first.size_change.ratio,
        speedup=first.total_speedup,
        change=first.quality_change.change,
        reason=_reason(first, serving, goal),
        more=_more(serving, rows, goal),
        doubt=_doubt(first) if goal.want != "smaller" else None,
    )


def keeps(row: ResultRow, goal: Goal) -> bool:
    """Whether a variant is proven to keep F1 as a goal asks."""
    return row.quality_change is not None and row.quality_change.keeps(goal.f1_may_fall)


def ranked(rows: Sequence[ResultRow], goal: Goal) -> tuple[ResultRow, ...]:
    """Those that are measurably what a goal wants, whatever their quality, the best first."""
    valued = [row for row in rows if _value(row, goal) is not None]
    return tuple(sorted(valued, key=lambda row: _rank(row, goal), reverse=True))


def conclusion(rows: Sequence[ResultRow], goal: Goal) -> Text:
    """What was found for a goal, or how near anything came to it."""
    found = best(rows, goal)
    if found is not None:
        return say("{name}: {reason}", name=found.variant.name, reason=found.reason)
    missing = ranked([row for row in rows if row.quality_change is not None], goal)
    if not missing:
        return say("Nothing found is {wanted}.", wanted=WANTED[goal.want])
    closest = max(missing, key=lambda row: row.quality_change.change.low if row.quality_change else -1.0)
    assert closest.quality_change is not None
    change = closest.quality_change.change
    task = closest.quality_change.task
    holes: dict[str, str | Text] = {
        "points": goal.points,
        "name": closest.variant.name,
        "change": points(abs(change.value)).lstrip("+"),
        **_measure(task),
    }
    if change.high < -goal.f1_may_fall:
        return say(
            "Nothing found keeps {measure} within {points} {unit}: closest is {name}, lost {change} {unit}.",
            **holes,
        )
    low, high = measure_of(task).change_ends(change)
    return say(
        "Nothing found is proven to keep {measure} within {points} {unit}: closest is {name}, "
        "{change} {unit} [{low}, {high}].",
        **{**holes, "change": measure_of(task).change(change.value), "low": low, "high": high},
    )


def say_title(name: str) -> Text:
    """The title of a runtime."""
    return Text(template=runtimes()[name].title)


def _value(row: ResultRow, goal: Goal) -> float | None:
    """How many times better than the baseline; None where it is not measurably what is wanted."""
    if row.variant.is_baseline or goal.runtime not in (None, row.variant.runtime):
        return None
    if row.size_change is None:
        return None
    smaller = row.size_change.word == "smaller"
    if goal.want == "smaller":
        return row.size_change.ratio if smaller else None
    # An interval that includes 1 is no measurable change.
    if row.total_speedup is None or row.total_speedup.low <= 1:
        return None
    if goal.want == "faster":
        return row.total_speedup.value
    return math.sqrt(row.size_change.ratio * row.total_speedup.value) if smaller else None


def _rank(row: ResultRow, goal: Goal) -> tuple[bool, float, float, float]:
    believed = goal.want == "smaller" or _doubt(row) is None
    quality = -math.inf if row.quality is None else row.quality.goodness
    smaller = 0.0 if row.size_change is None else row.size_change.ratio
    return believed, _value(row, goal) or 0.0, smaller, quality


def _doubt(row: ResultRow) -> Text | None:
    """Why its speed against the baseline is not believed."""
    return row.distrust or row.total_distrust


def _reason(first: ResultRow, serving: Sequence[ResultRow], goal: Goal) -> Text:
    holes: dict[str, str | int | Text] = {
        "points": goal.points,
        "count": len(serving),
        **_measure(first.variant.description.task),
    }
    match goal.want:
        case "smaller":
            return say(
                "The only one that is smaller and keeps {measure} within {points} {unit}.",
                "The smallest of the {count} that keep {measure} within {points} {unit}.",
                **holes,
            )
        case "faster":
            return say(
                "The only one that is faster and keeps {measure} within {points} {unit}.",
                "The fastest of the {count} that keep {measure} within {points} {unit}.",
                **holes,
            )
        case _:
            return say(
                "The only one that is smaller and faster and keeps {measure} within {points} {unit}.",
                "The best of the {count} that are smaller and faster and keep {measure} within {points} "
                "{unit}, by the geometric mean of the two ratios: {mean}×.",
                mean=ratio(_value(first, goal) or 0.0),
                **holes,
            )


def _more(serving: Sequence[ResultRow], rows: Sequence[ResultRow], goal: Goal) -> tuple[Text, ...]:
    first, *others = serving
    said = []
    if others:
        said.append(say("Next: {name}, {what}.", name=others[0].variant.name, what=_what(others[0])))
    value = _value(first, goal) or 0.0
    ahead = [
        row
        for row in ranked(rows, goal)
        if row.variant.id != first.variant.id and (_value(row, goal) or 0.0) > value
    ]
    said += [
        say(
            "{name} may be better still ({what}), but its speed is in doubt: {reason}",
            name=row.variant.name,
            what=_what(row),
            reason=_doubt(row),
        )
        for row in [row for row in ahead if keeps(row, goal) and _doubt(row) is not None][:_MOST_RULED_OUT]
    ]
    for row in [row for row in ahead if not keeps(row, goal)][:_MOST_RULED_OUT]:
        if row.quality_change is None:
            continue
        change, measure = row.quality_change.change, measure_of(row.quality_change.task)
        said.append(
            say(
                "{name} would be ahead ({what}), but its {measure} is not proven to stay within {points} "
                "{unit}: {change} [{low}, {high}].",
                name=row.variant.name,
                what=_what(row),
                points=goal.points,
                change=measure.change(change.value),
                low=measure.change_ends(change)[0],
                high=measure.change_ends(change)[1],
                **_measure(row.quality_change.task),
            )
        )
    return tuple(said)


def _measure(task: Task) -> dict[str, Text]:
    """What a sentence calls the measure of a task, and the unit of its changes."""
    found = measure_of(task)
    return {"measure": found.title, "unit": found.unit}


def _what(row: ResultRow) -> Text:
    smaller = ratio(1.0 if row.size_change is None else row.size_change.ratio)
    if row.total_speedup is None:
        return say("{ratio}× smaller", ratio=smaller)
    return say("{smaller}× smaller, {faster}× faster", smaller=smaller, faster=ratio(row.total_speedup.value))
