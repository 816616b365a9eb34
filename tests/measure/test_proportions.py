import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import xlogy
from scipy.stats import binom, binomtest

from workbench.measure.proportions import accuracy_change_interval, exact_interval


@pytest.mark.parametrize(("right", "samples"), [(0, 10), (10, 10), (7, 10), (960, 1000), (1, 1)])
def test_the_exact_interval_is_scipy_s(right, samples):
    expected = binomtest(right, samples).proportion_ci(method="exact")
    interval = exact_interval(right, samples)
    assert interval.value == right / samples
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert interval.low < interval.high


def test_nothing_is_known_of_no_samples():
    assert (exact_interval(0, 0).low, exact_interval(0, 0).high) == (0, 1)


@pytest.mark.parametrize("accuracy", [0.99, 0.9986, 0.9])
def test_the_exact_interval_covers_accurate_models_too(accuracy):
    """Wilson's covers 86 % in the first case."""
    covered = sum(
        binom.pmf(right, 100, accuracy)
        for right in range(101)
        if (interval := exact_interval(right, 100)).low <= accuracy <= interval.high
    )
    assert covered >= 0.95


def score_at(only_before, only_after, samples, difference):
    """Tango's score, with the likeliest table under that difference found by search."""
    same = samples - only_before - only_after

    def unlikely(share):
        others = 1 - 2 * share - difference
        return -(xlogy(only_before, share) + xlogy(only_after, share + difference) + xlogy(same, others))

    inside = (max(0.0, -difference), (1 - difference) / 2)
    share = minimize_scalar(unlikely, bounds=inside, method="bounded", options={"xatol": 1e-10}).x
    return (only_after - only_before - samples * difference) / np.sqrt(
        samples * (2 * share + difference * (1 - difference))
    )


@pytest.mark.parametrize(("only_before", "only_after", "samples"), [(2, 12, 50), (0, 3, 100), (40, 25, 1000)])
def test_the_ends_of_the_paired_interval_are_where_tango_s_score_is(only_before, only_after, samples):
    found = accuracy_change_interval(only_before, only_after, samples)
    assert found.value == (only_after - only_before) / samples
    assert score_at(only_before, only_after, samples, found.low) == pytest.approx(1.96, abs=2e-3)
    assert score_at(only_before, only_after, samples, found.high) == pytest.approx(-1.96, abs=2e-3)


def test_before_and_after_are_mirrored():
    there, back = accuracy_change_interval(9, 2, 300), accuracy_change_interval(2, 9, 300)
    assert (there.value, there.low, there.high) == pytest.approx(
        (-back.value, -back.high, -back.low), abs=1e-9
    )
    everything = accuracy_change_interval(0, 30, 30)
    assert (everything.value, everything.high) == pytest.approx((1, 1))
    assert everything.low < 0.95


@pytest.mark.parametrize("samples", [28, 100, 1000])
def test_no_change_still_allows_one(samples):
    found = accuracy_change_interval(0, 0, samples)
    assert found.value == 0
    for end in (-found.low, found.high):
        assert 3 / samples < end < 4 / samples


@pytest.mark.parametrize("samples", [30, 100, 300, 1000, 10_000])
@pytest.mark.parametrize("lost", [0.5, 0.9, 1.0])
def test_the_paired_interval_covers_the_truth(samples, lost):
    """Exactly: the chance of each table times whether its interval holds the truth."""
    for changed in (0.0005, 0.003, 0.01, 0.03, 0.1):
        if samples * changed > 100:
            continue
        truth = changed * (1 - 2 * lost)
        covered = certain = 0.0
        for count in range(int(binom.ppf(1 - 1e-6, samples, changed)) + 1):
            of_count = binom.pmf(count, samples, changed)
            for only_before in range(count + 1):
                chance = float(of_count * binom.pmf(only_before, count, lost))
                if chance < 1e-4:
                    continue
                certain += chance
                found = accuracy_change_interval(only_before, count - only_before, samples)
                covered += chance * (found.low - 1e-12 <= truth <= found.high + 1e-12)
        assert covered / certain >= 0.929
