"""Judges what files answer to samples of the validation split, by the measure of the task."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import DatasetInfo
from workbench.api.task import Task
from workbench.measure.f1_intervals import f1_change_interval
from workbench.measure.records import Interval
from workbench.measure.scores import macro_f1, to_predictions, to_scores
from workbench.plain.measures import MEASURES

_DRAWS = 2_000
_AT_ONCE = 4_000_000
"""Random numbers that are held at once."""

Floats = npt.NDArray[np.floating]


class FileJudge:
    """Judges outputs for samples whose labels are known, and changes of them.

    Args:
        info: The data.
        task: What is judged.
        labels: Of the samples; without any, what the reference answers to them.
        from_logits: Whether outputs are raw scores.
        seed: Seeds the intervals.
    """

    def __init__(
        self, info: DatasetInfo, task: Task, labels: npt.NDArray[Any], *, from_logits: bool, seed: int
    ) -> None:
        self._info, self._task, self._labels = info, task, labels
        self._from_logits, self._seed = from_logits, seed
        self._measure = MEASURES[task]

    def answers(self, outputs: Floats) -> npt.NDArray[Any]:
        """What outputs stand for.

        Raises:
            workbench.api.errors.InvalidInput: If scores of classes do not fit the data.
        """
        if self._task == "classification":
            scores, _ = to_scores(outputs, len(self._info.classes), from_logits=self._from_logits)
            return to_predictions(scores)
        if self._task == "per position":
            outputs = outputs.reshape(*self._labels.shape, -1)
        else:
            outputs = outputs.reshape(len(outputs), -1)
        return self._measure.read(outputs, self._from_logits)

    def score(self, answers: npt.NDArray[Any]) -> float:
        """The measure of answers."""
        return self._measure.rate(self._labels, answers)

    def change(self, before: npt.NDArray[Any], after: npt.NDArray[Any]) -> Interval:
        """How much better answers became, a fraction, with its 95 % interval, paired by sample.

        Args:
            before: Answers of the reference.
            after: Answers that are compared with them.
        """
        if self._task == "classification":
            return f1_change_interval(
                self._labels,
                before,
                after,
                len(self._info.classes),
                seed=self._seed,
                occurring=self._info.occurring,
            )
        first, second = self._statistics(before), self._statistics(after)
        value = float(self._gain(first.sum(0), second.sum(0)))
        rng = np.random.default_rng(self._seed)
        size = max(1, min(_DRAWS, _AT_ONCE // len(first)))
        drawn = []
        for _ in range(-(-_DRAWS // size)):
            # The Bayesian bootstrap (Rubin 1981): a random weight for each sample, the same for both.
            weights = rng.exponential(size=(size, len(first)))
            drawn.append(self._gain(weights @ first, weights @ second))
        low, high = (float(end) for end in np.quantile(np.concatenate(drawn), [0.025, 0.975]))
        return Interval(value=value, low=min(low, value), high=max(high, value))

    def _gain(self, before: Floats, after: Floats) -> Floats:
        first, second = self._of_sums(before), self._of_sums(after)
        if self._measure.higher_is_better:
            return np.asarray(second - first)
        return np.asarray((first - second) / np.maximum(first, 1e-7))

    def _statistics(self, answers: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """What each sample adds to the sums that the measure is made of, shape ``(samples, columns)``."""
        labels = self._labels
        if self._task == "multi-label":
            true, found = labels.astype(np.float64), answers.astype(np.float64)
            return np.hstack([true * found, true, found])
        if self._task == "per position":
            columns = []
            known = labels >= 0
            for number in range(max(len(self._info.classes), 2)):
                true, found = known & (labels == number), known & (answers == number)
                columns.append((true & found).reshape(len(labels), -1).sum(1))
                columns.append((true | found).reshape(len(labels), -1).sum(1))
            return np.stack(columns, axis=1).astype(np.float64)
        each = [self._measure.rate(labels[at : at + 1], answers[at : at + 1]) for at in range(len(labels))]
        return np.stack([np.asarray(each), np.ones(len(each))], axis=1)

    def _of_sums(self, sums: Floats) -> Floats:
        if self._task == "multi-label":
            right, true, found = np.split(sums, 3, axis=-1)
            # A label that occurs nowhere counts as 0 here, as scikit-learn has it.
            return np.asarray(macro_f1(right, true, found) * ((true + found) > 0).mean(axis=-1))
        if self._task == "per position":
            both, either = sums[..., ::2], sums[..., 1::2]
            there = either > 0
            return np.asarray(
                np.where(there, both / np.where(there, either, 1), 0).sum(-1) / np.maximum(there.sum(-1), 1)
            )
        return np.asarray(sums[..., 0] / sums[..., 1])
