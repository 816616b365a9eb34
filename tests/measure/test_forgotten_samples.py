"""The samples that a variant loses, against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.measure.forgotten.losses import losses
from workbench.measure.proportions import accuracy_change_interval
from workbench.measure.scores import calibration_error


def test_lost_samples_are_counted_in_their_groups():
    before = np.array([[0.95, 0.05, 0], [0.6, 0.1, 0.3], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]])
    after = np.array([[0.9, 0.1, 0], [0.1, 0.2, 0.7], [0.1, 0.0, 0.9], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]])
    labels = np.array([0, 0, 0, 1, 2])
    found = losses(after, before, labels, 3)
    assert (found.samples, found.right_before, found.lost, found.won) == (5, 4, 2, 0)
    assert found.worst is not None
    assert (found.worst.label, found.worst.samples, found.worst.lost) == (0, 3, 2)
    assert found.worst.change.value == pytest.approx(-2 / 3)
    assert [(one.low, one.right_before, one.lost) for one in found.confidence] == [
        (0.5, 2, 2),
        (0.7, 1, 0),
        (0.9, 1, 0),
    ]
    assert [(one.thought, one.lost) for one in found.thoughts] == [
        ("second", 1),
        ("third", 1),
        ("further", 0),
    ]
    assert found.thoughts[0].probability == pytest.approx(0.3)
    change = calibration_error(after, labels) - calibration_error(before, labels)
    assert found.calibration_change.value == pytest.approx(change)
    assert found.calibration_change.low <= change <= found.calibration_change.high
    # A sample with a weight of 2 is one that is there twice; the groups count samples all the same.
    twice = losses(after, before, labels, 3, weights=np.array([1.0, 2, 1, 1, 1]))
    again = [0, 1, 1, 2, 3, 4]
    assert twice.calibration_after == pytest.approx(calibration_error(after[again], labels[again]))
    wanted = twice.calibration_after - calibration_error(before[again], labels[again])
    assert twice.calibration_change.value == pytest.approx(wanted)
    assert twice.classes == found.classes


def test_the_class_that_lost_most_of_many_by_chance_is_not_accused():
    """Of ten equally bad classes the worst has an interval beyond 0 in at most 5 % of data sets or so."""
    rng = np.random.default_rng(4)
    accused = {1: 0, 10: 0}
    for _ in range(300):
        lost, won = rng.binomial(100, 0.05, (2, 10))
        for comparisons in accused:
            intervals = [
                accuracy_change_interval(int(a), int(b), 100, comparisons=comparisons)
                for a, b in zip(lost, won, strict=True)
            ]
            accused[comparisons] += min(intervals, key=lambda one: one.value).high < 0
    assert accused[10] / 300 < 0.06
    assert accused[1] / 300 > 0.1
