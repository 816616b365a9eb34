from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from workbench.plain.class_weights import balanced_weights
from workbench.training.losses import Objective

keras = pytest.importorskip("keras")


def log_softmax(scores: np.ndarray) -> np.ndarray:
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


@pytest.fixture
def scores() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, 50)


def test_smoothing_spreads_a_part_over_all_classes(scores, labels):
    objective = Objective("classification", 4, True, soft=True, label_smoothing=0.2)
    soft = 0.8 * np.eye(4)[labels] + 0.2 / 4
    wanted = -(soft * log_softmax(scores)).sum(-1).mean()
    assert float(objective.loss()(objective.targets(labels), scores)) == pytest.approx(wanted, rel=1e-5)


def test_without_smoothing_soft_targets_are_labels(scores, labels):
    sparse, soft = (Objective("classification", 4, True, soft=soft) for soft in (False, True))
    losses = [float(one.loss()(one.targets(labels), scores)) for one in (sparse, soft)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for objective in (sparse, soft):
        metric = objective.metric()
        metric.update_state(objective.targets(labels), scores)
        assert float(metric.result()) == pytest.approx((scores.argmax(-1) == labels).mean())


def test_one_score_is_smoothed_towards_a_half(scores, labels):
    labels, scores = labels % 2, scores[:, :1]
    objective = Objective("classification", 1, True, soft=True, label_smoothing=0.2)
    soft = 0.8 * labels[:, None] + 0.1
    probability = 1 / (1 + np.exp(-scores))
    wanted = -(soft * np.log(probability) + (1 - soft) * np.log(1 - probability)).mean()
    assert float(objective.loss()(objective.targets(labels), scores)) == pytest.approx(wanted, rel=1e-5)


def test_balanced_weights_are_those_of_scikit_learn():
    labels = np.array([0] * 7 + [1] * 2 + [3])
    wanted = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=labels)
    assert balanced_weights(labels, 4) == pytest.approx({0: wanted[0], 1: wanted[1], 2: 1.0, 3: wanted[2]})
    assert balanced_weights(np.array([0, 0, 0, 1]), 1) == pytest.approx({0: 2 / 3, 1: 2.0})
