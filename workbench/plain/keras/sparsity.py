"""Sets weights to zero: at once, or more and more of them while a model trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .kernels import Kernel
from .masks import Ranking, magnitude_masks, pattern_mask, polynomial_share
from .preserving import WeightPreserver


class GradualPruning(keras.callbacks.Callback):
    """Raises the share of zeros while the model trains, and leaves it alone after that.

    Weights of the epochs before have fewer zeros: they must not be kept.

    Args:
        pruned: The weight matrices.
        preserving: Keeps their zeros between the steps.
        share: Zeros at the end.
        ranking: How weights of different layers are compared.
        steps: Steps of the optimizer until that share; training goes on after them.
        every: Steps between two changes.
        changed: Called with the step and the share of zeros after each change.
    """

    def __init__(
        self,
        pruned: Sequence[Kernel],
        preserving: WeightPreserver,
        *,
        share: float,
        ranking: Ranking,
        steps: int,
        every: int,
        changed: Callable[[int, float], None] | None = None,
    ) -> None:
        super().__init__()
        self._pruned = pruned
        self._preserving = preserving
        self._changed = changed
        self._share = share
        self._initial = share_of_zeros(pruned)
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
        if self._changed is not None:
            self._changed(self._step, share)


def prune(pruned: Sequence[Kernel], share: float, ranking: Ranking) -> None:
    """Sets the smallest weights to zero."""
    weights = [ops.convert_to_numpy(kernel.variable) for kernel in pruned]
    for kernel, values, mask in zip(pruned, weights, magnitude_masks(weights, share, ranking), strict=True):
        kernel.variable.assign(np.where(mask, values, 0))


def prune_pattern(pruned: Sequence[Kernel], keep: int, of: int) -> None:
    """Sets all but the largest ``keep`` of each ``of`` neighbours along the inputs to zero.

    Args:
        pruned: Weight matrices; one whose inputs cannot be divided into such groups stays as it is.
        keep: How many stay.
        of: Out of how many.
    """
    for kernel in pruned:
        values = ops.convert_to_numpy(kernel.variable)
        mask = pattern_mask(values, kernel.reduced, keep, of)
        if mask is not None:
            kernel.variable.assign(np.where(mask, values, 0))


def share_of_zeros(pruned: Sequence[Kernel]) -> float:
    """Share of zeros in several weight matrices together."""
    weights = [ops.convert_to_numpy(kernel.variable) for kernel in pruned]
    return float(sum(np.sum(one == 0) for one in weights) / sum(one.size for one in weights))
