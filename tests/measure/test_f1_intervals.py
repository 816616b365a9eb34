import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import beta

from tests.benchmarks.coverage import SHARES, Population, simulate
from tests.measure.test_scores import labelled
from workbench.measure import f1_intervals
from workbench.measure.f1_intervals import f1_change_interval, macro_f1_interval

NAMES = ("2 classes", "2 classes, 90 : 10", "10 classes, 30 % to 1 %")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("samples", [30, 300])
@pytest.mark.parametrize("only_losses", [False, True])
def test_the_change_is_covered_however_little_changes(name, samples, only_losses):
    """A part of ``python -m tests.benchmarks coverage``; the plain bootstrap covers 6 to 60 % of it."""
    for changed in (0.003, 0.03):
        population = Population.of(SHARES[name], changed, only_losses=only_losses)
        found = simulate(population, samples, 60, seed=3)
        assert found["change"].share >= 0.9
        assert found["accuracy"].share >= 0.9


def test_macro_f1_of_many_classes_is_covered():
    """With ten samples of each class the plain bootstrap covers 2 %: it is biased."""
    rng = np.random.default_rng(5)
    hits = 0
    for seed in range(40):
        labels = rng.integers(0, 300, 3000)
        right = rng.random(3000) < 0.7
        predictions = np.where(right, labels, (labels + rng.integers(1, 300, 3000)) % 300)
        found = macro_f1_interval(labels, predictions, 300, seed=seed, draws=300)
        hits += found.low <= 0.7 <= found.high
    assert hits >= 34


def test_macro_f1_is_covered_where_a_class_is_missing():
    """Of ten classes some have no label among 30 samples, but are predicted, and count as F1 0."""
    population = Population.of(SHARES["10 classes, 30 % to 1 %"], 0.0, only_losses=False, accuracy=0.7)
    found = simulate(population, 30, 100, seed=3)
    assert found["f1"].share >= 0.91


@pytest.mark.parametrize("samples", [28, 100, 370])
def test_no_change_allows_what_the_exact_interval_of_a_share_does(samples):
    labels = np.arange(samples) % 2
    found = f1_change_interval(labels, labels, labels, 2)
    # Of two equally frequent classes, macro F1 changes as accuracy does.
    expected = beta.ppf(0.975, 1, samples)
    assert found.value == 0
    assert (-found.low, found.high) == pytest.approx((expected, expected), rel=0.12)


def test_a_perfect_score_and_none_have_a_width():
    labels = np.arange(100) % 4
    perfect, none = macro_f1_interval(labels, labels, 4), macro_f1_interval(labels, (labels + 1) % 4, 4)
    assert (perfect.value, perfect.high) == (1, 1)
    assert 0.9 < perfect.low < 0.98
    assert (none.value, none.low) == (0, 0)
    assert 0.02 < none.high < 0.1
    lost = f1_change_interval(labels, labels, (labels + 1) % 4, 4)
    assert (lost.value, lost.low) == (-1, -1)
    assert -1 < lost.high < -0.9


def test_the_smallest_class_decides_what_may_be_lost():
    rare = np.array([0] * 990 + [1] * 10)
    even = np.arange(1000) % 2
    assert f1_change_interval(rare, rare, rare, 2).low < -0.08
    assert f1_change_interval(even, even, even, 2).low > -0.005


def test_a_class_of_which_no_sample_was_seen_may_be_lost():
    labels = np.arange(3000) % 3
    # Unseen classes that may come: one of four classes is lost at worst.
    assert f1_change_interval(labels, labels, labels, 4).low == pytest.approx(-0.25, abs=0.01)
    assert f1_change_interval(labels, labels, labels, 4, occurring=(0, 1, 2)).low > -0.003


@settings(max_examples=40)
@given(labelled(sets=2))
def test_an_interval_holds_its_value_and_has_a_width(case):
    classes, labels, before, after = case
    change = f1_change_interval(labels, before, after, classes, draws=200)
    one = macro_f1_interval(labels, after, classes, draws=200)
    assert -1 <= change.low <= change.value <= change.high <= 1
    assert 0 <= one.low <= one.value <= one.high <= 1
    assert change.low < change.high
    assert one.low < one.high


def test_intervals_in_parts_are_those_at_once(monkeypatch):
    rng = np.random.default_rng(0)
    labels, before, after = (rng.integers(0, 5, 300) for _ in range(3))
    at_once = f1_change_interval(labels, before, after, 5, draws=4000)
    monkeypatch.setattr(f1_intervals, "_NUMBERS_AT_ONCE", 20_000)
    parts = f1_change_interval(labels, before, after, 5, draws=4000)
    assert (parts.low, parts.high) == pytest.approx((at_once.low, at_once.high), abs=0.01)
