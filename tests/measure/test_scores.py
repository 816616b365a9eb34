import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import expit, softmax
from sklearn import metrics

from workbench.api.errors import InvalidInput
from workbench.measure.scores import (
    RunningF1,
    calibration_error,
    confusion_matrix,
    macro_f1,
    to_predictions,
    to_scores,
)


@st.composite
def labelled(draw, sets=1):
    """Number of classes, labels, and sets of predictions; classes may be missing."""
    classes = draw(st.integers(2, 6))
    count = draw(st.integers(1, 60))
    column = arrays.arrays(np.int64, count, elements=st.integers(0, classes - 1))
    return classes, draw(column), *(draw(column) for _ in range(sets))


@settings(max_examples=30)
@given(labelled())
def test_running_f1_ends_at_scikit_learn_s_macro_f1(case):
    classes, labels, predictions = case
    running = RunningF1(classes)
    for start in range(0, len(labels), 7):
        value = running.add(labels[start : start + 7], predictions[start : start + 7])
        seen = slice(0, start + 7)
        expected = metrics.f1_score(labels[seen], predictions[seen], average="macro", zero_division=0)
        assert value == pytest.approx(expected, abs=1e-12)
    np.testing.assert_array_equal(
        running.confusion, metrics.confusion_matrix(labels, predictions, labels=range(classes))
    )


@settings(max_examples=30)
@given(labelled())
def test_macro_f1_of_counts_is_scikit_learn_s(case):
    classes, labels, predictions = case
    counts = confusion_matrix(labels, predictions, classes).astype(float)
    expected = metrics.f1_score(labels, predictions, average="macro", zero_division=0)
    assert macro_f1(np.diag(counts), counts.sum(1), counts.sum(0)) == pytest.approx(expected, abs=1e-12)


def test_macro_f1_of_nothing_is_zero():
    assert macro_f1(np.zeros(3), np.zeros(3), np.zeros(3)) == 0


def test_logits_become_probabilities():
    logits = np.array([[2.0, -1.0, 0.5], [1000.0, 999.0, -1000.0]])
    scores, warnings = to_scores(logits, 3, from_logits=True)
    np.testing.assert_allclose(scores, softmax(logits, axis=1), rtol=1e-6, atol=1e-30)
    assert scores.dtype == np.float32
    assert warnings == ()


def test_one_column_is_the_probability_of_the_second_class():
    scores, _ = to_scores(np.array([[0.25], [0.75]]), 2, from_logits=False)
    np.testing.assert_allclose(scores, [[0.75, 0.25], [0.25, 0.75]])
    assert to_predictions(scores).tolist() == [0, 1]


def test_one_column_of_logits_passes_the_sigmoid():
    logits = np.array([[-800.0], [-0.5], [0.5], [800.0]])
    scores, _ = to_scores(logits, 2, from_logits=True)
    np.testing.assert_allclose(scores[:, 1], expit(logits[:, 0]), rtol=1e-6, atol=1e-12)
    assert to_predictions(scores).tolist() == [0, 0, 1, 1]


def test_two_columns_are_two_classes():
    scores, _ = to_scores(np.array([[0.2, 0.8]]), 2, from_logits=False)
    np.testing.assert_allclose(scores, [[0.2, 0.8]])


def test_values_that_cannot_be_probabilities_are_named():
    scores, (warning,) = to_scores(np.array([[3.0, -1.0]]), 2, from_logits=False)
    np.testing.assert_allclose(scores, [[1.0, 0.0]])
    assert "(-1 to 3) are read as probabilities and leave the range" in str(warning)


def test_a_single_column_does_not_do_for_three_classes():
    with pytest.raises(InvalidInput, match="gives 1 values per sample, but the data has 3 classes"):
        to_scores(np.zeros((4, 1)), 3, from_logits=False)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_must_be_finite(value):
    outputs = np.zeros((4, 2))
    outputs[1, 0] = value
    with pytest.raises(InvalidInput, match="NaN or infinity for 1 of 4 samples"):
        to_scores(outputs, 2, from_logits=True)


def test_calibration_error_by_hand():
    # Confidences 0.9, 0.9 (one right) and 0.6 (right): bins of 1/15 hold them apart.
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    labels = np.array([0, 1, 1])
    assert calibration_error(scores, labels) == pytest.approx((2 * abs(0.5 - 0.9) + abs(1 - 0.6)) / 3)


def test_calibration_error_is_that_of_its_definition():
    rng = np.random.default_rng(5)
    scores = softmax(rng.normal(size=(500, 4)), axis=1)
    labels = rng.integers(0, 4, 500)
    confidence, right = scores.max(1), scores.argmax(1) == labels
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert calibration_error(scores, labels) == pytest.approx(expected)
