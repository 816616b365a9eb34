import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.api.variant import RuntimeSettings
from workbench.measure.narrowing import (
    Narrowing,
    SoFar,
    heard,
    latency_curve,
    rounds_seen,
    timed_variant,
)
from workbench.measure.statistics import summarize
from workbench.measure.timing import measure_latency


def rounds(seed, count, median=2.0):
    return median * np.exp(0.02 * np.random.default_rng(seed).normal(size=(count, 10)))


def ends(samples):
    return rounds_seen(0, np.median(samples, axis=1), float(np.median(samples))).interval


@given(st.integers(0, 1000), st.integers(8, 200))
def test_the_median_is_inside_and_the_unit_does_not_matter(seed, count):
    samples = rounds(seed, count)
    low, high = ends(samples)
    assert low <= np.median(samples) <= high
    assert ends(1000 * samples) == pytest.approx((1000 * low, 1000 * high))


def test_it_is_unknown_at_first_and_narrows():
    assert ends(rounds(0, 7)) is None
    widths = [
        np.median([np.subtract(*ends(rounds(seed, count))[::-1]) for seed in range(40)])
        for count in (8, 32, 128)
    ]
    assert widths[0] > 1.7 * widths[1] > 2.9 * widths[2]


def test_it_is_about_as_wide_as_the_one_that_is_stored():
    ratios = []
    for seed in range(20):
        samples = rounds(seed, 60)
        low, high = ends(samples)
        kept = summarize("", "", RuntimeSettings(), 1, 1, samples[None]).p50_ms
        ratios.append((high - low) / (kept.high - kept.low))
    assert 0.8 < np.median(ratios) < 1.6


def test_the_true_median_is_covered():
    covered = [low <= 2.0 <= high for seed in range(400) for low, high in [ends(rounds(seed, 30))]]
    assert np.mean(covered) > 0.93


def test_messages_tell_of_each_file_but_the_control(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("workbench.measure.narrowing.time.monotonic", lambda: now[0])
    sent, told = [], []
    watch = Narrowing(lambda **message: sent.append(message), 2)
    for place in range(3):
        watch.warmed_up(place, 1.0 + place)
    samples = [rounds(seed, 40) for seed in range(3)]
    for done in range(1, 40):
        now[0] += 0.03
        watch.round_done(samples, done, 40)
    for message in sent:
        heard(message, told.append)
    assert len(sent) == 2 + 4  # 39 rounds of 30 ms
    assert told[:2] == [SoFar(place=place, rounds=0, median_ms=1.0 + place) for place in (0, 1)]
    last = [one for one in told if one.rounds == told[-1].rounds]
    assert [one.place for one in last] == [0, 1]
    for one in last:
        seen = samples[one.place][: one.rounds]
        assert one.median_ms == np.median(seen)
        assert one.interval == ends(seen)
    heard({"progress": 0.5}, told.append)


def test_the_process_that_is_timed_loads_no_scipy():
    code = (
        "import sys, numpy as np\n"
        "import workbench.measure.child\n"
        "from workbench.measure.narrowing import Narrowing\n"
        "sent = []\n"
        "watch = Narrowing(lambda **message: sent.append(message), 1)\n"
        "samples = [np.random.default_rng(0).uniform(1, 2, (9, 5))]\n"
        "for done in range(1, 10): watch._told = 0.0; watch.round_done(samples, done, 9)\n"
        "print(sent[-1]['so_far'][0]['ends'] is not None, 'scipy' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_the_curves_of_a_run_narrow_and_end_at_what_is_stored(report, tiny, dataset_folder):
    candidates = [tiny("reference", sleep_s=0.004), tiny("slow", sleep_s=0.008)]
    measurement, _ = measure_latency(report, candidates, dataset_folder, "quick", 0)
    for summary in measurement.summaries:
        points = report.metrics[latency_curve(summary.variant)]
        assert points[-1] == (
            measurement.rounds,
            summary.p50_ms.value,
            summary.p50_ms.low,
            summary.p50_ms.high,
        )
        steps = [step for step, *_ in points]
        assert steps == sorted(set(steps))
        assert len(points) > 3
    assert [timed_variant(name) for name in report.metrics] == ["reference", "slow"]
    assert timed_variant("training loss") is None
