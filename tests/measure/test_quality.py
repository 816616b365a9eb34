import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics

from tests.measure.test_scores import labelled
from workbench.measure.quality import (
    compare_quality,
    details,
    mcnemar,
    quality_measurement,
    quality_word,
    samples_needed,
)
from workbench.measure.records import Interval


def scores_of(predictions, classes, confidence=0.9):
    """Probabilities whose highest is at ``predictions``."""
    rest = (1 - confidence) / (classes - 1)
    return np.where(np.arange(classes) == np.asarray(predictions)[:, None], confidence, rest)


def measured(labels, predictions, classes, **named):
    return quality_measurement(
        variant="v",
        runtime="litert",
        scores=scores_of(predictions, classes),
        labels=labels,
        classes=classes,
        dataset="data",
        environment="machine",
        **named,
    )


@settings(max_examples=40)
@given(labelled())
def test_every_number_is_scikit_learn_s(case):
    classes, labels, predictions = case
    quality = measured(labels, predictions, classes)

    def of(score, average):
        return score(labels, predictions, average=average, zero_division=0)

    assert quality.samples == len(labels)
    assert quality.accuracy.value == pytest.approx(metrics.accuracy_score(labels, predictions))
    assert quality.f1_macro.value == pytest.approx(of(metrics.f1_score, "macro"))
    assert quality.f1_micro == pytest.approx(of(metrics.f1_score, "micro"))
    assert quality.f1_weighted == pytest.approx(of(metrics.f1_score, "weighted"))
    assert quality.precision_macro == pytest.approx(of(metrics.precision_score, "macro"))
    assert quality.recall_macro == pytest.approx(of(metrics.recall_score, "macro"))
    assert quality.f1_macro.low <= quality.f1_macro.value <= quality.f1_macro.high
    expected = metrics.confusion_matrix(labels, predictions, labels=range(classes))
    np.testing.assert_array_equal(quality.confusion, expected)
    per_class = metrics.f1_score(labels, predictions, labels=range(classes), average=None, zero_division=0)
    np.testing.assert_allclose([item.f1 for item in quality.per_class], per_class)
    assert [item.support for item in quality.per_class] == np.bincount(labels, minlength=classes).tolist()


def test_near_chance_is_said():
    labels = np.array([0] * 60 + [1] * 40)
    always = measured(labels, np.zeros(100, int), 2)
    assert always.near_chance
    assert "60.0% is not clearly above" in str(always.warnings[-1]).replace(" %", "%")
    assert "scaled as in training" in str(always.warnings[-1])
    hardly = measured(labels, np.array([0] * 60 + [1] * 1 + [0] * 39), 2)
    assert hardly.near_chance
    better = measured(labels, np.array([0] * 60 + [1] * 20 + [0] * 20), 2)
    assert not better.near_chance
    assert better.warnings == ()


def test_the_interval_of_macro_f1_covers_the_truth():
    """95 % intervals over simulated test splits."""
    rng = np.random.default_rng(11)
    shares = np.array([0.5, 0.3, 0.2])
    table = np.array([[0.90, 0.06, 0.04], [0.10, 0.85, 0.05], [0.08, 0.12, 0.80]]) * shares[:, None]
    truth = np.mean(2 * np.diag(table) / (table.sum(0) + table.sum(1)))
    hits = 0
    for seed in range(100):
        cells = rng.choice(9, 400, p=table.ravel())
        interval = measured(cells // 3, cells % 3, 3, seed=seed).f1_macro
        hits += interval.low <= truth <= interval.high
    assert 88 <= hits <= 99


def test_the_interval_of_the_change_covers_the_truth():
    rng = np.random.default_rng(12)
    # Joint distribution over (label, before, after) of two classes.
    joint = np.array([[[0.40, 0.04], [0.02, 0.04]], [[0.05, 0.02], [0.05, 0.38]]])
    f1 = []
    for axis in (2, 1):
        table = joint.sum(axis=axis)
        f1.append(np.mean(2 * np.diag(table) / (table.sum(0) + table.sum(1))))
    truth = f1[1] - f1[0]
    hits = 0
    for seed in range(200):
        label, before, after = np.unravel_index(rng.choice(8, 300, p=joint.ravel()), (2, 2, 2))
        verdict = compare_quality("v", "r", scores_of(after, 2), scores_of(before, 2), label, seed=seed)
        hits += verdict.change.low <= truth <= verdict.change.high
    assert 0.89 <= hits / 200 <= 0.99


@settings(max_examples=40)
@given(labelled(sets=2))
def test_a_comparison_counts_what_changed(case):
    classes, labels, before, after = case
    verdict = compare_quality("v", "r", scores_of(after, classes), scores_of(before, classes), labels)

    assert verdict.only_reference_right == sum((before == labels) & (after != labels))
    assert verdict.only_variant_right == sum((after == labels) & (before != labels))
    expected = metrics.f1_score(labels, after, average="macro", zero_division=0) - metrics.f1_score(
        labels, before, average="macro", zero_division=0
    )
    assert verdict.change.value == pytest.approx(expected, abs=1e-12)
    assert verdict.change.low <= verdict.change.value <= verdict.change.high
    assert (verdict.samples_needed is not None) <= (verdict.word == "not proven")


def test_the_same_predictions_are_kept_only_where_there_are_enough_of_them():
    def same(samples):
        labels = np.arange(samples) % 3
        scores = scores_of((labels + (np.arange(samples) % 10 == 0)) % 3, 3)
        return compare_quality("v", "r", scores, scores, labels)

    few, many = same(90), same(900)
    for verdict in (few, many):
        assert (verdict.change.value, verdict.accuracy_change.value, verdict.mcnemar_p) == (0, 0, 1.0)
        assert verdict.change.low < 0 < verdict.change.high
        assert verdict.accuracy_change.low < 0 < verdict.accuracy_change.high
    assert (few.word, many.word) == ("not proven", "kept")
    # What it says would do, does.
    assert 200 <= few.samples_needed <= 400
    assert same(90 + few.samples_needed + 60).word == "kept"


def test_no_change_in_28_samples_proves_nothing():
    labels = np.arange(28) % 2
    verdict = compare_quality("v", "r", scores_of(labels, 2), scores_of(labels, 2), labels)
    assert verdict.change.low < -3 / 28
    assert verdict.change.high > 3 / 28
    assert verdict.word == "not proven"
    assert 300 <= verdict.samples_needed <= 500


def test_a_class_without_test_samples_is_not_proven_unless_it_occurs_nowhere():
    labels = np.arange(9000) % 3
    scores = scores_of(labels, 4)
    doubtful = compare_quality("v", "r", scores, scores, labels)
    assert doubtful.word == "not proven"
    assert doubtful.change.low < -0.2
    assert compare_quality("v", "r", scores, scores, labels, occurring=(0, 1, 2)).word == "kept"


def test_a_clear_loss_is_lost_and_a_small_one_is_not_proven():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 1000)

    def wrong(share):
        return np.where(rng.random(1000) < share, (labels + 1) % 10, labels)

    before = wrong(0.02)
    lost = compare_quality("v", "r", scores_of(wrong(0.15), 10), scores_of(before, 10), labels)
    assert lost.word == "lost"
    assert lost.mcnemar_p < 1e-6
    doubtful = compare_quality("v", "r", scores_of(wrong(0.03), 10), scores_of(before, 10), labels)
    assert doubtful.word == "not proven"
    assert doubtful.samples_needed > 0


