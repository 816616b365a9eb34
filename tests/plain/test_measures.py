from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score, log_loss, mean_absolute_error, mean_squared_error

from workbench.plain.measures import AGREEMENT, F1, LABELS_F1, MAE, MEAN_IOU, MEASURES


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_classes_are_judged_as_by_scikit_learn(rng):
    scores, labels = rng.normal(size=(80, 3)), rng.integers(0, 3, 80)
    found = F1.of(scores, labels, from_logits=True)
    assert found == pytest.approx(f1_score(labels, scores.argmax(1), average="macro"))
    softmax = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    assert F1.loss(scores, labels, True) == pytest.approx(log_loss(labels, softmax), rel=1e-5)
    single = scores[:, :1]
    assert F1.of(single, labels % 2, from_logits=True) == pytest.approx(
        f1_score(labels % 2, single[:, 0] > 0, average="macro")
    )


def test_numbers_are_judged_as_by_scikit_learn(rng):
    labels, outputs = rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    assert MAE.of(outputs, labels) == pytest.approx(mean_absolute_error(labels, outputs))
    assert MAE.loss(outputs, labels, False) == pytest.approx(mean_squared_error(labels, outputs))
    assert MAE.of(outputs[:, 0], labels[:, :1]) == pytest.approx(
        mean_absolute_error(labels[:, 0], outputs[:, 0])
    )
    assert MAE.gain(2.0, 1.5) == pytest.approx(0.25)
    assert MAE.gain(2.0, 3.0) == pytest.approx(-0.5)
    assert MAE.gain(0.0, 0.0) == 0


def test_labels_are_judged_as_by_scikit_learn(rng):
    labels, outputs = rng.integers(0, 2, (60, 4)), rng.uniform(size=(60, 4))
    assert LABELS_F1.of(outputs, labels) == pytest.approx(f1_score(labels, outputs > 0.5, average="macro"))
    raw = np.log(outputs / (1 - outputs))
    assert LABELS_F1.of(raw, labels, from_logits=True) == LABELS_F1.of(outputs, labels)
    wanted = np.mean([log_loss(labels[:, at], outputs[:, at]) for at in range(4)])
    assert LABELS_F1.loss(outputs, labels, False) == pytest.approx(wanted, rel=1e-5)


def test_positions_that_do_not_count_are_left_out(rng):
    scores, labels = rng.normal(size=(20, 5, 4, 3)), rng.integers(-1, 3, (20, 5, 4))
    known = labels >= 0
    wanted = jaccard_score(labels[known], scores.argmax(-1)[known], average="macro")
    assert MEAN_IOU.of(scores, labels, from_logits=True) == pytest.approx(wanted)
    softmax = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    assert MEAN_IOU.loss(scores, labels, True) == pytest.approx(
        log_loss(labels[known], softmax[known]), rel=1e-5
    )
    two = np.where(labels > 0, 1, labels)
    single = scores[..., :1]
    assert MEAN_IOU.of(single, two, from_logits=True) == pytest.approx(
        jaccard_score(two[known], (single[..., 0] > 0)[known], average="macro")
    )


def test_answers_that_are_alike_agree(rng):
    answers = rng.normal(size=(30, 4))
    assert AGREEMENT.of(answers, answers) == pytest.approx(1)
    assert AGREEMENT.of(-answers, answers) == pytest.approx(-1)
    assert AGREEMENT.of(np.zeros((2, 3)), np.zeros((2, 3))) == 1
    shares = rng.dirichlet(np.ones(3), 40)
    other = shares[::-1]
    assert AGREEMENT.of(other, shares) == (other.argmax(1) == shares.argmax(1)).mean()
    assert AGREEMENT.of(np.ones((2, 3)), np.zeros((2, 3))) == 0


def test_each_task_has_a_measure_that_knows_its_direction():
    from workbench.api.task import MEASURES as SHOWN

    assert {task: one.higher_is_better for task, one in MEASURES.items()} == {
        task: one.higher_is_better for task, one in SHOWN.items()
    }
