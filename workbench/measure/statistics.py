"""From raw latency samples to medians, intervals and verdicts (see MEASURING, latency 5 and 6).

Raw samples of one file are an array of shape ``(processes, rounds, runs)`` in milliseconds per
call; the same round index of two files was timed in the same moment.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from workbench.measure.records import Interval, LatencySummary, SpeedVerdict, SpeedWord
from workbench.measure.student_t import t_975
from workbench.variant import RuntimeSettings

Samples = npt.NDArray[np.float64]

SMALLEST_EFFECT = 0.03
"""A speed-up of less is never called one: the layout of memory alone makes 1 %."""

RESAMPLES = 1000

_ROUNDING = 1e-9


def summarize(
    variant: str,
    runtime: str,
    settings: RuntimeSettings,
    load_ms: float,
    first_ms: float,
    samples: Samples,
    seed: int = 0,
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
    )


def speedup(reference: Samples, variant: Samples, seed: int = 0) -> Interval:
    """Reference / variant, with its 95 % interval.

    In each round the ratio of the two block medians is taken: what disturbs the machine then
    disturbs both. One process: median over rounds, bootstrap over rounds. Several: median over
    the processes' medians, t-interval over processes, since two loads of one file differ by
    memory layout alone and rounds of one process cannot see it.

    Args:
        reference: Shape ``(processes, rounds, runs)``, milliseconds.
        variant: Shape ``(processes, rounds, other runs)``, milliseconds.
        seed: Seeds the bootstrap.
    """
    ratios = _round_ratios(reference, variant)
    if len(ratios) > 1:
        return interval_over_processes(np.median(ratios, axis=1))
    return interval_over_rounds(ratios[0], seed)


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
    ratio = speedup(samples[reference] / batches[1], samples[variant] / batches[0], seed)
    return SpeedVerdict(
        variant=variant, reference=reference, speedup=ratio, floor=floor, word=speed_word(ratio, floor)
    )


def interval_over_rounds(ratios: Samples, seed: int = 0) -> Interval:
    """Median over rounds with a percentile bootstrap interval, shape ``(rounds,)``."""
    rng = np.random.default_rng(seed)
    resampled = np.median(ratios[_resampled_rounds(rng, len(ratios), RESAMPLES)], axis=1)
    return _around(float(np.median(ratios)), resampled)


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
            samples[_resampled_rounds(rng, rounds, min(chunk, RESAMPLES - start))].reshape(-1, rounds * runs),
            axis=1,
        )
        for start in range(0, RESAMPLES, chunk)
    ]
    return _around(float(np.median(samples)), np.concatenate(resampled))


def _resampled_rounds(rng: np.random.Generator, rounds: int, count: int) -> npt.NDArray[np.int64]:
    """Indices of resampled rounds, shape ``(count, rounds)``.

    Other work on the machine lasts longer than a round, so neighbours are alike: runs of
    rounds^(1/3) neighbours are drawn together (circular block bootstrap, Politis & Romano 1992).
    """
    length = max(1, round(rounds ** (1 / 3)))
    starts = rng.integers(0, rounds, (count, -(-rounds // length), 1))
    indices = (starts + np.arange(length)).reshape(count, -1)[:, :rounds] % rounds
    return np.asarray(indices, np.int64)


def _around(value: float, resampled: Samples) -> Interval:
    low, high = np.percentile(resampled, (2.5, 97.5))
    return Interval(value=value, low=min(float(low), value), high=max(float(high), value))
