"""What the page, the command line and the notebooks show of a workbench: one row per variant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from workbench.measure.records import (
    Interval,
    LatencyMeasurement,
    LatencySummary,
    QualityMeasurement,
    QualityVerdict,
    SizeMeasurement,
    SpeedVerdict,
)
from workbench.records import Record
from workbench.store import Store
from workbench.text import Text, say
from workbench.variant import Table, Variant

R = TypeVar("R", bound=Record)


class ResultRow(Record):
    """Everything that is known of one variant, newest measurements first.

    Attributes:
        variant: The variant.
        size: Its three sizes; None until measured.
        latency: Its latency; None until measured.
        speed: Against the float32 variant of the same runtime, from one interleaved run; for that
            reference itself, against the baseline. None for the baseline.
        total_speedup: Against the baseline, the change of runtime included.
        paired_ms: The baseline's median latency divided by ``total_speedup``: what variants that
            were timed at different moments are shown side by side with.
        quality: On the test split, in its runtime.
        quality_change: Against the baseline, paired by sample. None for the baseline.
        on_front: Whether no other variant is at least as fast, at least as small and at least as
            good, and better in one.
        zeros: Share of zeros in its weight matrices, 0 to 1; None until looked at.
        lost: What its step lost of the zeros and shared values that earlier steps had left.
        tables: What the technique found on its way, and where a collapsed variant lost its quality.
        notes: What the doctor has to say.
        compared: What ``speed`` and ``total_speedup`` are against, in words.
    """

    variant: Variant
    size: SizeMeasurement | None = None
    latency: LatencySummary | None = None
    speed: SpeedVerdict | None = None
    total_speedup: Interval | None = None
    paired_ms: Interval | None = None
    quality: QualityMeasurement | None = None
    quality_change: QualityVerdict | None = None
    on_front: bool = False
    zeros: float | None = None
    lost: tuple[Text, ...] = ()
    tables: tuple[Table, ...] = ()
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


def collect(store: Store) -> tuple[ResultRow, ...]:
    """One row per variant from what the store holds, in the order of their making."""
    from workbench.doctor import notes
    from workbench.measure.weights import WeightEffects
    from workbench.stacking import lost_effects

    variants = store.variants()
    passports = store.passports()
    baseline = next((variant for variant in variants if variant.parent is None), None)
    by_id = {variant.id: variant for variant in variants}
    looks = {variant.id: store.measurements("weights", variant.id, WeightEffects) for variant in variants}
    weights = {id_: found[0] for id_, found in looks.items() if found}
    rows = [
        _row(store, variant, variants, baseline).model_copy(
            update={
                "zeros": weights[variant.id].zeros if variant.id in weights else None,
                "lost": lost_effects(variant, by_id, weights),
                "tables": (
                    *variant.report.tables,
                    *store.measurements("error by layer", variant.id, Table)[:1],
                ),
            }
        )
        for variant in variants
    ]
    rows = _side_by_side(rows)
    front = pareto_front(rows)
    return tuple(
        row.model_copy(update={"on_front": row.variant.id in front, "notes": notes(row, rows, passports)})
        for row in rows
    )


def pareto_front(rows: Sequence[ResultRow]) -> frozenset[str]:
    """Variants that no other one beats in speed, size and F1 together.

    Speed is time relative to the baseline from paired runs, so numbers of different moments are
    not compared.
    """
    points = {
        row.variant.id: (row.total_speedup.value, -row.size.file_bytes, row.quality.f1_macro.value)
        for row in rows
        if row.total_speedup is not None and row.size is not None and row.quality is not None
    }
    return frozenset(
        id_
        for id_, point in points.items()
        if not any(
            other != point and all(theirs >= ours for theirs, ours in zip(other, point, strict=True))
            for other in points.values()
        )
    )


def chain(first: Interval, second: Interval) -> Interval:
    """The product of two independent speed-ups, with their relative errors added in quadrature."""
    value = first.value * second.value

    def relative(side: str) -> float:
        parts = [math.log(getattr(step, side) / step.value) for step in (first, second) if step.value > 0]
        return math.hypot(*parts)

    return Interval(
        value=value, low=value * math.exp(-relative("low")), high=value * math.exp(relative("high"))
    )


def _row(store: Store, variant: Variant, variants: Sequence[Variant], baseline: Variant | None) -> ResultRow:
    size = _first(store.measurements("size", variant.id, SizeMeasurement))
    quality = _first(store.measurements("quality", variant.id, QualityMeasurement))
    change = _first(store.measurements("quality change", variant.id, QualityVerdict))
    runs = _runs(store, variant)
    reference = next(
        (other for other in variants if other.runtime == variant.runtime and other.is_reference), None
    )
    if variant.technique is None or reference is None:  # a file that was added is compared with the baseline
        reference = baseline
    # The change of runtime is what a runtime's own reference is judged by.
    against = baseline if reference is not None and reference.id == variant.id else reference
    speed = _verdict(runs, variant, against)
    return ResultRow(
        variant=variant,
        size=size,
        latency=_summary(runs, variant),
        speed=speed,
        total_speedup=_total(store, variant, reference, baseline, speed),
        quality=quality,
        quality_change=change,
        compared=_compared(variant, reference, baseline),
    )


def _side_by_side(rows: Sequence[ResultRow]) -> list[ResultRow]:
    baseline = next((row.latency for row in rows if row.variant.parent is None and row.latency), None)
    if baseline is None:
        return list(rows)
    p50 = baseline.p50_ms
    return [
        row.model_copy(
            update={
                "paired_ms": p50
                if row.variant.parent is None
                else Interval(
                    value=p50.value / row.total_speedup.value,
                    low=p50.value / row.total_speedup.high,
                    high=p50.value / row.total_speedup.low,
                )
            }
        )
        if row.total_speedup is not None
        else row
        for row in rows
    ]


def _total(
    store: Store,
    variant: Variant,
    reference: Variant | None,
    baseline: Variant | None,
    speed: SpeedVerdict | None,
) -> Interval | None:
    if baseline is None:
        return None
    if variant.id == baseline.id:
        return Interval(value=1.0, low=1.0, high=1.0)
    if reference is None or (speed is None and variant.id != reference.id):
        return None
    own = speed.speedup if speed is not None and variant.id != reference.id else None
    if reference.id == baseline.id:
        return own
    bridge = _verdict(_runs(store, reference), reference, baseline)
    if bridge is None:
        return None
    return bridge.speedup if own is None else chain(bridge.speedup, own)


def _runs(store: Store, variant: Variant) -> tuple[LatencyMeasurement, ...]:
    """Its timings: the final ones first, the newest first."""
    runs = store.measurements("latency", variant.id, LatencyMeasurement)
    return tuple(sorted(runs, key=lambda run: run.protocol != "final"))


def _verdict(
    runs: Sequence[LatencyMeasurement], variant: Variant, reference: Variant | None
) -> SpeedVerdict | None:
    if reference is None or reference.id == variant.id:
        return None
    for run in runs:
        for verdict in run.verdicts:
            if verdict.variant == variant.id and verdict.reference == reference.id:
                return verdict
    return None


def _summary(runs: Sequence[LatencyMeasurement], variant: Variant) -> LatencySummary | None:
    return next((summary for run in runs for summary in run.summaries if summary.variant == variant.id), None)


def _compared(variant: Variant, reference: Variant | None, baseline: Variant | None) -> Text | None:
    if baseline is None or variant.id == baseline.id:
        return None
    if reference is None or reference.id in (baseline.id, variant.id):
        return say("against {baseline}", baseline=baseline.name)
    return say(
        "against {reference} (float32 in the same runtime); in all against {baseline}",
        reference=reference.name,
        baseline=baseline.name,
    )


def _first(records: Sequence[R]) -> R | None:
    return records[0] if records else None
