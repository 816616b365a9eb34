"""Judges what files answer to samples of the validation split, by the measure of the task."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import DatasetInfo
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.measure.judges import Answers, judge_of
from workbench.measure.records import Interval
from workbench.plain.measures import MEASURES


def chosen_by_first(description: ModelDescription) -> tuple[Text, ...]:
    """What is to be said where something was chosen by one output, of a model of which several are judged."""
    if not description.further:
        return ()
    return (
        say(
            "It was chosen by the first output that is judged alone; what the others ({names}) have lost is "
            "measured.",
            names=tuple(one.name for one in description.further),
        ),
    )


class FileJudge:
    """Judges outputs for samples whose labels are known, and changes of them.

    Args:
        info: The data, with its task.
        labels: Of the samples; without any, what the reference gives for them.
        from_logits: Whether outputs are raw scores.
        seed: Seeds the intervals.
        weights: How much each sample counts; once if None.
    """

    def __init__(
        self,
        info: DatasetInfo,
        labels: npt.NDArray[Any],
        *,
        from_logits: bool,
        seed: int,
        weights: npt.NDArray[np.floating] | None = None,
    ) -> None:
        reference = labels.reshape(len(labels), -1) if info.task == "agreement" else None
        self._task, self._seed, self._weights = info.task, seed, weights
        self._labels = labels if reference is None else reference
        self._judge = judge_of(info, labels, from_logits=from_logits, reference=reference, weights=weights)

    def answers(self, outputs: npt.NDArray[np.float32]) -> Answers:
        """What outputs stand for.

        Raises:
            workbench.api.errors.InvalidInput: If they do not fit the data.
        """
        return self._judge.answers(outputs)[0]

    def score(self, answers: Answers) -> float:
        """The measure of answers."""
        measure = MEASURES[self._task]
        if self._task == "per position":  # they are classes already
            return measure.rate(self._labels, answers, self._weights)
        return measure.of(answers, self._labels, weights=self._weights)

    def change(self, before: Answers, after: Answers) -> Interval:
        """How much better answers became, a fraction, with its 95 % interval, paired by sample.

        Args:
            before: Answers of the reference.
            after: Answers that are compared with them.
        """
        return self._judge.compared("", "", after, before, seed=self._seed).change
