"""Two variants side by side: how much smaller, faster and better one is, and how that is known."""

from __future__ import annotations

from typing import Literal

from workbench.api.records import Record
from workbench.measure.records import Interval, QualityVerdict, SizeVerdict, SpeedVerdict, SpeedWord
from workbench.measure.statistics import speed_word
from workbench.results.rows import ResultRow, compare_sizes
from workbench.results.timings import chain, inverse

Way = Literal["together", "same reference", "baseline"]
"""How a ratio of two times is known: both were timed by turns in one run; each beside the same third one; or
each against the baseline, through the change of runtime."""


class SideBySide(Record):
    """One variant against another.

    Attributes:
        variant: Identifier of the variant looked at.
        reference: Identifier of the one that it is compared with.
        size: Bytes of the reference's file over the variant's; None until both are known.
        speed: Time of the reference over the variant's, with the verdict; None where nothing leads from one
            to the other, or both were timed on different machines.
        way: How ``speed`` is known.
        change: F1 of the variant minus the reference's, paired by sample; None until it is known.
    """

    variant: str
    reference: str
    size: SizeVerdict | None = None
    speed: SpeedVerdict | None = None
    way: Way | None = None
    change: QualityVerdict | None = None


def side_by_side(row: ResultRow, other: ResultRow, change: QualityVerdict | None = None) -> SideBySide:
    """Compares two rows.

    Args:
        row: The variant looked at.
        other: What it is compared with.
        change: Of F1, where it was computed; known anyway where ``other`` is the baseline.
    """
    size = None
    if row.size is not None and other.size is not None:
        size = compare_sizes(other.size, row.size)
    speed, way = _speed(row, other)
    if change is None and row.quality_change and row.quality_change.reference == other.variant.id:
        change = row.quality_change
    return SideBySide(
        variant=row.variant.id,
        reference=other.variant.id,
        size=size,
        speed=speed,
        way=way,
        change=change,
    )


def _speed(row: ResultRow, other: ResultRow) -> tuple[SpeedVerdict | None, Way | None]:
    mine, theirs = row.speed, other.speed
    if row.environment is None or row.environment != other.environment:
        return None, None
    if mine is not None and mine.reference == other.variant.id:
        return mine, "together"
    if theirs is not None and theirs.reference == row.variant.id:
        return _verdict(row, other, inverse(theirs.speedup), theirs.floor), "together"
    floor = max((one.floor for one in (mine, theirs) if one is not None), default=0.0)
    if mine is not None and theirs is not None and mine.reference == theirs.reference:
        ratio = chain(mine.speedup, inverse(theirs.speedup))
        return _verdict(row, other, ratio, floor), "same reference"
    if row.total_speedup is None or other.total_speedup is None:
        return None, None
    ratio = chain(row.total_speedup, inverse(other.total_speedup))
    return _verdict(row, other, ratio, floor), "baseline"


def _verdict(row: ResultRow, other: ResultRow, ratio: Interval, floor: float) -> SpeedVerdict:
    word: SpeedWord = speed_word(ratio, floor)
    return SpeedVerdict(
        variant=row.variant.id, reference=other.variant.id, speedup=ratio, floor=floor, word=word
    )
