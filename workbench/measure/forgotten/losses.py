"""The samples that a variant gets wrong and another one gets right, from the answers that are stored."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from workbench.measure.forgotten.records import ClassLoss, ConfidenceGroup, Losses, Thought, ThoughtGroup
from workbench.measure.proportions import accuracy_change_interval, exact_interval
from workbench.measure.records import Interval
from workbench.measure.sample_intervals import FEWEST_DRAWS, sample_interval
from workbench.measure.scores import Floats, Integers, calibration_bins, calibration_error, to_predictions

CONFIDENCES = (0.0, 0.5, 0.7, 0.9, 0.99, 1.0)
"""Ends of the groups of the reference's confidence."""


def losses(
    after: Floats,
    before: Floats,
    labels: Integers,
    classes: int,
    *,
    seed: int = 0,
    weights: Floats | None = None,
) -> Losses:
    """Groups the samples that are lost.

    Args:
        after: The variant's probabilities, shape ``(samples, classes)``.
        before: The reference's, on the same samples in the same order.
        labels: Class indices.
        classes: Number of classes.
        seed: Seeds the interval of the calibration.
        weights: How much each sample counts for the calibration; once if None. The groups count samples all
            the same.
    """
    labels = np.asarray(labels, np.int64)
    answers = to_predictions(after)
    right_before, right_after = to_predictions(before) == labels, answers == labels
    lost, won = right_before & ~right_after, ~right_before & right_after
    return Losses(
        samples=len(labels),
        right_before=int(right_before.sum()),
        lost=int(lost.sum()),
        won=int(won.sum()),
        classes=_by_class(labels, right_before, lost, won, classes),
        confidence=_by_confidence(before.max(axis=1), right_before, lost),
        thoughts=_by_thought(before[lost], answers[lost]),
        calibration_before=calibration_error(before, labels, weights=weights),
        calibration_after=calibration_error(after, labels, weights=weights),
        calibration_change=_calibration_change(before, after, labels, weights, seed),
    )


def _by_class(
    labels: Integers,
    right_before: npt.NDArray[np.bool_],
    lost: npt.NDArray[np.bool_],
    won: npt.NDArray[np.bool_],
    classes: int,
) -> tuple[ClassLoss, ...]:
    samples, right, gone, come = (
        np.bincount(labels[chosen], minlength=classes)
        for chosen in (np.ones(len(labels), bool), right_before, lost, won)
    )
    there = np.flatnonzero(samples)
    found = [
        ClassLoss(
            label=int(label),
            samples=int(samples[label]),
            right_before=int(right[label]),
            lost=int(gone[label]),
            won=int(come[label]),
            # The class that lost most is picked among all of them.
            change=accuracy_change_interval(
                int(gone[label]), int(come[label]), int(samples[label]), comparisons=len(there)
            ),
        )
        for label in there
    ]
    return tuple(sorted(found, key=lambda one: (one.change.value, one.change.high, one.label)))


def _by_confidence(
    confidence: Floats, right_before: npt.NDArray[np.bool_], lost: npt.NDArray[np.bool_]
) -> tuple[ConfidenceGroup, ...]:
    group = np.clip(np.searchsorted(CONFIDENCES, confidence, side="right") - 1, 0, len(CONFIDENCES) - 2)
    found = []
    for number, (low, high) in enumerate(pairwise(CONFIDENCES)):
        inside = group == number
        right, gone = int((inside & right_before).sum()), int((inside & lost).sum())
        if right:
            share = exact_interval(gone, right)
            found.append(ConfidenceGroup(low=low, high=high, right_before=right, lost=gone, share=share))
    return tuple(found)


def _by_thought(before: Floats, answers: Integers) -> tuple[ThoughtGroup, ...]:
    """Which choice of the reference each wrong answer was; of equally likely ones the first class."""
    choices = np.argsort(np.argsort(-before, axis=1, kind="stable"), axis=1)
    rows = np.arange(len(answers))
    place, probability = choices[rows, answers], before[rows, answers]
    thoughts: tuple[tuple[Thought, npt.NDArray[np.bool_]], ...] = (
        ("second", place == 1),
        ("third", place == 2),
        ("further", place > 2),
    )
    return tuple(
        ThoughtGroup(
            thought=thought,
            lost=int(chosen.sum()),
            probability=float(probability[chosen].mean()) if chosen.any() else None,
        )
        for thought, chosen in thoughts
    )


def _calibration_change(
    before: Floats, after: Floats, labels: Integers, weights: Floats | None, seed: int
) -> Interval:
    sides = [calibration_bins(scores, labels) for scores in (before, after)]
    bins = sides[0].shape[1]
    counted = np.concatenate([*sides, np.ones((len(labels), 1))], axis=1)
    if weights is not None:
        counted *= np.asarray(weights, np.float64)[:, None]

    def change(sums: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        gaps = np.abs(sums[..., bins : 2 * bins]).sum(axis=-1) - np.abs(sums[..., :bins]).sum(axis=-1)
        found: npt.NDArray[np.floating] = gaps / sums[..., -1]
        return found

    return sample_interval(counted, change, seed=seed, bounds=(-1.0, 1.0), draws=FEWEST_DRAWS)
