import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.api.variant import RuntimeSettings
from workbench.measure.records import Interval
from workbench.measure.statistics import (
    compare_speed,
    floor_of,
    interval_over_processes,
    interval_over_rounds,
    speed_word,
    speedup,
    summarize,
)


def run(scale, *, processes=1, rounds=30, runs=10, noise=0.02, seed=0):
    """Raw samples around ``scale`` milliseconds."""
    rng = np.random.default_rng(seed)
    return scale * np.exp(rng.normal(0, noise, (processes, rounds, runs)))


def test_summary_by_hand():
    samples = np.arange(1.0, 101.0).reshape(1, 10, 10)
    samples[0, -1, -1] = 5000.0
    summary = summarize("v", "litert", RuntimeSettings(batch=4), 12.0, 3.0, samples)

    assert summary.p50_ms.value == 50.5
    assert summary.p50_ms.low <= 50.5 <= summary.p50_ms.high
    assert summary.iqr_ms == pytest.approx(75.25 - 25.75)
    assert summary.p90_ms == pytest.approx(np.percentile(samples, 90))
    assert summary.p95_ms == pytest.approx(np.percentile(samples, 95))
    assert summary.p99_ms == pytest.approx(np.percentile(samples, 99))
    assert (summary.min_ms, summary.samples, summary.outliers) == (1.0, 100, 1)
    assert summary.throughput == pytest.approx(4 / 0.0505)
    assert (summary.load_ms, summary.first_ms) == (12.0, 3.0)
    assert summary.unsteady


def test_outliers_are_counted_by_the_median_absolute_deviation():
    samples = run(1.0, noise=0.01)
    edge = 1.4826 * stats.median_abs_deviation(samples, axis=None) * 10 + np.median(samples)
    samples[0, 0, :3] = [edge * 1.01, edge * 2, edge * 0.99]
    edge = np.median(samples) + 10 * 1.4826 * stats.median_abs_deviation(samples, axis=None)
    expected = int((samples > edge).sum())
    assert summarize("v", "r", RuntimeSettings(), 1, 1, samples).outliers == expected == 2


def test_speedup_is_the_median_of_the_ratios_of_block_medians():
    reference, variant = run(2.0, seed=1), run(1.0, seed=2, runs=20)
    expected = np.median(np.median(reference[0], axis=1) / np.median(variant[0], axis=1))
    ratio = speedup(reference, variant)
    assert ratio.value == pytest.approx(expected)
    assert ratio.low < ratio.value < ratio.high


def test_noise_that_hits_both_cancels():
    rng = np.random.default_rng(0)
    load = np.exp(rng.normal(0, 0.5, (1, 30, 1)))
    ratio = speedup(run(2.0, seed=1) * load, run(1.0, seed=2) * load)
    assert ratio.low > 1.95
    assert ratio.high < 2.05


def test_the_interval_over_rounds_covers_the_truth():
    rng = np.random.default_rng(3)
    hits = 0
    for seed in range(300):
        interval = interval_over_rounds(1.5 * np.exp(rng.normal(0, 0.05, 30)), seed)
        hits += interval.low <= 1.5 <= interval.high
    assert 0.90 <= hits / 300 <= 0.99


def alike(rounds, share, rng):
    """A series of which each value tells ``share`` of the next, with variance 1."""
    values = [rng.normal()]
    for _ in range(rounds - 1):
        values.append(share * values[-1] + np.sqrt(1 - share**2) * rng.normal())
    return np.array(values)


@pytest.mark.parametrize(("share", "covered", "wider"), [(0.5, 0.9, 1.2), (0.8, 0.85, 2.0)])
def test_the_interval_is_wider_where_neighbouring_rounds_are_alike(share, covered, wider):
    """A bootstrap of three neighbours at a time covers 82 and 65 %."""
    rng = np.random.default_rng(5)
    hits, widths = 0, []
    for seed in range(150):
        load = 0.05 * alike(40, share, rng)
        interval = interval_over_rounds(1.5 * np.exp(load), seed)
        independent = interval_over_rounds(1.5 * np.exp(rng.permutation(load)), seed)
        hits += interval.low <= 1.5 <= interval.high
        widths.append((interval.high - interval.low) / (independent.high - independent.low))
    assert hits / 150 >= covered
    assert np.median(widths) > wider


def disturbed(kind, rng, rounds=30):
    """Block medians of reference, its second load and variant, which is 1.5 times as fast undisturbed."""
    both = 0.02 * alike(rounds, 0.8, rng)
    reference, again, variant = (np.exp(both + rng.normal(0, 0.01, rounds)) for _ in range(3))
    variant = variant / 1.5
    if kind == "each by itself":
        reference, again, variant = (
            times * np.exp(0.03 * alike(rounds, 0.8, rng)) for times in (reference, again, variant)
        )
    elif kind == "drift":
        variant *= np.exp(rng.normal(0, 0.1) * np.linspace(-0.5, 0.5, rounds))
    elif kind == "layout":
        reference, again, variant = (
            times * np.exp(rng.normal(0, 0.006)) for times in (reference, again, variant)
        )
    elif kind == "bursts":  # other work that comes and goes hits the variant twice as much
        busy = np.cumsum(rng.random(rounds) < 0.15) % 2 == rng.integers(2)
        hit = 0.3 * busy * rng.uniform(0.5, 1.5, rounds)
        reference, again, variant = reference * (1 + hit), again * (1 + hit), variant * (1 + 2 * hit)
    return [times[None, :, None] for times in (reference, again, variant)]


