"""Measures of samples that count differently: scikit-learn's values, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from tests.measure.test_regression import info as regression_info
from tests.measure.test_regression import measured
from workbench.measure.f1_intervals import f1_change_interval, macro_f1_interval
from workbench.measure.judges import judge_of
from workbench.measure.quality import share_interval
from workbench.measure.regression import mean_interval
from workbench.measure.scores import calibration_error

RNG = np.random.default_rng(0)
COUNT = 300
W = RNG.gamma(0.7, size=COUNT).astype(np.float32)
W[:20] = 0
ON = W > 0


def info(task, *classes):
    return regression_info().model_copy(update={"task": task, "classes": classes})


def classes_and_scores():
    labels = RNG.integers(0, 4, COUNT)
    scores = RNG.dirichlet(np.ones(4), COUNT).astype(np.float32) + 0.5 * np.eye(4, dtype=np.float32)[labels]
    return labels, scores / scores.sum(1, keepdims=True)


def test_classes_have_scikit_learn_s_weighted_numbers():
    labels, scores = classes_and_scores()
    data = info("classification", *"abcd").model_copy(
        update={"class_counts": dict.fromkeys(("train", "validation", "test"), (9, 9, 9, 9))}
    )
    judge = judge_of(data, labels, weights=W)
    found, said = measured(judge, scores), scores.argmax(1)
    for ours, average in ((found.f1_macro.value, "macro"), (found.f1_micro, "micro")):
        assert ours == pytest.approx(metrics.f1_score(labels, said, average=average, sample_weight=W), 1e-6)
    assert found.accuracy.value == pytest.approx(metrics.accuracy_score(labels, said, sample_weight=W), 1e-6)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(labels, said, sample_weight=W)
    assert [one.precision for one in found.per_class] == pytest.approx(precision, 1e-6)
    assert [one.recall for one in found.per_class] == pytest.approx(recall, 1e-6)
    assert [one.f1 for one in found.per_class] == pytest.approx(f1, 1e-6)
    assert sum(one.support for one in found.per_class) == COUNT
    worse = np.roll(scores, 1, axis=1) * (RNG.random((COUNT, 1)) < 0.2) + scores * 0.5
    change = judge.compared("v", "r", worse, scores)
    both = [
        metrics.f1_score(labels, one.argmax(1), average="macro", sample_weight=W) for one in (worse, scores)
    ]
    assert change.change.value == pytest.approx(both[0] - both[1], 1e-6)
    assert change.mcnemar_p is None
    right = [metrics.accuracy_score(labels, one.argmax(1), sample_weight=W) for one in (worse, scores)]
    assert change.accuracy_change.value == pytest.approx(right[0] - right[1], 1e-6)
    running = judge.running()
    for part in (scores[:100], scores[100:200], scores[200:]):
        so_far, _ = running.add(part)
    assert so_far == pytest.approx(found.f1_macro.value, 1e-6)
    repeated = np.repeat(np.arange(COUNT), np.arange(COUNT) % 3)
    assert calibration_error(scores, labels, weights=np.arange(COUNT) % 3) == pytest.approx(
        calibration_error(scores[repeated], labels[repeated])
    )


def test_numbers_have_scikit_learn_s_weighted_numbers():
    right = RNG.normal(size=(COUNT, 2)) * (1, 10)
    said = (right + RNG.normal(size=right.shape)).astype(np.float32)
    judge = judge_of(regression_info("a", "b"), right, weights=W)
    found = measured(judge, said)
    assert found.measured.value == pytest.approx(
        metrics.mean_absolute_error(right, said, sample_weight=W), 1e-6
    )
    assert found.figure("r2").value == pytest.approx(metrics.r2_score(right, said, sample_weight=W), 1e-6)
    assert found.figure("rmse b").value == pytest.approx(
        metrics.root_mean_squared_error(right[:, 1], said[:, 1], sample_weight=W), 1e-6
    )
    running = judge.running()
    running.add(said[:50])
    assert running.add(said[50:])[0] == pytest.approx(found.measured.value, 1e-6)
    middle = measured(judge_of(regression_info("a", "b"), right, weights=W), right.astype(np.float32) * 0)
    assert middle.near_chance
    worse = said + 0.3
    errors = [metrics.mean_absolute_error(right, one, sample_weight=W) for one in (said, worse)]
    assert judge.compared("v", "r", worse, said).change.value == pytest.approx(
        1 - errors[1] / errors[0], 1e-5
    )


def test_labels_positions_and_agreement_have_the_weighted_numbers():
    rows = (RNG.random((COUNT, 3)) < 0.4).astype(np.uint8)
    shares = np.clip(0.3 + 0.4 * rows + RNG.normal(0, 0.25, rows.shape), 0, 1).astype(np.float32)
    found = measured(judge_of(info("multi-label", *"abc"), rows, weights=W), shares)
    for ours, average in ((found.measured.value, "macro"), (found.figure("f1 micro").value, "micro")):
        wanted = metrics.f1_score(rows, shares > 0.5, average=average, sample_weight=W)
        assert ours == pytest.approx(wanted, 1e-6)
    assert found.figure("map").value == pytest.approx(
        metrics.average_precision_score(rows, shares, sample_weight=W), 1e-6
    )
    places = RNG.integers(-1, 3, (COUNT, 4, 5))
    said = np.where(RNG.random(places.shape) < 0.7, places.clip(0), 1).astype(np.int16)
    judge = judge_of(info("per position", *"abc"), places, weights=W)
    known = places >= 0
    each = np.broadcast_to(W[:, None, None], places.shape)[known]
    wanted = metrics.jaccard_score(places[known], said[known], average="macro", sample_weight=each)
    assert measured(judge, said).measured.value == pytest.approx(wanted, 1e-6)
    running = judge.running()
    running.add(said[:40])
    assert running.add(said[40:])[0] == pytest.approx(wanted, 1e-6)
    before = RNG.normal(size=(COUNT, 6)).astype(np.float32)
    after = before + RNG.normal(size=before.shape).astype(np.float32)
    cosines = (before * after).sum(1) / np.linalg.norm(before, axis=1) / np.linalg.norm(after, axis=1)
    agreed = measured(judge_of(info("agreement"), np.empty((COUNT, 0)), reference=before, weights=W), after)
    assert agreed.measured.value == pytest.approx(np.average(cosines, weights=W), 1e-5)


def test_equal_weights_are_the_same_as_none():
    labels, scores = classes_and_scores()
    said, other = scores.argmax(1), np.where(RNG.random(COUNT) < 0.1, 0, scores.argmax(1))
    for ours in (
        lambda weights: macro_f1_interval(labels, said, 4, weights=weights, draws=4_000),
        lambda weights: f1_change_interval(labels, said, other, 4, weights=weights, draws=4_000),
    ):
        plain, weighted = ours(None), ours(np.full(COUNT, 7.0))
        assert weighted.value == pytest.approx(plain.value)
        assert weighted.low == pytest.approx(plain.low, abs=1e-9)
        assert weighted.high == pytest.approx(plain.high, abs=1e-9)


def test_intervals_cover_what_samples_are_drawn_from():
    """Of samples whose weights differ tenfold, and go with how hard they are."""
    rng = np.random.default_rng(1)
    truth_count, draws, count = 200_000, 200, 120

    def drawn(size):
        weights = rng.choice([0.2, 1.0, 2.0], size)
        labels = rng.integers(0, 3, size)
        wrong = rng.random(size) < np.where(weights > 1, 0.3, 0.1)
        before = np.where(wrong, (labels + 1) % 3, labels)
        moved = rng.random(size) < 0.1 * weights
        after = np.where(moved, (labels + rng.integers(0, 2, size)) % 3, before)
        errors = rng.gamma(2.0, weights)
        return labels, before, after, errors, weights

    labels, before, after, errors, weights = drawn(truth_count)

    def f1(said):
        return metrics.f1_score(labels, said, average="macro", sample_weight=weights)

    truths = {
        "f1": f1(before),
        "change": f1(after) - f1(before),
        "error": np.average(errors, weights=weights),
        "share": np.average(before == labels, weights=weights),
    }
    covered = dict.fromkeys(truths, 0)
    for seed in range(draws):
        labels, before, after, errors, weights = drawn(count)
        right = (before == labels).astype(float)
        found = {
            "f1": macro_f1_interval(labels, before, 3, weights=weights, draws=400, seed=seed),
            "change": f1_change_interval(labels, before, after, 3, weights=weights, draws=400, seed=seed),
            "error": mean_interval(errors, weights=weights, seed=seed),
            "share": share_interval(right, weights, (0.0, 1.0), seed),
        }
        for name, one in found.items():
            covered[name] += one.low <= truths[name] <= one.high
    # 200 draws of 95 % are 182 to 198, nineteen times in twenty; these intervals are a little wide
    assert {name: count >= 181 for name, count in covered.items()} == dict.fromkeys(truths, True), covered


def test_weights_that_are_left_out_would_be_too_narrow():
    """What a share of equal weights says of a few heavy samples is no interval of their mean."""
    weights = np.r_[np.full(5, 50.0), np.ones(195)]
    values = np.r_[[1.0, 0, 1, 0, 1], np.ones(195)]
    heavy, light = (share_interval(values, one, (0.0, 1.0), 0) for one in (weights, np.ones(200)))
    assert heavy.high - heavy.low > 5 * (light.high - light.low)
