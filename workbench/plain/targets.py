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


def for_each_position(weights: npt.NDArray[np.float32], labels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """How much each sample counts, with the axes of a loss that has a value for each position.

    Args:
        weights: Of the samples, shape ``(n,)``.
        labels: Of the same, shape ``(n, *positions)``.
    """
    return weights.reshape(-1, *[1] * (labels.ndim - 1))
