"""Lets weights change the cluster that they share a value with, while a model is trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


class ClusterConstraint:
    """A weight matrix of few shared values whose weights may move from one value to another.

    It is the variable's ``constraint``, which every Keras optimizer applies after each step. Each weight
    has a value of its own beside the shared one that is computed with; a step moves the weight's own value,
    and one round of k-means over these gives the shared ones. Zeros stay zero.

    Args:
        variable: The weight matrix, with shared values.
        own: The same weights before they were shared.

    Source: straight-through training of shared values, as in Cho et al., DKM, ICLR 2022
    (arXiv:2108.12659), with hard assignments.
    """

    def __init__(self, variable: Any, own: Any) -> None:
        self.variable = variable
        self.before = variable.constraint
        shared = variable.numpy()
        self._mask = keras.Variable((shared != 0).astype("float32"), trainable=False)
        self._own = keras.Variable(own.astype("float32"), trainable=False)
        self._shared = keras.Variable(shared.astype("float32"), trainable=False)
        self._centers = keras.Variable(np.unique(shared[shared != 0]), dtype="float32", trainable=False)
        variable.constraint = self

    def __call__(self, weights: Any) -> Any:
        """The weights after a step, with their shared values."""
        ops = keras.ops
        if self.before is not None:
            weights = self.before(weights)
        weights = ops.convert_to_tensor(weights)
        moved = ops.cast(weights, "float32") - self._shared
        own = self._own + moved * self._mask
        flat, counted = ops.reshape(own, (-1,)), ops.reshape(self._mask, (-1,))
        centers = ops.convert_to_tensor(self._centers)
        count = self._centers.shape[0]
        number = ops.searchsorted((centers[1:] + centers[:-1]) / 2, flat)
        members = ops.cast(ops.bincount(number, weights=counted, minlength=count), "float32")
        sums = ops.cast(ops.bincount(number, weights=flat * counted, minlength=count), "float32")
        # A cluster that all have left stays where it is; so they stay in rising order.
        centers = ops.where(members > 0, sums / ops.maximum(members, 1.0), centers)
        shared = ops.reshape(ops.take(centers, number), self._mask.shape) * self._mask
        self._own.assign(own)
        self._shared.assign(shared)
        self._centers.assign(centers)
        return ops.cast(shared, weights.dtype)

    def release(self) -> None:
        """Gives the variable its former constraint back."""
        self.variable.constraint = self.before
