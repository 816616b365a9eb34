"""Macro F1 of the samples that were predicted so far, now and then with its interval."""

from __future__ import annotations

import time
from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from workbench.measure.f1_intervals import FEWEST_DRAWS, macro_f1_interval
from workbench.measure.scores import Floats, Integers, RunningF1

_SHARE = 0.05
"""Of the time of an evaluation, at most so much is spent on intervals of what is not finished."""


class RunningInterval:
    """Macro F1 of a growing number of predictions.

    The interval takes milliseconds where there are ten classes and much longer where there are a thousand:
    it is left out as long as it would hold up the evaluation.

    Args:
        labels: Of all samples, in the order in which they are predicted.
        classes: Number of classes.
        occurring: The classes that a sample may have.
        weights: How much each sample counts; once if None.
        judged: The classes of the labels, where only some are measured.
    """

    def __init__(
        self,
        labels: Integers,
        classes: int,
        occurring: Collection[int] | None = None,
        weights: Floats | None = None,
        judged: Collection[int] = (),
    ) -> None:
        self._labels, self._classes, self._occurring = labels, classes, occurring
        self._weights, self._judged = weights, judged
        self._running = RunningF1(classes, judged)
        self._predictions: list[npt.NDArray[np.int64]] = []
        self._count = 0
        self._started = time.monotonic()
        self._value = self._spent = self._last = 0.0

    def add(self, predictions: npt.NDArray[np.int64]) -> tuple[float, tuple[float, float] | None]:
        """Adds a batch; gives macro F1 so far, and the ends of its interval if there was time for it."""
        if not len(predictions):
            return self._value, None
        batch = self._labels[self._count : self._count + len(predictions)]
        counted = (
            None if self._weights is None else self._weights[self._count : self._count + len(predictions)]
        )
        self._count += len(predictions)
        self._predictions.append(predictions)
        value = self._value = self._running.add(batch, predictions, counted)
        now = time.monotonic()
        if self._weights is not None and not self._weights[: self._count].any():
            return value, None
        if self._spent + self._last > _SHARE * (now - self._started):
            return value, None
        found = macro_f1_interval(
            self._labels[: self._count],
            np.concatenate(self._predictions),
            self._classes,
            occurring=self._occurring,
            draws=FEWEST_DRAWS,
            weights=None if self._weights is None else self._weights[: self._count],
            judged=self._judged,
        )
        self._last = time.monotonic() - now
        self._spent += self._last
        return value, (min(found.low, value), max(found.high, value))