@pytest.mark.parametrize(
    ("kind", "covered"),
    [("nothing", 0.95), ("each by itself", 0.88), ("drift", 0.93), ("layout", 0.88), ("bursts", 0.85)],
)
def test_the_speed_up_is_covered_whatever_disturbs_it(kind, covered):
    """A bootstrap of three neighbouring rounds at a time covers 90, 66, 98, 50 and 31 %."""
    rng, hits = np.random.default_rng(8), 0
    for seed in range(100):
        reference, again, variant = disturbed(kind, rng)
        interval = speedup(reference, variant, seed, floor_of(reference, again))
        hits += interval.low <= 1.5 <= interval.high
    assert hits / 100 >= covered


def test_a_quiet_machine_has_a_narrow_interval():
    rng = np.random.default_rng(8)
    reference, again, variant = disturbed("nothing", rng)
    interval = speedup(reference, variant, 0, floor_of(reference, again))
    assert interval.high / interval.low < 1.06


def test_the_floor_is_part_of_the_interval():
    reference, variant = run(1.04, seed=1), run(1.0, seed=2)
    assert speedup(reference, variant, floor=0.001).low > 1.01
    assert speedup(reference, variant, floor=0.02).low < 1.01
    five = run(1.04, processes=5, seed=1), run(1.0, processes=5, seed=2)
    assert speedup(*five, floor=0.03).low < speedup(*five).low - 0.01


def test_what_the_quiet_rounds_say_is_inside():
    """Disturbed for most of the time, a file seems 1.2 times as fast where it is 1.5 times."""
    rng = np.random.default_rng(3)
    busy = np.arange(40) % 4 != 0
    reference = np.where(busy, 1.6, 1.5) * np.exp(rng.normal(0, 0.003, 40))
    variant = np.where(busy, 1.33, 1.0) * np.exp(rng.normal(0, 0.003, 40))
    interval = speedup(reference[None, :, None], variant[None, :, None])
    assert interval.value == pytest.approx(1.2, abs=0.02)
    assert interval.high >= 1.49


def test_the_interval_over_processes_covers_the_truth():
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(1000):
        interval = interval_over_processes(1.5 * np.exp(rng.normal(0, 0.01, 5)))
        hits += interval.low <= 1.5 <= interval.high
    # The interval also holds the median, which makes it no narrower than 95 %.
    assert 0.93 <= hits / 1000 <= 0.98


def test_final_takes_the_median_over_processes():
    reference, variant = run(2.0, processes=5, seed=1), run(1.0, processes=5, seed=2)
    ratios = np.median(np.median(reference, axis=2) / np.median(variant, axis=2), axis=1)
    ratio = speedup(reference, variant)
    assert ratio.value == pytest.approx(np.median(ratios))
    low, high = stats.t.interval(0.95, 4, np.log(ratios).mean(), stats.sem(np.log(ratios)))
    assert ratio.low == pytest.approx(np.exp(low), rel=1e-3)
    assert ratio.high == pytest.approx(np.exp(high), rel=1e-3)


def test_the_floor_is_the_distance_of_the_ratio_from_one():
    assert floor_of(np.full((1, 30, 10), 1.0), np.full((1, 30, 10), 1.25)) == pytest.approx(0.2)
    assert floor_of(np.full((1, 30, 10), 1.0), np.full((1, 30, 10), 0.8)) == pytest.approx(0.25)
    # Over processes errors in both directions do not cancel.
    again = np.array([0.98, 0.99, 1.0, 1.01, 1.02])[:, None, None] * np.ones((5, 30, 10))
    assert floor_of(np.ones((5, 30, 10)), again) == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize(
    ("value", "low", "high", "floor", "word"),
    [
        (1.50, 1.40, 1.60, 0.00, "faster"),
        (0.50, 0.45, 0.55, 0.00, "slower"),
        (1.50, 0.99, 2.00, 0.00, "no measurable change"),  # the interval holds 1
        (1.50, 1.00, 2.00, 0.00, "no measurable change"),  # its end is 1
        (0.50, 0.10, 1.00, 0.00, "no measurable change"),
        (1.03, 1.02, 1.04, 0.00, "no measurable change"),  # not above 3 %
        (1.031, 1.02, 1.04, 0.00, "faster"),
        (0.97, 0.96, 0.98, 0.00, "no measurable change"),
        (0.969, 0.96, 0.98, 0.00, "slower"),
        (1.19, 1.15, 1.25, 0.10, "no measurable change"),  # within twice the floor
        (1.21, 1.15, 1.25, 0.10, "faster"),
        (0.81, 0.75, 0.85, 0.10, "no measurable change"),
        (0.79, 0.75, 0.85, 0.10, "slower"),
        (1.00, 1.00, 1.00, 0.00, "no measurable change"),
    ],
)
def test_verdict_on_speed(value, low, high, floor, word):
    ratio = Interval(value=value, low=low, high=high)
    assert speed_word(ratio, floor) == word


@given(st.floats(0.2, 5), st.integers(0, 1000))
def test_the_interval_holds_the_value(scale, seed):
    for processes in (1, 5):
        ratio = speedup(
            run(scale, processes=processes, rounds=8, runs=2, noise=0.2, seed=seed),
            run(1.0, processes=processes, rounds=8, runs=2, noise=0.2, seed=seed + 1),
        )
        assert 0 < ratio.low <= ratio.value <= ratio.high


def test_different_batches_are_compared_per_sample():
    raw = {"one": run(1.0, seed=1), "eight": run(4.0, seed=2)}
    verdict = compare_speed(raw, "eight", "one", floor=0.01, batches=(8, 1))
    assert verdict.speedup.value == pytest.approx(2.0, rel=0.02)
    assert (verdict.word, verdict.variant, verdict.reference, verdict.floor) == (
        "faster",
        "eight",
        "one",
        0.01,
    )
