"""Loss and accuracy of a model that gives a class for each position: each pixel, or each step."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class PositionCrossentropy(keras.losses.Loss):
    """The mean cross-entropy over the positions of a batch that have a label.

    Labels are numbers of classes, of the shape of the output without its last axis; one below 0 does not
    count. A single value at each position is the score of the second of two classes.

    Args:
        from_logits: Whether the output is raw scores.
        name: Of the loss.
    """

    def __init__(self, *, from_logits: bool = False, name: str = "position_crossentropy") -> None:
        super().__init__(name=name)
        self.from_logits = from_logits

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss at each position, weighted so that its mean is that of those with a label."""
        known = ops.cast(y_true >= 0, y_pred.dtype)
        labels = ops.maximum(y_true, 0)
        if y_pred.shape[-1] == 1:
            losses = ops.binary_crossentropy(
                ops.expand_dims(labels, -1), y_pred, from_logits=self.from_logits
            )[..., 0]
        else:
            losses = ops.sparse_categorical_crossentropy(
                ops.cast(labels, "int32"), y_pred, from_logits=self.from_logits
            )
        return losses * known / ops.maximum(ops.mean(known), keras.config.epsilon())


class PositionAccuracy(keras.metrics.Mean):
    """The share of positions with a label whose class is right.

    Args:
        from_logits: Whether the output is raw scores.
        name: Of the metric.
    """

    def __init__(self, *, from_logits: bool = False, name: str = "accuracy") -> None:
        super().__init__(name=name)
        self.from_logits = from_logits

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts the positions of a batch."""
        y_pred = ops.convert_to_tensor(y_pred)
        if y_pred.shape[-1] == 1:
            found = ops.cast(y_pred[..., 0] > (0.0 if self.from_logits else 0.5), "int32")
        else:
            found = ops.cast(ops.argmax(y_pred, axis=-1), "int32")
        labels = ops.cast(y_true, "int32")
        super().update_state(ops.equal(found, labels), sample_weight=ops.cast(labels >= 0, "float32"))