def test_scores_must_be_paired():
    with pytest.raises(ValueError, match="one label per sample"):
        compare_quality("v", "r", np.ones((3, 2)), np.ones((4, 2)), np.zeros(3, int))
    with pytest.raises(ValueError, match="one label per sample"):
        compare_quality("v", "r", np.ones((0, 2)), np.ones((0, 2)), np.zeros(0, int))


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.00, 0.02, "kept"),
        (-0.01, 0.02, "kept"),  # the end itself is kept
        (-0.010001, 0.02, "not proven"),
        (-0.03, -0.01, "not proven"),  # the upper end is not below
        (-0.03, -0.010001, "lost"),
        (-0.5, 0.5, "not proven"),
    ],
)
def test_verdict_on_quality(low, high, word):
    assert quality_word(Interval(value=(low + high) / 2, low=low, high=high), 0.01) == word


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_the_exact_binomial_test(first, second):
    discordant = first + second
    expected = binomtest(first, discordant).pvalue if discordant else 1.0
    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_of_many_samples():
    assert mcnemar(4700, 5300) == pytest.approx(binomtest(4700, 10000).pvalue, rel=1e-9)


def test_samples_needed():
    # Half-width 0.02 on the side of the tolerance; the gap is 0.01: four times the samples.
    assert samples_needed(Interval(value=0.0, low=-0.02, high=0.02), 0.01, 1000) == 3000
    assert samples_needed(Interval(value=-0.02, low=-0.09, high=0.0), 0.01, 1000) == 3000
    # Rounded up to two digits.
    assert samples_needed(Interval(value=0.0, low=-0.0123, high=0.02), 0.01, 1000) == 520
    assert samples_needed(Interval(value=-0.01, low=-0.02, high=0.0), 0.01, 1000) is None
    assert samples_needed(Interval(value=-0.0101, low=-0.09, high=0.07), 0.01, 1000) is None


def test_samples_needed_where_little_changed():
    # No change at all: the interval shrinks with the number of samples itself.
    assert samples_needed(Interval(value=0.0, low=-0.1, high=0.1), 0.01, 100, 0) == 900
    # Many: with its square root, as above.
    many = samples_needed(Interval(value=0.0, low=-0.02, high=0.02), 0.01, 1_000_000, 500_000)
    assert many == pytest.approx(3_000_000, rel=0.01)
    # A few: between the two.
    few = samples_needed(Interval(value=0.0, low=-0.04, high=0.04), 0.01, 100, 3)
    assert 300 < few < 1500


def test_details_put_what_became_wrong_first():
    labels = np.array([0, 0, 1, 1, 2, 2])
    before = np.array([0, 1, 1, 0, 2, 0])
    after = np.array([0, 0, 2, 1, 1, 1])
    found = details("v", "r", scores_of(after, 3), scores_of(before, 3), labels, ["a", "b", "c"])

    assert [(flip.index, flip.label, flip.before, flip.after) for flip in found.flips] == [
        (2, 1, 1, 2),
        (4, 2, 2, 1),
        (5, 2, 0, 1),
        (1, 0, 1, 0),
        (3, 1, 0, 1),
    ]
    expected = metrics.confusion_matrix(labels, after) - metrics.confusion_matrix(labels, before)
    np.testing.assert_array_equal(found.confusion_change, expected)
    np.testing.assert_allclose(found.f1_before, metrics.f1_score(labels, before, average=None))
    np.testing.assert_allclose(found.f1_after, metrics.f1_score(labels, after, average=None))
    assert (found.variant, found.reference, found.classes) == ("v", "r", ("a", "b", "c"))
