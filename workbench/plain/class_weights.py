"""How much classes count in a training."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def balanced_weights(labels: npt.NDArray[Any], units: int) -> dict[int, float]:
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
