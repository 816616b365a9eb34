"""What the stored timing runs say of one variant: never of two machines at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from workbench.api.lineage import Lineage
from workbench.api.records import Record
from workbench.api.text import Text
from workbench.api.variant import Variant
from workbench.measure.records import Interval, LatencyMeasurement, LatencySummary, SpeedVerdict
from workbench.measure.trust import distrust
from workbench.store import Store


class Timing(Record):
    """A variant's latency and speed-ups.

    Attributes:
        latency: From the run that is believed most: an undisturbed one, a ``final`` one, the newest. None
            until timed.
        environment: Identifier of the environment of the machine of that run.
        warnings: What is to be said of that run.
        speed: Against the float32 variant of the same runtime; for that one, against the baseline.
        judged: The summary that belongs to ``speed``.
        total_speedup: Against the baseline: the change of runtime, which is the same number for all
            variants of one runtime, times ``speed``.
        paired_ms: The baseline's median latency divided by ``total_speedup``; None where one of the two was
            taken on another machine.
        distrust: Why ``latency`` or ``speed`` is not believed; None where they are.
        total_distrust: Why the change of runtime in ``total_speedup`` is not; None where it is, or where
            the runtime is the baseline's.
        onednn: Whether TensorFlow ran with its oneDNN kernels, in the runs that these numbers are from.
    """

    latency: LatencySummary | None = None
    environment: str | None = None
    warnings: tuple[Text, ...] = ()
    speed: SpeedVerdict | None = None
    judged: LatencySummary | None = None
    total_speedup: Interval | None = None
    paired_ms: Interval | None = None
    distrust: Text | None = None
    total_distrust: Text | None = None
    onednn: tuple[bool, ...] = ()

    def break_even(self, cost_s: float) -> int | None:
        """Samples after whose inference the time of making is saved; None if not measurably faster."""
        if self.speed is None or self.judged is None or self.speed.word != "faster" or self.distrust:
            return None
        sample_s = self.judged.p50_ms.value / 1000 / self.judged.settings.batch
        return break_even(cost_s, sample_s * self.speed.speedup.value, sample_s)


class _Judging(NamedTuple):
    """A verdict, and the run that it is from."""

    run: LatencyMeasurement
    verdict: SpeedVerdict

    @property
    def distrust(self) -> Text | None:
        return distrust(self.run, (self.verdict.variant, self.verdict.reference))


class Timings:
    """What the stored timing runs say of a workbench's variants.

    The speed-up of a variant is taken in its own runtime. To compare it with the baseline the change of
    runtime is multiplied to it: one number for each runtime, and for all runtimes from the same run where
    there is one. So no variant passes another of its runtime because a third program was disturbed.

    Args:
        store: Where the runs are.
        variants: All variants.
    """

    def __init__(self, store: Store, variants: Sequence[Variant]) -> None:
        self._runs = {one.id: store.measurements("latency", one.id, LatencyMeasurement) for one in variants}
        lineage = Lineage(variants)
        self._baseline = lineage.baseline
        self._references = [one for one in lineage.references() if not one.is_baseline]
        environments = {run.environment for runs in self._runs.values() for run in runs}
        self._changes = {environment: self._changes_on(environment) for environment in environments}

    def of(self, variant: Variant, reference: Variant | None) -> Timing:
        """What is known of a variant's speed.

        Args:
            variant: The variant.
            reference: What speed-ups in its runtime are quoted against.
        """
        timed = _timed(self._runs[variant.id], variant.id)
        judging = self._judging(variant, reference)
        total, change = self._total(variant, judging)
        used = (timed, change and change.run, judging and judging.run)
        doubts = (judging and judging.distrust, timed and distrust(timed, (variant.id,)))
        return Timing(
            latency=None if timed is None else self._with_cores(timed, variant.id),
            environment=None if timed is None else timed.environment,
            warnings=() if timed is None else timed.warnings,
            speed=None if judging is None else judging.verdict,
            judged=None if judging is None else _summary(judging.run, variant.id),
            total_speedup=total,
            paired_ms=self._paired(variant, total, judging),
            distrust=next((doubt for doubt in doubts if doubt is not None), None),
            total_distrust=None if change is None else change.distrust,
            onednn=tuple(sorted({run.onednn for run in used if run is not None and run.onednn is not None})),
        )

    def _with_cores(self, timed: LatencyMeasurement, variant: str) -> LatencySummary | None:
        """Its summary; how many processors it keeps busy from another run where that one could not tell."""
        summary = _summary(timed, variant)
        if summary is None or summary.cores_busy is not None:
            return summary
        for run in self._runs[variant]:
            other = _summary(run, variant) if run.environment == timed.environment else None
            if other is not None and other.cores_busy is not None and other.settings == summary.settings:
                return summary.model_copy(update={"cores_busy": other.cores_busy})
        return summary

    def _judging(self, variant: Variant, reference: Variant | None) -> _Judging | None:
        if reference is None or self._baseline is None:
            return None
        if reference.id != variant.id:
            return _best(_verdicts(self._runs[variant.id], variant.id, reference.id))
        # The change of runtime is what a runtime's own reference is judged by.
        found = [changes[variant.id] for changes in self._changes.values() if variant.id in changes]
        return _best(found)

    def _total(self, variant: Variant, judging: _Judging | None) -> tuple[Interval | None, _Judging | None]:
        """The speed-up against the baseline, and the change of runtime in it, if there is one."""
        if self._baseline is None:
            return None, None
        if variant.id == self._baseline.id:
            return Interval(value=1.0, low=1.0, high=1.0), None
        if judging is None:
            return None, None
        if judging.verdict.reference == self._baseline.id:
            return judging.verdict.speedup, None
        # Two ratios are multiplied only where both were taken on one machine.
        change = self._changes[judging.run.environment].get(judging.verdict.reference)
        if change is None:
            return None, None
        return chain(change.verdict.speedup, judging.verdict.speedup), change

    def _paired(self, variant: Variant, total: Interval | None, judging: _Judging | None) -> Interval | None:
        if self._baseline is None or total is None:
            return None
        run = _timed(self._runs[self._baseline.id], self._baseline.id)
        if run is None or (judging is not None and judging.run.environment != run.environment):
            return None
        p50 = next(one for one in run.summaries if one.variant == self._baseline.id).p50_ms
        if variant.id == self._baseline.id:
            return p50
        return divided(p50.value, total)

    def _changes_on(self, environment: str) -> dict[str, _Judging]:
        """The change of runtime to each reference on one machine."""
        if self._baseline is None:
            return {}
        found: dict[str, list[_Judging]] = {}
        for reference in self._references:
            verdicts = _verdicts(self._runs[reference.id], reference.id, self._baseline.id)
            if here := [one for one in verdicts if one.run.environment == environment]:
                found[reference.id] = here
        best = {id_: one for id_, verdicts in found.items() if (one := _best(verdicts)) is not None}
        # Each from its own run they would differ by what disturbed the baseline in one run and not in
        # another. A run that all are in is better, unless it is less to be believed.
        runs = [
            {
                one.verdict.variant: one
                for verdicts in found.values()
                for one in verdicts
                if one.run == first.run
            }
            for first in next(iter(found.values()), [])
        ]
        shared = [run for run in runs if run.keys() == found.keys()]
        shared.sort(key=lambda run: _doubt(next(iter(run.values())), *run.values()))
        if shared and not any(
            one.distrust is not None and best[id_].distrust is None for id_, one in shared[0].items()
        ):
            return shared[0]
        return best


def inverse(ratio: Interval) -> Interval:
    """The ratio the other way round."""
    return divided(1, ratio)


def divided(value: float, ratio: Interval) -> Interval:
    """What a number of the baseline's becomes by a ratio to it, as far as the ratio is known."""
    return Interval(value=value / ratio.value, low=value / ratio.high, high=value / ratio.low)


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


def _timed(runs: Iterable[LatencyMeasurement], variant: str) -> LatencyMeasurement | None:
    """The run with a variant in it that is believed most; of equal ones, which are sorted so, the newest."""
    return min(
        (run for run in runs if _summary(run, variant) is not None),
        key=lambda run: (distrust(run, (variant,)) is not None, run.protocol != "final"),
        default=None,
    )


def _verdicts(runs: Iterable[LatencyMeasurement], variant: str, reference: str) -> list[_Judging]:
    return [
        _Judging(run, verdict)
        for run in runs
        for verdict in run.verdicts
        if (verdict.variant, verdict.reference) == (variant, reference)
    ]


def _doubt(first: _Judging, *all_: _Judging) -> tuple[bool, bool]:
    """Sorts what is believed more to the front."""
    return any(one.distrust is not None for one in all_ or (first,)), first.run.protocol != "final"


def _best(found: Sequence[_Judging]) -> _Judging | None:
    return min(found, key=_doubt, default=None)


def _summary(run: LatencyMeasurement, variant: str) -> LatencySummary | None:
    return next((summary for summary in run.summaries if summary.variant == variant), None)
