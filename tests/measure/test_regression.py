"""Numbers that are predicted: scikit-learn's metrics, intervals that hold, verdicts, the worst samples."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.text import Text
from workbench.measure.judges import judge_of
from workbench.measure.regression import mean_interval


def info(*targets):
    return DatasetInfo(
        name="made",
        input_shapes={"": (4,)},
        classes=(),
        counts={"train": 70, "validation": 10, "test": 20},
        class_counts={"train": (), "validation": (), "test": ()},
        scaling=Text(template="none"),
        minimum=0,
        maximum=1,
        is_image=False,
        seed=0,
        sha256="",
        task="regression",
        targets=targets,
    )


@pytest.fixture(scope="module")
def diabetes():
    data = load_diabetes()
    fitted = LinearRegression().fit(data.data[:300], data.target[:300])
    return fitted.predict(data.data[300:])[:, None].astype(np.float32), data.target[300:, None]


def measured(judge, answers):
    return judge.measured(answers, variant="v", runtime="litert", environment="e")


def test_the_numbers_are_those_of_scikit_learn(diabetes):
    predicted, right = diabetes
    found = measured(judge_of(info("y"), right), predicted)
    assert found.measured.value == pytest.approx(metrics.mean_absolute_error(right, predicted))
    assert found.figure("rmse").value == pytest.approx(metrics.root_mean_squared_error(right, predicted))
    assert found.figure("r2").value == pytest.approx(metrics.r2_score(right, predicted))
    assert found.figure("largest error").value == pytest.approx(metrics.max_error(right, predicted))
    for one in (found.measured, found.figure("rmse").interval, found.figure("r2").interval):
        assert one.low < one.value < one.high
    assert not found.near_chance
    with pytest.raises(KeyError, match="rmse"):
        found.figure("f1")


def test_several_targets_are_averaged_and_each_is_given(diabetes):
    predicted, right = diabetes
    both, truth = np.hstack([predicted, -3 * predicted]), np.hstack([right, np.log(right)])
    found = measured(judge_of(info("a", "b"), truth), both)
    for key, metric in (
        ("rmse", metrics.root_mean_squared_error),
        ("r2", metrics.r2_score),
        ("mae", metrics.mean_absolute_error),
    ):
        value = found.measured.value if key == "mae" else found.figure(key).value
        assert value == pytest.approx(metric(truth, both))
        for column, name in enumerate("ab"):
            each = metric(truth[:, column], both[:, column])
            assert found.figure(f"{key} {name}").value == pytest.approx(each)


def test_a_constant_target_has_scikit_learn_s_r2():
    right = np.ones((20, 1))
    for answers in (right, right + 0.5):
        found = measured(judge_of(info("y"), right), answers.astype(np.float32)).figure("r2").value
        assert found == metrics.r2_score(right, answers)


def test_no_better_than_the_median_is_said(diabetes):
    _, right = diabetes
    found = measured(judge_of(info("y"), right), np.full(right.shape, np.median(right), np.float32))
    assert found.near_chance
    assert "not clearly below that of always answering the median" in str(found.warnings[0])


def test_the_verdict_is_paired_and_in_shares_of_the_error(diabetes):
    predicted, right = diabetes
    judge = judge_of(info("y"), right)
    rng = np.random.default_rng(0)
    rounded = predicted + rng.normal(0, 0.2, predicted.shape).astype(np.float32)
    kept = judge.compared("v", "r", rounded, predicted)
    before, after = (metrics.mean_absolute_error(right, one) for one in (predicted, rounded))
    assert kept.change.value == pytest.approx((before - after) / before, abs=1e-9)
    assert (kept.word, kept.task, kept.better + kept.worse) == ("kept", "regression", len(right))
    assert kept.change.low < kept.change.value < kept.change.high
    lost = judge.compared("v", "r", predicted + 60, predicted)
    assert lost.word == "lost"
    assert lost.change.high < -0.01
    vague = judge.compared(
        "v", "r", predicted + rng.normal(0, 25, predicted.shape), predicted, tolerance=0.07
    )
    assert vague.word == "not proven"
    assert vague.samples_needed
    same = judge.compared("v", "r", predicted, predicted)
    assert (same.change.low, same.change.high, same.word, same.worse) == (0, 0, "kept", 0)
    perfect = judge.compared("v", "r", predicted, right)
    assert perfect.word == "lost"


def test_the_worst_samples_come_first(diabetes):
    predicted, right = diabetes
    answers = predicted.copy()
    answers[7] += 400
    answers[3] += 300
    found = judge_of(info("y"), right).details("v", "r", answers, predicted)
    assert [one.index for one in found.moved] == [7, 3]
    first = found.moved[0]
    assert (first.truth[0], first.before[0]) == (right[7, 0], predicted[7, 0])
    assert first.worse_by == pytest.approx(
        abs(answers[7, 0] - right[7, 0]) - abs(predicted[7, 0] - right[7, 0])
    )


def test_outputs_that_are_no_answers_are_refused():
    judge = judge_of(info("y"), np.ones((3, 1)))
    with pytest.raises(InvalidInput, match="gives 2 values per sample, but the data has 1 targets"):
        judge.answers(np.ones((3, 2), np.float32))
    with pytest.raises(InvalidInput, match="NaN or infinity for 1 of 3"):
        judge.answers(np.array([[1], [np.nan], [2]], np.float32))


def test_a_mean_is_covered():
    rng = np.random.default_rng(1)
    hit = 0
    for seed in range(200):
        found = mean_interval(rng.exponential(1.0, 60), seed=seed)
        hit += found.low <= 1.0 <= found.high
    assert 183 <= hit <= 200


def test_many_samples_are_grouped_without_a_change():
    errors = np.random.default_rng(2).exponential(1.0, 50_000)
    found = mean_interval(errors)
    assert found.value == pytest.approx(errors.mean())
    half = 1.96 * errors.std() / np.sqrt(len(errors))
    assert found.high - found.low == pytest.approx(2 * half, rel=0.15)
