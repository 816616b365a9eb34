"""What the page, the command line and the notebooks show of a workbench: one row per variant."""

from __future__ import annotations

from workbench.measure.records import (
    Interval,
    LatencySummary,
    QualityMeasurement,
    QualityVerdict,
    SizeMeasurement,
    SpeedVerdict,
)
from workbench.records import Record
from workbench.text import Text
from workbench.variant import Variant


class ResultRow(Record):
    """Everything that is known of one variant, newest measurements first.

    Attributes:
        variant: The variant.
        size: Its three sizes; None until measured.
        latency: Its latency; None until measured.
        speed: Against the float32 variant of the same runtime, from one interleaved run. None for
            that reference itself.
        total_speedup: Against the baseline, the change of runtime included.
        quality: On the test split, in its runtime.
        quality_change: Against the baseline, paired by sample. None for the baseline.
        on_front: Whether no other variant is at least as fast, at least as small and at least as
            good, and better in one.
        notes: What the doctor has to say.
        compared: What ``speed`` and ``total_speedup`` are against, in words.
    """

    variant: Variant
    size: SizeMeasurement | None = None
    latency: LatencySummary | None = None
    speed: SpeedVerdict | None = None
    total_speedup: Interval | None = None
    quality: QualityMeasurement | None = None
    quality_change: QualityVerdict | None = None
    on_front: bool = False
    notes: tuple[Text, ...] = ()
    compared: Text | None = None


class Flip(Record):
    """A test sample whose predicted class differs between two variants.

    Attributes:
        index: Position in the test split.
        label: True class index.
        before: Class that the reference predicts.
        after: Class that the variant predicts.
    """

    index: int
    label: int
    before: int
    after: int


class Details(Record):
    """What a variant now gets right and wrong, against another one.

    Attributes:
        variant: Identifier of the variant looked at.
        reference: Identifier of the variant it is compared with.
        classes: Class names.
        f1_before: F1 of each class of the reference.
        f1_after: F1 of each class of the variant.
        confusion_change: Confusion counts after minus before; rows true, columns predicted.
        flips: Samples whose prediction changed; those that became wrong first.
    """

    variant: str
    reference: str
    classes: tuple[str, ...]
    f1_before: tuple[float, ...]
    f1_after: tuple[float, ...]
    confusion_change: tuple[tuple[int, ...], ...]
    flips: tuple[Flip, ...]
