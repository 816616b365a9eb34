"""From a classifier's outputs to one probability per class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def probabilities(outputs: npt.ArrayLike, *, from_logits: bool) -> npt.NDArray[np.float32]:
    """Reads a classifier's outputs as probabilities.

    Args:
        outputs: Shape ``(n, classes)``; or ``(n, 1)`` for two classes, where the value is the
            probability (or logit) of the second one.
        from_logits: Whether they are raw scores, which softmax (sigmoid for one column) turns into
            probabilities.

    Returns:
        Float32, shape ``(n, classes)``. What leaves the range from 0 to 1 although it is read as a
        probability is brought into it, its order kept.
    """
    values = np.asarray(outputs, np.float64)
    values = values.reshape(len(values), -1)
    if values.shape[1] == 1:
        second = 0.5 * (1 + np.tanh(0.5 * values)) if from_logits else np.clip(values, 0, 1)
        return np.hstack([1 - second, second]).astype(np.float32)
    if from_logits:
        values = np.exp(values - values.max(axis=1, keepdims=True))
        values /= values.sum(axis=1, keepdims=True)
    elif values.size and (values.min() < 0 or values.max() > 1):
        # Cut off, several would be equal: the largest must stay the largest.
        values = values - np.minimum(values.min(axis=1, keepdims=True), 0)
        values /= np.maximum(values.max(axis=1, keepdims=True), 1)
    return np.clip(values, 0, 1).astype(np.float32)
