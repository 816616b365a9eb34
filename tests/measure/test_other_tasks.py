"""Several labels of a sample, a class for each position, and answers without labels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from tests.measure.test_regression import info as regression_info
from tests.measure.test_regression import measured
from workbench.measure.judges import judge_of

RNG = np.random.default_rng(0)


def info(task, *classes):
    return regression_info().model_copy(update={"task": task, "classes": classes})


@pytest.fixture(scope="module")
def labels():
    """Two digits are on each picture: which ones."""
    right = np.zeros((400, 10), np.uint8)
    for row in right:
        row[RNG.choice(10, 2, replace=False)] = 1
    scores = np.clip(0.3 + 0.4 * right + RNG.normal(0, 0.2, right.shape), 0, 1).astype(np.float32)
    return judge_of(info("multi-label", *map(str, range(10))), right), right, scores


def test_several_labels_have_scikit_learn_s_numbers(labels):
    judge, right, scores = labels
    found = measured(judge, scores)
    said = scores > 0.5
    assert found.measured.value == pytest.approx(metrics.f1_score(right, said, average="macro"))
    assert found.figure("f1 micro").value == pytest.approx(metrics.f1_score(right, said, average="micro"))
    assert found.figure("map").value == pytest.approx(metrics.average_precision_score(right, scores))
    assert found.figure("exact").value == pytest.approx(metrics.accuracy_score(right, said))
    each = metrics.f1_score(right, said, average=None)
    assert [found.figure(f"f1 {label}").value for label in range(10)] == pytest.approx(each)
    assert found.measured.low < found.measured.value < found.measured.high


def test_raw_scores_become_probabilities_and_a_label_nobody_has_is_said():
    right = np.array([[1, 0], [0, 0]] * 10)
    judge = judge_of(info("multi-label", "cat", "dog"), right, from_logits=True)
    answers, _ = judge.answers(np.array([[2.0, -2.0], [-1.0, -3.0]] * 10, np.float32))
    assert answers[0] == pytest.approx(1 / (1 + np.exp([-2.0, 2.0])), abs=1e-6)
    found = measured(judge, answers)
    assert found.measured.value == 0.5
    assert "No test sample has the labels dog" in str(found.warnings[0])


def test_a_change_of_several_labels_is_paired(labels):
    judge, right, scores = labels
    same = judge.compared("v", "r", scores, scores)
    assert same.change.value == 0
    assert same.change.low < 0 < same.change.high
    worse = np.where(RNG.random(scores.shape) < 0.1, 1 - scores, scores)
    lost = judge.compared("v", "r", worse, scores)
    both = [metrics.f1_score(right, one > 0.5, average="macro") for one in (scores, worse)]
    assert lost.change.value == pytest.approx(both[1] - both[0])
    assert (lost.word, lost.worse > lost.better) == ("lost", True)
    found = judge.details("v", "r", worse, scores)
    assert "now" in str(found.moved[0].note)
    assert found.f1_after == pytest.approx(metrics.f1_score(right, worse > 0.5, average=None))


@pytest.fixture(scope="module")
def masks():
    right = RNG.integers(0, 3, (60, 8, 8))
    right[:, 0] = -1
    said = np.where(RNG.random(right.shape) < 0.2, (right + 1) % 3, right)
    said[right < 0] = 2
    outputs = np.eye(3, dtype=np.float32)[said].reshape(60, -1)
    return judge_of(info("per position", "a", "b", "c"), right), right, said, outputs


def test_positions_have_scikit_learn_s_numbers_and_ignored_ones_do_not_count(masks):
    judge, right, said, outputs = masks
    answers, _ = judge.answers(outputs)
    np.testing.assert_array_equal(answers, said)
    found = measured(judge, answers)
    kept = right >= 0
    truth, answered = right[kept], said[kept]
    assert found.measured.value == pytest.approx(metrics.jaccard_score(truth, answered, average="macro"))
    assert found.figure("f1 macro").value == pytest.approx(metrics.f1_score(truth, answered, average="macro"))
    assert found.figure("accuracy").value == pytest.approx(metrics.accuracy_score(truth, answered))
    assert found.figure("iou b").value == pytest.approx(
        metrics.jaccard_score(truth, answered, average=None)[1]
    )
    assert found.measured.low < found.measured.value < found.measured.high


def test_intervals_are_over_samples_and_not_over_positions(masks):
    """The same positions on four times as many samples make them about half as wide."""
    _, right, said, _ = masks
    few = measured(judge_of(info("per position", "a", "b", "c"), right[:15]), said[:15]).measured
    many = measured(judge_of(info("per position", "a", "b", "c"), right), said).measured
    assert (few.high - few.low) > 1.5 * (many.high - many.low)


def test_a_single_value_at_each_position_tells_two_classes_apart():
    right = RNG.integers(0, 2, (20, 6))
    judge = judge_of(info("per position", "no", "yes"), right)
    answers, _ = judge.answers(np.where(right, 0.7, 0.2).astype(np.float32))
    assert measured(judge, answers).measured.value == 1.0


def test_a_change_of_positions_is_paired_and_the_worst_samples_are_named(masks):
    judge, right, said, _ = masks
    worse = said.copy()
    worse[4] = (right[4] + 1) % 3
    verdict = judge.compared("v", "r", worse, said)
    kept = right >= 0
    before, after = (metrics.jaccard_score(right[kept], one[kept], average="macro") for one in (said, worse))
    assert verdict.change.value == pytest.approx(after - before)
    assert (verdict.better, verdict.worse) == (0, 1)
    found = judge.details("v", "r", worse, said)
    assert [one.index for one in found.moved] == [4]
    assert str(found.moved[0].note).endswith("→ 56")


def test_the_baseline_agrees_with_itself():
    answers = RNG.normal(size=(50, 7)).astype(np.float32)
    found = measured(judge_of(info("agreement"), np.empty((50, 0))), answers)
    assert (found.measured.value, found.measured.low) == (1, 1)


def test_agreement_of_numbers_is_a_cosine_with_its_signal_to_noise_ratio():
    before = RNG.normal(size=(200, 7)).astype(np.float32)
    answers = before + RNG.normal(0, 0.05, before.shape).astype(np.float32)
    judge = judge_of(info("agreement"), np.empty((200, 0)), reference=before)
    found = measured(judge, answers)
    cosines = metrics.pairwise.cosine_similarity(before, answers).diagonal()
    assert found.measured.value == pytest.approx(cosines.mean(), abs=1e-6)
    noise = ((answers.astype(float) - before) ** 2).sum()
    assert found.figure("snr").value == pytest.approx(
        10 * np.log10((before.astype(float) ** 2).sum() / noise)
    )
    assert found.figure("largest error").value == pytest.approx(np.abs(answers - before).max())
    verdict = judge.compared("v", "r", answers, before)
    assert (verdict.word, verdict.task) == ("kept", "agreement")
    assert judge.compared("v", "r", answers[::-1], before).word == "lost"
    worst = judge.details("v", "r", answers, before).moved[0]
    assert worst.index == cosines.argmin()


def test_agreement_of_probabilities_is_the_share_of_the_same_class():
    before = RNG.dirichlet(np.ones(4), 300).astype(np.float32)
    answers = before.copy()
    answers[:30] = np.roll(answers[:30], 1, axis=1)
    judge = judge_of(info("agreement"), np.empty((300, 0)), reference=before)
    found = measured(judge, answers)
    assert found.measured.value == pytest.approx(0.9)
    assert found.figure("kl").value > 0
    assert judge.compared("v", "r", answers, before).worse == 30
    # what was never seen to differ still may
    same = judge.compared("v", "r", before * 1.0, before)
    assert (same.change.value, same.word) == (0, "not proven")
    assert same.samples_needed


def test_running_measures_end_where_the_measurement_does(labels, masks):
    reference = RNG.normal(size=(60, 5)).astype(np.float32)
    cases = [
        (labels[0], labels[2]),
        (masks[0], masks[2]),
        (judge_of(info("agreement"), np.empty((60, 0)), reference=reference), reference + 0.1),
    ]
    for judge, answers in cases:
        running = judge.running()
        middle = len(answers) // 3
        running.add(answers[:middle])
        assert running.add(answers[middle:])[0] == pytest.approx(measured(judge, answers).measured.value)
