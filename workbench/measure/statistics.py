"""From raw latency samples to medians, intervals and verdicts (see MEASURING, latency 5 and 6).

Raw samples of one file are an array of shape ``(processes, rounds, runs)`` in milliseconds per
call; the same round index of two files was timed in the same moment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from workbench.api.variant import RuntimeSettings
from workbench.measure.records import Interval, LatencySummary, SpeedVerdict, SpeedWord
from workbench.measure.student_t import t_975

Samples = npt.NDArray[np.float64]

SMALLEST_EFFECT = 0.03
"""A speed-up of less is never called one: the layout of memory alone makes 1 %."""

LAYOUT = 0.01
"""What the layout of memory may make of a ratio in one process, whose rounds cannot show it."""

RESAMPLES = 1000

_ROUNDING = 1e-9
_NORMAL = 1.95996
_MOST_ALIKE = 0.95
_FEWEST_INDEPENDENT = 4


def summarize(
    variant: str,
    runtime: str,
    settings: RuntimeSettings,
    load_ms: float,
    first_ms: float,
    samples: Samples,
    seed: int = 0,
    cores_busy: Samples | None = None,
) -> LatencySummary:
    """One file's latency from all its raw samples; nothing is removed.

    Args:
        variant: Identifier of the variant.
        runtime: Runtime that ran it.
        settings: Threads and batch.
        load_ms: Time to load and compile.
        first_ms: Time of the first inference after loading.
        samples: Shape ``(processes, rounds, runs)``, milliseconds per call.
        seed: Seeds the bootstrap.
        cores_busy: Busy processors while it ran, shape ``(processes, rounds)``; None if unknown.
    """
    pooled = samples.ravel()
    median = float(np.median(pooled))
    spread = 1.4826 * float(np.median(np.abs(pooled - median)))
    q25, q75, p90, p95, p99 = (float(q) for q in np.percentile(pooled, (25, 75, 90, 95, 99)))
    if len(samples) > 1:
        p50 = interval_over_processes(np.median(samples.reshape(len(samples), -1), axis=1))
    else:
        p50 = _median_interval_over_rounds(samples[0], seed)
    return LatencySummary(
        variant=variant,
        runtime=runtime,
        settings=settings,
        load_ms=load_ms,
        first_ms=first_ms,
        p50_ms=p50,
        iqr_ms=q75 - q25,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        min_ms=float(pooled.min()),
        samples=pooled.size,
        outliers=int((pooled > median + 10 * spread).sum()),
        throughput=settings.batch / (p50.value / 1000),
        cores_busy=None if cores_busy is None else _busy_interval(cores_busy, seed),
    )


def _busy_interval(cores: Samples, seed: int) -> Interval | None:
    # A clock of processors that stands still (seen under emulation) says nothing.
    if not (cores > 0).all():
        return None
    if len(cores) > 1:
        return interval_over_processes(np.median(cores, axis=1))
    return interval_over_rounds(cores[0], seed)


def speedup(reference: Samples, variant: Samples, seed: int = 0, floor: float = 0.0) -> Interval:
    """Reference / variant, with its 95 % interval.

    In each round the ratio of the two block medians is taken: what disturbs the machine then
    disturbs both. Several processes: median over the processes' medians, t-interval over processes,
    and the A/A floor, which may be the same in all of them. One process: median over rounds,
    :func:`interval_over_rounds`; what its rounds cannot show (two loads of one file differ by memory
    layout alone) is twice the A/A floor and :data:`LAYOUT`, added in quadrature. What disturbs the
    two files unequally (other work that takes caches or cores) is seen in the rounds in which one of
    them was fastest: what these say is inside the interval.

    Args:
        reference: Shape ``(processes, rounds, runs)``, milliseconds.
        variant: Shape ``(processes, rounds, other runs)``, milliseconds.
        seed: Seeds the bootstrap.
        floor: The A/A floor of the run.
    """
    ratios = _round_ratios(reference, variant)
    if len(ratios) > 1:
        return _widened(interval_over_processes(np.median(ratios, axis=1)), floor)
    found = _widened(interval_over_rounds(ratios[0], seed), math.hypot(2 * floor, LAYOUT))
    quiet = _undisturbed(np.median(reference[0], axis=1), np.median(variant[0], axis=1))
    return found.model_copy(update={"low": min(found.low, *quiet), "high": max(found.high, *quiet)})


def floor_of(reference: Samples, again: Samples) -> float:
    """The A/A floor: how far from 1 the ratio of two loads of one file is.

    Args:
        reference: Shape ``(processes, rounds, runs)``, milliseconds.
        again: The second load, same shape.

    Returns:
        |1 - median ratio|; over several processes, the median of it.
    """
    medians = np.median(_round_ratios(reference, again), axis=1)
    return float(np.median(np.abs(1 - medians)))


def speed_word(ratio: Interval, floor: float) -> SpeedWord:
    """The verdict on a speed-up.

    Args:
        ratio: reference / variant: above 1 is faster.
        floor: The A/A floor.

    Returns:
        ``faster`` or ``slower`` only if the interval excludes 1 and the effect exceeds
        max(3 %, 2 x the floor).
    """
    if abs(ratio.value - 1) > max(SMALLEST_EFFECT, 2 * floor) + _ROUNDING:
        if ratio.low > 1:
            return "faster"
        if ratio.high < 1:
            return "slower"
    return "no measurable change"


def compare_speed(
    samples: Mapping[str, Samples],
    variant: str,
    reference: str,
    *,
    floor: float,
    batches: tuple[int, int] = (1, 1),
    seed: int = 0,
) -> SpeedVerdict:
    """The verdict on any two files of one interleaved run.

    Args:
        samples: Raw samples of the run by variant.
        variant: The variant judged.
        reference: The one it is compared with.
        floor: The A/A floor of that run (in each of its verdicts).
        batches: Samples in one call, of the variant and of the reference. The ratio is per sample.
        seed: Seeds the bootstrap.
    """
    ratio = speedup(samples[reference] / batches[1], samples[variant] / batches[0], seed, floor)
    return SpeedVerdict(
        variant=variant, reference=reference, speedup=ratio, floor=floor, word=speed_word(ratio, floor)
    )


def interval_over_rounds(ratios: Samples, seed: int = 0) -> Interval:
    """Median over rounds of positive values with a 95 % interval, shape ``(rounds,)``.

    A percentile bootstrap over rounds, as if they were independent, widened as far as they are not.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(ratios), (RESAMPLES, len(ratios)))
    return _around(float(np.median(ratios)), np.median(ratios[drawn], axis=1), ratios)


