"""What the trade-off chart shows, apart from how it is drawn: page and report draw the same scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from widgets.charts.axes import USUAL_AXES, Axis, Range, axis_of, range_of
from widgets.charts.expected import Corner, Expected, corner_of, expected_of
from workbench.advisor.ledger import Ledger
from workbench.api.text import Text
from workbench.engine.goal import Goal
from workbench.measure.records import Interval
from workbench.results.rows import ResultRow, task_of

_USUAL_TOLERANCE = Goal().f1_may_fall
_FAR = 5
"""A loss of more tolerances than this is drawn at the edge, where others are smaller."""


class Mark(NamedTuple):
    """A variant in the picture.

    Attributes:
        row: The variant.
        x: Its value across with the interval.
        y: Its value up with the interval.
        drawn: Where it stands up: ``y.value``, or the edge of the picture.
        beyond: Whether it stands at the edge.
        unsure: Whether the page does not believe its time, which is on one of the axes.
        front: Whether no other one is at least as good on both axes, and better on one.
    """

    row: ResultRow
    x: Interval
    y: Interval
    drawn: float
    beyond: bool
    unsure: bool
    front: bool


class Scene(NamedTuple):
    """The whole picture.

    Attributes:
        across: The horizontal axis.
        up: The vertical axis.
        x: What is seen of the horizontal axis.
        y: What is seen of the vertical axis.
        marks: The variants that have both values.
        missing: Those that lack one.
        lines: Parent and child, both in the picture.
        tolerance: How much F1 may fall, as a fraction, where its change is the vertical axis; else None.
        expected: What a search under way has not tried yet.
        corner: What that search is asked for; None while there is none.
    """

    across: Axis
    up: Axis
    x: Range
    y: Range
    marks: tuple[Mark, ...]
    missing: tuple[ResultRow, ...]
    lines: tuple[tuple[Mark, Mark], ...]
    tolerance: float | None
    expected: tuple[Expected, ...] = ()
    corner: Corner | None = None


def scene(
    rows: Sequence[ResultRow],
    across: str = USUAL_AXES[0],
    up: str = USUAL_AXES[1],
    tolerance: float = _USUAL_TOLERANCE,
    ledger: Ledger | None = None,
) -> Scene:
    """The picture of some results.

    Args:
        rows: The results.
        across: Key of the horizontal axis.
        up: Key of the vertical axis.
        tolerance: How much F1 may fall, as a fraction.
        ledger: Of a search that is under way.
    """
    x_axis, y_axis = (axis_of(key, task_of(rows)) for key in (across, up))
    known: list[tuple[ResultRow, Interval, Interval]] = []
    missing: list[ResultRow] = []
    for row in rows:
        x, y = x_axis.read(row), y_axis.read(row)
        if x is None or y is None:
            missing.append(row)
        else:
            known.append((row, x, y))
    baseline = next((row for row in rows if row.variant.is_baseline), None)
    expected: tuple[Expected, ...] = ()
    corner = None
    if ledger is not None and baseline is not None:
        expected = expected_of(ledger, baseline, across, up)
        corner = corner_of(ledger.demands, baseline, across, up)
        if corner.y is not None and y_axis.key == "change":
            tolerance = -corner.y
    changes = y_axis.key == "change"
    floor = _floor([y.value for _, _, y in known], tolerance) if changes else None
    seen = [y for _, _, y in known if floor is None or y.value >= floor]
    highs = [y.high for y in seen] + ([tolerance / 2] if changes else [])
    lows = [y.low for y in seen] + ([-1.4 * tolerance] if changes else [])
    # Of what is expected the middle is seen: its interval may be wide.
    highs += [one.y.value for one in expected]
    lows += [one.y.value for one in expected]
    if floor is not None:
        lows = [max(low, floor) for low in lows]
    y_range = range_of(y_axis, highs + lows)
    timed = x_axis.timed or y_axis.timed
    believed = [one for one in known if not (timed and doubt_of(one[0]) is not None)]
    front = _front([(row, x.value, y.value) for row, x, y in believed], x_axis, y_axis)
    marks = tuple(
        Mark(
            row=row,
            x=x,
            y=y,
            drawn=y.value if floor is None else max(y.value, y_range.low),
            beyond=floor is not None and y.value < floor,
            unsure=timed and doubt_of(row) is not None,
            front=row.variant.id in front,
        )
        for row, x, y in known
    )
    by_id = {mark.row.variant.id: mark for mark in marks}
    across_values = [end for _, x, _ in known for end in (x.low, x.high)]
    across_values += [one.x.value for one in expected]
    if corner is not None and corner.x is not None:
        across_values += [corner.x, 1.1 * corner.x]
    return Scene(
        across=x_axis,
        up=y_axis,
        x=range_of(x_axis, across_values or [1.0]),
        y=y_range,
        marks=marks,
        missing=tuple(missing),
        lines=tuple(
            (by_id[mark.row.variant.parent], mark)
            for mark in marks
            if mark.row.variant.parent is not None and mark.row.variant.parent in by_id
        ),
        tolerance=tolerance if changes else None,
        expected=expected,
        corner=corner,
    )


def doubt_of(row: ResultRow) -> Text | None:
    """Why a variant's speed-up against the baseline is not believed; None where it is."""
    return None if row.variant.is_baseline else row.distrust or row.total_distrust


def _floor(values: Sequence[float], tolerance: float) -> float | None:
    """Below it changes stand at the edge: one collapsed variant would flatten all others into a line."""
    near = [value for value in values if value >= -_FAR * tolerance]
    if len(near) < 2 or len(near) == len(values):
        return None
    return -_FAR * tolerance


def _front(points: Sequence[tuple[ResultRow, float, float]], across: Axis, up: Axis) -> frozenset[str]:
    """Variants that no other one beats on both axes."""
    signs = (1 if across.more_is_better else -1, 1 if up.more_is_better else -1)
    goods = [(row, (signs[0] * x, signs[1] * y)) for row, x, y in points]
    return frozenset(
        row.variant.id
        for row, good in goods
        if not any(
            theirs != good and all(their >= our for their, our in zip(theirs, good, strict=True))
            for _, theirs in goods
        )
    )
