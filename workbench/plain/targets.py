"""Labels and weights of samples in the form in which a loss takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def class_probabilities(labels: npt.NDArray[Any], units: int) -> npt.NDArray[np.float32]:
    """Labels as probabilities, which can be blended and smoothed.

    Args:
        labels: Class indices, shape ``(n,)``; or 0 and 1 for each class, shape ``(n, classes)``.
        units: Values that the output has; 1 means the score of the second of two classes.

    Returns:
        Of the shape of the output.
    """
    if labels.ndim > 1:
        return labels.astype(np.float32)
    if units == 1:
        return labels.astype(np.float32)[:, None]
    one_hot: npt.NDArray[np.float32] = np.eye(units, dtype=np.float32)[labels]
    return one_hot


def spread_of(numbers: npt.NDArray[Any], *, squared: bool = True) -> float:
    """The loss of a model that gives every sample the mean: what the loss of numbers is divided by.

    So losses of several outputs can be added, whatever the units of the numbers are.

    Args:
        numbers: To be predicted, samples first.
        squared: Whether errors are squared; else their absolute values count.

    Returns:
        The variance or the mean absolute deviation, mean of all columns; 1 where all samples are alike.
    """
    values = numbers.reshape(len(numbers), -1).astype(np.float64)
    apart = values - values.mean(axis=0)
    return float((np.square(apart) if squared else np.abs(apart)).mean()) or 1.0


def for_each_position(weights: npt.NDArray[np.float32], labels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """How much each sample counts, with the axes of a loss that has a value for each position.

    Args:
        weights: Of the samples, shape ``(n,)``.
        labels: Of the same, shape ``(n, *positions)``.
    """
    return weights.reshape(-1, *[1] * (labels.ndim - 1))