def interval_over_processes(values: Samples) -> Interval:
    """Median of positive values with a t-interval on their logarithms, shape ``(processes,)``.

    On logarithms, so that a / b and b / a give the same verdict.
    """
    value = float(np.median(values))
    logarithms = np.log(values)
    half = t_975(len(values) - 1) * float(logarithms.std(ddof=1)) / np.sqrt(len(values))
    center = float(logarithms.mean())
    # The mean and the median differ a little: the interval holds both.
    return Interval(
        value=value,
        low=min(float(np.exp(center - half)), value),
        high=max(float(np.exp(center + half)), value),
    )


def _round_ratios(reference: Samples, variant: Samples) -> Samples:
    ratios: Samples = np.median(reference, axis=2) / np.median(variant, axis=2)
    return ratios


def _median_interval_over_rounds(samples: Samples, seed: int) -> Interval:
    rounds, runs = samples.shape
    rng = np.random.default_rng(seed)
    chunk = max(1, 1_000_000 // (rounds * runs))
    resampled = [
        np.median(
            samples[rng.integers(0, rounds, (min(chunk, RESAMPLES - start), rounds))].reshape(
                -1, rounds * runs
            ),
            axis=1,
        )
        for start in range(0, RESAMPLES, chunk)
    ]
    return _around(float(np.median(samples)), np.concatenate(resampled), np.median(samples, axis=1))


def _around(value: float, resampled: Samples, rounds: Samples) -> Interval:
    """The percentiles of the resampled medians, further from the value by :func:`widening`."""
    low, high = np.percentile(resampled, (2.5, 97.5))
    wider = widening(rounds)
    return Interval(
        value=value,
        low=value * min(float(low) / value, 1.0) ** wider,
        high=value * max(float(high) / value, 1.0) ** wider,
    )


def widening(rounds: Samples) -> float:
    """How much wider an interval is because neighbouring rounds are alike.

    Args:
        rounds: Median of the block in each round, in order.
    """
    return widening_of(len(rounds), independent_rounds(rounds))


def independent_rounds(rounds: Samples) -> float:
    """How many independent rounds are worth as much as these, of which neighbours are alike.

    Other work on the machine lasts longer than a round. Where one round tells ``r`` of the next (the
    autocorrelation of the logarithms, outliers drawn in, without the bias of short series: Marriott and
    Pope 1954), ``n`` rounds are worth ``n (1 - r) / (1 + r)`` independent ones, of which there are then few.

    Args:
        rounds: Median of the block in each round, in order.
    """
    count = len(rounds)
    logarithms = np.log(rounds)
    middle = np.median(logarithms)
    far = 3 * 1.4826 * np.median(np.abs(logarithms - middle))
    distances = np.clip(logarithms, middle - far, middle + far)
    distances = distances - distances.mean()
    power = float(distances @ distances)
    alike = float(distances[1:] @ distances[:-1]) / power if power > 0 else 0.0
    alike = min(max(alike + (1 + 3 * alike) / count, 0.0), _MOST_ALIKE) if power > 0 else 0.0
    return min(count, max(_FEWEST_INDEPENDENT, count * (1 - alike) / (1 + alike)))


def widening_of(count: int, independent: float) -> float:
    """:func:`widening` of rounds of which it is known how many are independent.

    Args:
        count: How many rounds there are.
        independent: From :func:`independent_rounds`.
    """
    return t_975(max(1, int(independent - 1))) / _NORMAL * math.sqrt(count / independent)


def _undisturbed(reference: Samples, variant: Samples) -> tuple[float, float, float]:
    """The ratio in the rounds in which the reference was fast, the variant was, and each was.

    Args:
        reference: Median of its block in each round, shape ``(rounds,)``.
        variant: The same of the variant.
    """
    few = max(4, len(reference) // 5)

    def of(rounds: npt.NDArray[np.intp]) -> float:
        return float(np.median(reference[rounds] / variant[rounds]))

    return (
        of(np.argsort(reference, kind="stable")[:few]),
        of(np.argsort(variant, kind="stable")[:few]),
        float(np.quantile(reference, 0.1) / np.quantile(variant, 0.1)),
    )


def _widened(interval: Interval, relative: float) -> Interval:
    """An interval with a relative error added in quadrature on both sides, on logarithms."""
    value = interval.value
    below = math.hypot(math.log(value / interval.low), relative)
    above = math.hypot(math.log(interval.high / value), relative)
    return Interval(value=value, low=value * math.exp(-below), high=value * math.exp(above))
