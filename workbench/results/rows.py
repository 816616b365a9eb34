"""What the page, the command line and the notebooks show of a workbench: one row per variant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from workbench.api.lineage import Lineage
from workbench.api.records import Record
from workbench.api.task import Task
from workbench.api.text import Text, say
from workbench.api.variant import Table, Variant
from workbench.measure.records import (
    SAME_SIZE,
    EnergyMeasurement,
    Interval,
    LatencySummary,
    QualityMeasurement,
    QualityVerdict,
    SizeMeasurement,
    SizeVerdict,
    SpeedVerdict,
)
from workbench.results.guess import Guess, guesses
from workbench.results.offers import Offer, offers
from workbench.results.timings import Timing, Timings
from workbench.store import Store
from workbench.store.labels import Label

R = TypeVar("R", bound=Record)

BEFORE = "measured before "
"""The fact that keeps when a variant was measured for another visitor of a shared page, by its identifier."""


class ResultRow(Record):
    """Everything that is known of one variant, newest measurements first.

    Attributes:
        variant: The variant.
        size: Its three sizes; None until measured.
        size_change: Bytes of its file against the baseline's. None for the baseline.
        size_change_alike: The same against the float32 variant of the same runtime: what is not the change
            of the format. None where that is itself, the baseline, or missing.
        latency: Its latency; None until measured.
        speed: Against the float32 variant of the same runtime, from one interleaved run; for that
            reference itself, against the baseline. None for the baseline.
        distrust: Why ``latency`` and ``speed`` are not believed, such as a processor that was busy with
            other work; None where they are. Where it is set nothing may be called faster or slower.
        total_speedup: Against the baseline, the change of runtime included: one number for each runtime,
            times ``speed``, so that the variants of a runtime stay in the order of their direct comparison.
        total_distrust: Why the change of runtime in ``total_speedup`` is not believed; None where it is, or
            where the runtime is the baseline's.
        paired_ms: The baseline's median latency divided by ``total_speedup``: what variants that
            were timed at different moments are shown side by side with. None where the baseline was
            timed on another machine.
        environment: Identifier of the environment of the machine that ``latency`` was taken on.
        timing: What is to be said of the run that ``latency`` was taken in, such as a busy machine.
        onednn: Whether TensorFlow ran with its oneDNN kernels when it was timed: both where runs differ,
            none where it did not run.
        made_in_s: Wall time of all steps that made it from the baseline, seconds.
        break_even: Samples after whose inference those seconds are saved again, against what ``speed`` is
            against; None where it is not measurably faster.
        energy: Of one sample, from a meter; None until asked for.
        quality: On the test split, in its runtime.
        quality_change: Against the baseline, paired by sample. None for the baseline.
        on_front: Whether no other variant is at least as fast, at least as small and at least as
            good, and better in one.
        zeros: Share of zeros in its weight matrices, 0 to 1; None until looked at.
        lost: What its step lost of the zeros and shared values that earlier steps had left.
        tables: What the technique found on its way, and where a collapsed variant lost its quality.
        notes: What the doctor has to say.
        offers: What would answer a question that its numbers leave open.
        measured_before: When its numbers were taken on this machine for another visitor of a shared page;
            None where they were taken for this workbench.
        starred: Whether somebody has marked it.
        note: What somebody has written on it; empty without.
        guess: What somebody thought that it would be, before it was measured.
        compared: What ``speed`` and ``total_speedup`` are against, in words.
    """

    variant: Variant
    size: SizeMeasurement | None = None
    size_change: SizeVerdict | None = None
    size_change_alike: SizeVerdict | None = None
    latency: LatencySummary | None = None
    speed: SpeedVerdict | None = None
    distrust: Text | None = None
    total_speedup: Interval | None = None
    total_distrust: Text | None = None
    paired_ms: Interval | None = None
    environment: str | None = None
    timing: tuple[Text, ...] = ()
    onednn: tuple[bool, ...] = ()
    made_in_s: float = 0.0
    break_even: int | None = None
    energy: EnergyMeasurement | None = None
    quality: QualityMeasurement | None = None
    quality_change: QualityVerdict | None = None
    on_front: bool = False
    zeros: float | None = None
    lost: tuple[Text, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[Text, ...] = ()
    offers: tuple[Offer, ...] = ()
    measured_before: datetime | None = None
    starred: bool = False
    note: str = ""
    guess: Guess | None = None
    compared: Text | None = None

    def __repr__(self) -> str:
        from workbench.results.notebook import results_cells

        return f"<{'; '.join(results_cells((self,))[1])}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from workbench.results.notebook import results_html

        return results_html((self,))

    @property
    def shown_ms(self) -> Interval | None:
        """The one latency in milliseconds that every surface shows: ``paired_ms`` where there is one."""
        if self.paired_ms is not None or self.latency is None:
            return self.paired_ms
        return self.latency.p50_ms


def collect(store: Store) -> tuple[ResultRow, ...]:
    """One row per variant from what the store holds, in the order of their making."""
    from workbench.measure.weights import WeightEffects
    from workbench.results.doctor import notes
    from workbench.results.step_order import lost_effects

    variants = store.variants()
    environments = store.environments()
    labels = store.labels()
    guessed = guesses(store)
    before = store.facts(BEFORE)
    timings = Timings(store, variants)
    lineage = Lineage(variants)
    baseline = lineage.baseline
    by_id = {variant.id: variant for variant in variants}
    looks = {variant.id: store.measurements("weights", variant.id, WeightEffects) for variant in variants}
    weights = {id_: found[0] for id_, found in looks.items() if found}
    rows = []
    for variant in variants:
        label = labels.get(variant.id, Label())
        reference = _reference(variant, lineage)
        timing = timings.of(variant, reference)
        rows.append(
            _row(store, variant, lineage, timing, _compared(variant, reference, baseline)).model_copy(
                update={
                    "zeros": weights[variant.id].zeros if variant.id in weights else None,
                    "lost": lost_effects(variant, by_id, weights),
                    "tables": (
                        *variant.report.tables,
                        *store.measurements("error by layer", variant.id, Table)[:1],
                    ),
                    "measured_before": _moment(before.get(variant.id)),
                    "starred": label.starred,
                    "note": label.note,
                    "guess": guessed.get(variant.id),
                }
            )
        )
    rows = _sizes(rows, lineage)
    front = pareto_front(rows)
    return tuple(
        row.model_copy(
            update={
                "on_front": row.variant.id in front,
                "notes": notes(row, rows, environments),
                "offers": offers(row, rows),
            }
        )
        for row in rows
    )


def task_of(rows: Sequence[ResultRow]) -> Task:
    """What the variants are judged as: all of a workbench as the same."""
    return rows[0].variant.description.task if rows else "classification"


def pareto_front(rows: Sequence[ResultRow]) -> frozenset[str]:
    """Variants that no other one beats in speed, size and F1 (or another task's measure) together.

    Speed is time relative to the baseline from paired runs, so numbers of different moments are
    not compared; nor are those of different machines.
    """
    points = {
        row.variant.id: (
            row.environment,
            (row.total_speedup.value, -row.size.file_bytes, row.quality.goodness),
        )
        for row in rows
        if row.total_speedup is not None and row.size is not None and row.quality is not None
    }
    return frozenset(
        id_
        for id_, (machine, point) in points.items()
        if not any(
            machine == elsewhere
            and other != point
            and all(theirs >= ours for theirs, ours in zip(other, point, strict=True))
            for elsewhere, other in points.values()
        )
    )


def compare_sizes(before: SizeMeasurement, after: SizeMeasurement) -> SizeVerdict:
    """The verdict on the bytes of two files.

    Args:
        before: The reference's.
        after: The variant's.
    """
    ratio = before.file_bytes / max(1, after.file_bytes)
    if after.file_bytes < (1 - SAME_SIZE) * before.file_bytes:
        return SizeVerdict(ratio=ratio, word="smaller")
    if before.file_bytes < (1 - SAME_SIZE) * after.file_bytes:
        return SizeVerdict(ratio=ratio, word="larger")
    return SizeVerdict(ratio=ratio, word="same size")


def _reference(variant: Variant, lineage: Lineage) -> Variant | None:
    """What speed-ups and sizes in the variant's runtime are quoted against."""
    if variant.technique is None:  # a file that was added is compared with the baseline
        return lineage.baseline
    return lineage.reference(variant.runtime) or lineage.baseline


def _row(
    store: Store, variant: Variant, lineage: Lineage, timing: Timing, compared: Text | None
) -> ResultRow:
    made_in_s = sum(one.seconds for one in lineage.of(variant) if one.technique is not None)
    return ResultRow(
        variant=variant,
        size=_first(store.measurements("size", variant.id, SizeMeasurement)),
        latency=timing.latency,
        speed=timing.speed,
        distrust=timing.distrust,
        total_speedup=timing.total_speedup,
        total_distrust=timing.total_distrust,
        paired_ms=timing.paired_ms,
        environment=timing.environment,
        timing=timing.warnings,
        onednn=timing.onednn,
        made_in_s=made_in_s,
        break_even=timing.break_even(made_in_s) if made_in_s else None,  # an added file was made elsewhere
        energy=_first(store.measurements("energy", variant.id, EnergyMeasurement)),
        quality=_first(store.measurements("quality", variant.id, QualityMeasurement)),
        quality_change=_first(store.measurements("quality change", variant.id, QualityVerdict)),
        compared=compared,
    )


def _sizes(rows: Sequence[ResultRow], lineage: Lineage) -> list[ResultRow]:
    """The rows with what their files' sizes are against others'."""
    measured = {row.variant.id: row.size for row in rows if row.size is not None}
    found = []
    for row in rows:
        reference = _reference(row.variant, lineage)
        changes = {
            name: compare_sizes(measured[other.id], row.size)
            for name, other in (("size_change", lineage.baseline), ("size_change_alike", reference))
            if row.size is not None
            and other is not None
            and other.id in measured
            and other.id != row.variant.id
            and (name == "size_change" or not other.is_baseline)
        }
        found.append(row.model_copy(update=changes))
    return found


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


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _first(records: Sequence[R]) -> R | None:
    return records[0] if records else None
