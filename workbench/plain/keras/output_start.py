"""Where the output of a model that predicts numbers starts, before it has learned anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import keras


def start_at_targets(
    model: keras.Model,
    targets: npt.ArrayLike,
    weights: npt.NDArray[Any] | None = None,
    *,
    output: int = 0,
) -> bool:
    """Lets new weights of the output start in the unit of what is to be predicted.

    New weights give numbers around 0 with a spread of about 1. Where targets are around 10,000, an optimizer
    spends its first hundreds of steps on the way there. So the bias becomes the mean of the targets, and the
    kernel is multiplied by their standard deviation: what a model of standardized targets would be, written
    out. It is for new weights only: what was trained is not touched by this.

    Args:
        model: Its last layer is looked at: a trainable Dense without an activation, with a bias.
        targets: Of the training split, shape ``(n, numbers)``.
        weights: How much each sample counts; once if None.
        output: Position of the output that predicts them, of a model with several.

    Returns:
        Whether it was done; a model that ends otherwise stays as it is.
    """
    import keras

    history: Any = model.outputs[output]._keras_history
    while getattr(history.operation, "outputs", None):  # a model inside the model
        history = history.operation.outputs[history.tensor_index]._keras_history
    last = history.operation
    values = np.asarray(targets, np.float64).reshape(len(np.asarray(targets)), -1)
    if not isinstance(last, keras.layers.Dense) or not last.trainable or last.bias is None:
        return False
    if last.activation is not keras.activations.linear or last.bias.shape != values.shape[1:]:
        return False
    mean = np.average(values, axis=0, weights=weights)
    spread = np.sqrt(np.average(np.square(values - mean), axis=0, weights=weights))
    last.bias.assign(mean)
    last.kernel.assign(np.asarray(last.kernel) * np.where(spread > 0, spread, 1.0))
    return True
