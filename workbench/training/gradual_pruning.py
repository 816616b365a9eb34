"""The Keras callback that removes more and more weights. Importing it imports Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from workbench.plain.keras.kernels import Kernel
from workbench.plain.keras.masks import Ranking, magnitude_masks, polynomial_share
from workbench.technique import Reporter
from workbench.training.preserving import Preserving


class GradualPruning(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Raises the share of zeros while the model trains, and leaves it alone after that.

    Weights of the epochs before have fewer zeros: they must not be kept.

    Args:
        pruned: The weight matrices.
        preserving: Keeps their zeros between the steps.
        report: Gets the curve ``sparsity``.
        share: Zeros at the end.
        initial: Zeros at the start.
        ranking: How weights of different layers are compared.
        steps: Steps of the optimizer until that share; training goes on after them.
        every: Steps between two changes.
    """

    def __init__(
        self,
        pruned: Sequence[Kernel],
        preserving: Preserving,
        report: Reporter,
        *,
        share: float,
        initial: float,
        ranking: Ranking,
        steps: int,
        every: int,
    ) -> None:
        super().__init__()
        self._pruned = pruned
        self._preserving = preserving
        self._report = report
        self._share = share
        self._initial = initial
        self._ranking = ranking
        self._steps = steps
        self._every = every
        self._step = 0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Removes weights if it is time."""
        if self._step == self._steps or (self._step < self._steps and self._step % self._every == 0):
            self._prune(self._step / self._steps)
        self._step += 1

    def _prune(self, progress: float) -> None:
        share = polynomial_share(self._share, progress, self._initial)
        prune(self._pruned, share, self._ranking)
        self._preserving.refresh()
        self._report.metric("sparsity", self._step, share)


def prune(pruned: Sequence[Kernel], share: float, ranking: Ranking) -> None:
    """Sets the smallest weights to zero."""
    weights = [ops.convert_to_numpy(kernel.variable) for kernel in pruned]
    for kernel, values, mask in zip(pruned, weights, magnitude_masks(weights, share, ranking), strict=True):
        kernel.variable.assign(np.where(mask, values, 0))
