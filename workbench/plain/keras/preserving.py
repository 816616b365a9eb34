"""Keeps zeros and shared values of a model's weights through any later training.

Importing it imports Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from .kernels import Kernel, kernels
from .reclustering import ClusterConstraint
from .weight_values import is_clustered, is_sparse, nonzero_values


class WeightConstraint:
    """A weight matrix whose zeros stay zero and whose shared values stay shared.

    It is the variable's ``constraint``, which every Keras optimizer applies after each step, inside the
    compiled step. Gradients are not its business: for those of shared values see
    :meth:`WeightPreserver.attach`.

    Args:
        kernel: The weight matrix.
        clusters: Whether its distinct values are shared ones; otherwise only zeros are kept.
    """

    def __init__(self, kernel: Kernel, *, clusters: bool) -> None:
        self.kernel = kernel
        self.clusters = clusters
        self.before = kernel.variable.constraint
        shape = kernel.variable.shape
        self._mask = keras.Variable(np.ones(shape, np.float32), trainable=False)
        self._count = 1
        if clusters:
            self._count += len(nonzero_values(keras.ops.convert_to_numpy(kernel.variable)))
            self._ids = keras.Variable(np.zeros(shape, np.int32), dtype="int32", trainable=False)
            self._first = keras.Variable(np.zeros(self._count, np.int32), dtype="int32", trainable=False)
            self._members = keras.Variable(np.ones(self._count, np.float32), trainable=False)
        self.refresh()
        kernel.variable.constraint = self

    def refresh(self) -> None:
        """Takes the zeros and shared values that are in the weights now."""
        values = ops.convert_to_numpy(self.kernel.variable)
        self._mask.assign((values != 0).astype(np.float32))
        if self.clusters:
            # Zeros are number 0, whether or not there are any.
            centers = np.concatenate([[0.0], nonzero_values(values)]).astype(values.dtype)
            ids = np.where(values == 0, 0, np.searchsorted(centers[1:], values) + 1).astype(np.int32)
            first = np.zeros(self._count, np.int32)
            numbers, places = np.unique(ids.ravel(), return_index=True)
            first[numbers] = places
            self._ids.assign(ids)
            self._first.assign(first)
            self._members.assign(np.maximum(np.bincount(ids.ravel(), minlength=self._count), 1))

    def __call__(self, weights: Any) -> Any:
        """The weights with their zeros and shared values restored."""
        if self.before is not None:
            weights = self.before(weights)
        weights = ops.convert_to_tensor(weights)
        if self.clusters:
            ids, flat = ops.reshape(self._ids, (-1,)), ops.reshape(weights, (-1,))
            # The mean of differences to one member: exact where all are equal, as a mean of values is not.
            centers = ops.take(flat, self._first)
            apart = flat - ops.take(centers, ids)
            centers = centers + self._sums(ids, apart) / ops.cast(self._members, flat.dtype)
            weights = ops.reshape(ops.take(centers, ids), self._ids.shape)
        return weights * ops.cast(self._mask, weights.dtype)

    def shared(self, gradient: Any) -> Any:
        """The gradient of each weight's shared value: the sum over all weights that share it."""
        gradient = ops.convert_to_tensor(gradient)
        gradient = gradient * ops.cast(self._mask, gradient.dtype)
        if not self.clusters:
            return gradient
        ids = ops.reshape(self._ids, (-1,))
        sums = self._sums(ids, ops.reshape(gradient, (-1,)))
        return ops.reshape(ops.take(sums, ids), self._ids.shape)

    def _sums(self, ids: Any, flat: Any) -> Any:
        # Ten times as fast as segment_sum on a CPU.
        return ops.cast(ops.bincount(ids, weights=flat, minlength=self._count), flat.dtype)

    def release(self) -> None:
        """Gives the variable its former constraint back."""
        self.kernel.variable.constraint = self.before


class WeightPreserver(keras.callbacks.Callback):
    """Keeps weight matrices sparse and clustered while a model is trained; made by :func:`preserve`.

    As a callback of ``fit`` it does everything by itself. In a training loop of one's own, call
    :meth:`attach` before the first step and :meth:`release` after the last.

    The zeros and shared values are kept from the moment that it is made.

    Args:
        kept: The weight matrices.
    """

    def __init__(self, kept: Iterable[WeightConstraint]) -> None:
        super().__init__()
        self.kept = tuple(kept)
        self._undo: list[Callable[[], None]] = []

    @property
    def sparse(self) -> tuple[str, ...]:
        """Names of the weight matrices whose zeros are kept."""
        return tuple(one.kernel.name for one in self.kept if _zeros(one.kernel) > 0)

    @property
    def clustered(self) -> tuple[str, ...]:
        """Names of the weight matrices whose shared values are kept."""
        return tuple(one.kernel.name for one in self.kept if one.clusters)

    def refresh(self) -> None:
        """Takes the zeros and shared values that are in the weights now, after they were changed."""
        for one in self.kept:
            one.refresh()

    def attach(self, optimizer: Any) -> None:
        """Lets an optimizer train each shared value as one weight, with the sum of its gradients.

        Every weight of a cluster gets the cluster's gradient, so that an optimizer that works
        elementwise (SGD, Adam, Lion, ...) does to each what it would do to the one value.

        Args:
            optimizer: A Keras optimizer, before its first step is compiled.
        """
        kept = {id(one.kernel.variable): one for one in self.kept}
        plain = optimizer.apply

        def apply(grads: Any, trainable_variables: Any = None) -> Any:
            variables = optimizer._trainable_variables if trainable_variables is None else trainable_variables
            variables = list(variables)
            grads = [
                kept[id(variable)].shared(gradient)
                if gradient is not None and id(variable) in kept
                else gradient
                for gradient, variable in zip(grads, variables, strict=True)
            ]
            return plain(grads, variables)

        optimizer.apply = apply

        def undo() -> None:
            optimizer.apply = plain

        self._undo.append(undo)

    def release(self) -> None:
        """Lets go: further training may change zeros and shared values."""
        for undo in self._undo:
            undo()
        self._undo = []
        for one in self.kept:
            one.release()
        self.kept = ()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Attaches to the model's optimizer."""
        if self.kept:
            self.attach(self.model.optimizer)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Detaches from it; the weights stay constrained until :meth:`release`."""
        for undo in self._undo:
            undo()
        self._undo = []


def preserve(model: keras.Model) -> WeightPreserver:
    """Finds the zeros and shared values of a model's weights and keeps them through training.

    Weight matrices that someone preserves already are left to that one.

    Args:
        model: A built model.

    Returns:
        A callback for ``fit``; its ``kept`` is empty where there is nothing to keep.
    """
    found = []
    for kernel in kernels(model):
        if isinstance(kernel.variable.constraint, WeightConstraint | ClusterConstraint):
            continue
        values = ops.convert_to_numpy(kernel.variable)
        clusters = is_clustered(values)
        if clusters or is_sparse(values):
            found.append(WeightConstraint(kernel, clusters=clusters))
    return WeightPreserver(found)


def preserve_kernels(chosen: Iterable[Kernel]) -> WeightPreserver:
    """Keeps the zeros and shared values of some weight matrices, also those that get their first zero later.

    Args:
        chosen: The weight matrices.

    Returns:
        A callback for ``fit``.
    """
    return WeightPreserver(
        WeightConstraint(kernel, clusters=is_clustered(ops.convert_to_numpy(kernel.variable)))
        for kernel in chosen
    )


def _zeros(kernel: Kernel) -> float:
    return float(np.mean(ops.convert_to_numpy(kernel.variable) == 0))
