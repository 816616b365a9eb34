"""Loss, metric and targets of a classifier, whatever its head and labels are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.training.optimizers import Call

if TYPE_CHECKING:
    import keras


def loss_call(units: int, from_logits: bool, *, soft: bool = False, label_smoothing: float = 0.0) -> Call:
    """The cross-entropy of a classifier's head.

    Args:
        units: Values that the output has; 1 means the score of the second of two classes.
        from_logits: Whether they are raw scores.
        soft: Whether targets are probabilities of all classes instead of class indices.
        label_smoothing: The part of each label that is spread over all classes; needs ``soft`` targets.
    """
    name = "Binary" if units == 1 else "Categorical" if soft else "SparseCategorical"
    arguments: dict[str, object] = {"from_logits": from_logits}
    if label_smoothing:
        arguments["label_smoothing"] = label_smoothing
    return Call(f"losses.{name}Crossentropy", arguments)


def accuracy_call(units: int, from_logits: bool, *, soft: bool = False) -> Call:
    """The accuracy metric of a classifier's head; arguments as of :func:`loss_call`."""
    if units == 1:
        threshold = 0.0 if from_logits else 0.5
        return Call("metrics.BinaryAccuracy", {"name": "accuracy", "threshold": threshold})
    name = "Categorical" if soft else "SparseCategorical"
    return Call(f"metrics.{name}Accuracy", {"name": "accuracy"})


def cross_entropy(units: int, from_logits: bool) -> keras.losses.Loss:
    """The cross-entropy loss for class indices; arguments as of :func:`loss_call`."""
    import keras

    return loss_call(units, from_logits).make(keras)


def accuracy(units: int, from_logits: bool) -> keras.metrics.Metric:
    """The accuracy metric for class indices; arguments as of :func:`loss_call`."""
    import keras

    return accuracy_call(units, from_logits).make(keras)


def targets(labels: npt.NDArray[np.int64], units: int, *, soft: bool) -> npt.NDArray[np.generic]:
    """What the loss compares the output with.

    Args:
        labels: Class indices, shape ``(n,)``.
        units: Values that the output has.
        soft: Whether to give probabilities.

    Returns:
        The labels; or float32 of shape ``(n, units)``.
    """
    if not soft:
        return labels
    if units == 1:
        return labels.astype(np.float32)[:, None]
    return np.eye(units, dtype=np.float32)[labels]


def balanced_weights(labels: npt.NDArray[np.int64], units: int) -> dict[int, float]:
    """Weights with which each class counts the same in all, as scikit-learn defines ``balanced``.

    Args:
        labels: Class indices of the training split, shape ``(n,)``.
        units: Values that the output has; 1 means two classes.

    Returns:
        ``n / (classes that occur * samples of the class)``; 1 for classes that do not occur.
    """
    counts = np.bincount(labels, minlength=max(units, 2))
    present = int((counts > 0).sum())
    return {
        number: float(len(labels) / (present * count)) if count else 1.0
        for number, count in enumerate(counts)
    }
