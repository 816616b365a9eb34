"""A reading of the outputs that is right far more often than the one that was taken is named."""

import numpy as np
import pytest

from workbench.measure.other_readings import better_reading
from workbench.measure.scores import to_predictions, to_scores

NAMES = ("ant", "bee", "cat", "dog")


def one_hot(labels, classes, seed=0):
    noise = np.random.default_rng(seed).random((len(labels), classes))
    return 3.0 * np.eye(classes)[labels] + noise


@pytest.fixture
def labels():
    return np.random.default_rng(1).integers(0, 4, 200)


def test_a_right_reading_is_not_questioned(labels):
    assert better_reading(one_hot(labels, 4), labels, NAMES, True, {}) == ()


def test_a_model_that_knows_nothing_is_not_questioned(labels):
    values = np.random.default_rng(2).random((200, 4))
    assert better_reading(values, labels, NAMES, True, {"other": values[:, ::-1]}) == ()


def test_a_probability_that_is_read_as_a_raw_score():
    labels = np.arange(200) % 2
    values = 0.1 + 0.8 * labels[:, None]
    (doubt,) = better_reading(values, labels, ("no", "yes"), True, {})
    assert "a probability, the output would be right on 100% of 200" in str(doubt)
    assert "on 50%: say from_logits=False" in str(doubt)
    assert better_reading(values, labels, ("no", "yes"), False, {}) == ()


def test_a_raw_score_that_is_read_as_a_probability():
    labels = np.arange(200) % 2
    (doubt,) = better_reading(0.8 * labels[:, None] - 0.4, labels, ("no", "yes"), False, {})
    assert "on 50%: say from_logits=True" in str(doubt)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([3, 2, 1, 0], "dog, cat, bee, ant"),
        ([1, 2, 3, 0], "bee, cat, dog, ant"),
        ([2, 0, 3, 1], "cat, ant, dog, bee"),
    ],
)
def test_classes_in_another_order(labels, order, said):
    values = one_hot(labels, 4)[:, order]
    (doubt,) = better_reading(values, labels, NAMES, True, {})
    assert f"another order ({said}) the model would be right on 100% of 200" in str(doubt)


def test_two_classes_that_are_exchanged():
    labels = np.arange(200) % 2
    (doubt,) = better_reading(1.0 - labels[:, None], labels, ("no", "yes"), False, {})
    assert "(yes, no) the model would be right on 100% of 200 training and validation samples" in str(doubt)
    assert "on 0%" in str(doubt)


def test_exchanged_classes_are_not_taken_for_raw_scores():
    labels = np.arange(200) % 2
    # as raw scores all are above 0, which is right on half of the samples, and no reading
    (doubt,) = better_reading(0.9 - 0.8 * labels[:, None], labels, ("no", "yes"), False, {})
    assert "(yes, no) the model would be right on 100% of 200" in str(doubt)


def test_another_output_of_the_model(labels):
    values = np.random.default_rng(2).random((200, 4))
    (doubt,) = better_reading(values, labels, NAMES, True, {"main": one_hot(labels, 4)})
    assert 'say output="main"' in str(doubt)
    assert "The output main is right on 100%" in str(doubt)


def test_what_is_read_as_probabilities_keeps_its_order():
    values = np.array([[1.05, 1.2, 0.3], [-0.3, -0.2, -0.1], [0.2, 0.3, 0.5]])
    scores, _ = to_scores(values, 3, from_logits=False)
    assert to_predictions(scores).tolist() == [1, 2, 2]
    assert scores.min() >= 0
    assert scores.max() <= 1
