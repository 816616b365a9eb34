"""What the stored timing runs say of one variant: never of two machines at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.measure.records import Interval, LatencyMeasurement, LatencySummary, SpeedVerdict
from workbench.records import Record
from workbench.store import Store
from workbench.text import Text
from workbench.variant import Variant


class Timing(Record):
    """A variant's latency and speed-ups.

    Attributes:
        latency: From its newest run, a ``final`` one if there is any; None until timed.
        passport: Identifier of the passport of the machine of that run.
        warnings: What is to be said of that run.
        speed: Against the float32 variant of the same runtime; for that one, against the baseline.
        judged: The summary that belongs to ``speed``.
        total_speedup: Against the baseline, the change of runtime included.
        onednn: Whether TensorFlow ran with its oneDNN kernels, in the runs that these numbers are from.
    """

    latency: LatencySummary | None = None
    passport: str | None = None
    warnings: tuple[Text, ...] = ()
    speed: SpeedVerdict | None = None
    judged: LatencySummary | None = None
    total_speedup: Interval | None = None
    onednn: tuple[bool, ...] = ()

    def break_even(self, cost_s: float) -> int | None:
        """Samples after whose inference the time of making is saved; None if not measurably faster."""
        if self.speed is None or self.judged is None or self.speed.word != "faster":
            return None
        sample_s = self.judged.p50_ms.value / 1000 / self.judged.settings.batch
        return break_even(cost_s, sample_s * self.speed.speedup.value, sample_s)


def timing_of(store: Store, variant: Variant, reference: Variant | None, baseline: Variant | None) -> Timing:
    """What is known of a variant's speed.

    Args:
        store: Where the runs are.
        variant: The variant.
        reference: What speed-ups in its runtime are quoted against.
        baseline: The first variant.
    """
    runs = _runs(store, variant)
    # The change of runtime is what a runtime's own reference is judged by.
    against = baseline if reference is not None and reference.id == variant.id else reference
    judging = _judging(runs, variant, against)
    timed = next((run for run in runs if _summary(run, variant) is not None), None)
    total, bridge = _total(store, variant, reference, baseline, judging)
    used = (timed, bridge, None if judging is None else judging[0])
    return Timing(
        latency=None if timed is None else _summary(timed, variant),
        passport=None if timed is None else timed.passport,
        warnings=() if timed is None else timed.warnings,
        speed=None if judging is None else judging[1],
        judged=None if judging is None else _summary(judging[0], variant),
        total_speedup=total,
        onednn=tuple(sorted({run.onednn for run in used if run is not None and run.onednn is not None})),
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


def break_even(cost: float, before: float, after: float) -> int | None:
    """Inferences after which an optimization has paid for itself.

    Args:
        cost: What making the variant took: seconds, or joules.
        before: What one inference of the reference takes, in the same unit.
        after: What one inference of the variant takes.

    Returns:
        None if it never does, because the variant saves nothing.
    """
    saved = before - after
    if saved <= 0:
        return None
    return math.ceil(cost / saved)


_Judging = tuple[LatencyMeasurement, SpeedVerdict]


def _total(
    store: Store,
    variant: Variant,
    reference: Variant | None,
    baseline: Variant | None,
    judging: _Judging | None,
) -> tuple[Interval | None, LatencyMeasurement | None]:
    """The speed-up against the baseline, and the run that led from one runtime to the other, if one did."""
    if baseline is None:
        return None, None
    if variant.id == baseline.id:
        return Interval(value=1.0, low=1.0, high=1.0), None
    if reference is None or judging is None:
        return None, None
    run, verdict = judging
    if baseline.id in (reference.id, verdict.reference):
        return verdict.speedup, None
    # Two ratios are multiplied only where both were taken on one machine.
    bridge = _judging(_runs(store, reference), reference, baseline, run.passport)
    if bridge is None:
        return None, None
    return chain(bridge[1].speedup, verdict.speedup), bridge[0]


def _runs(store: Store, variant: Variant) -> tuple[LatencyMeasurement, ...]:
    """Its timings: the final ones first, the newest first."""
    runs = store.measurements("latency", variant.id, LatencyMeasurement)
    return tuple(sorted(runs, key=lambda run: run.protocol != "final"))


def _judging(
    runs: Sequence[LatencyMeasurement],
    variant: Variant,
    reference: Variant | None,
    passport: str | None = None,
) -> _Judging | None:
    """The first verdict on two variants and the run that it is from; with a passport, of that machine."""
    if reference is None or reference.id == variant.id:
        return None
    for run in runs:
        if passport in (None, run.passport):
            for verdict in run.verdicts:
                if verdict.variant == variant.id and verdict.reference == reference.id:
                    return run, verdict
    return None


def _summary(run: LatencyMeasurement, variant: Variant) -> LatencySummary | None:
    return next((summary for summary in run.summaries if summary.variant == variant.id), None)
