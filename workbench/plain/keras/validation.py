"""F1 and loss of a classifier on the validation split, for searches that try things out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..probabilities import probabilities

if TYPE_CHECKING:
    import keras

_BATCH = 256


@dataclass(frozen=True)
class ValidationScore:
    """How good a model is on the validation split.

    Attributes:
        f1: Macro F1, 0 to 1, as scikit-learn defines it.
        loss: Mean cross-entropy in nats.
    """

    f1: float
    loss: float


def validator(
    model: keras.Model,
    features: Any,
    labels: npt.ArrayLike,
    *,
    from_logits: bool,
    check: Callable[[], None] = lambda: None,
    inspect: Callable[[npt.NDArray[np.floating]], None] = lambda outputs: None,
) -> Callable[[], ValidationScore]:
    """Compiles a model once; each call of the result validates it with the weights that it has then.

    Args:
        model: A classifier with one output.
        features: Its inputs: an array, or arrays by the name of the input.
        labels: Number of the class of each sample.
        from_logits: Whether the outputs are raw scores.
        check: Called before each batch; what it raises ends the validation.
        inspect: Given all outputs before they are read.
    """
    import tensorflow as tf
    from sklearn.metrics import f1_score

    numbers = np.asarray(labels)
    predict = tf.function(lambda batch: model(batch, training=False), autograph=False, reduce_retracing=True)

    def validate() -> ValidationScore:
        parts = []
        for start in range(0, len(numbers), _BATCH):
            check()
            parts.append(np.asarray(predict(_rows(features, slice(start, start + _BATCH)))))
        outputs = np.concatenate(parts)
        inspect(outputs)
        scores = probabilities(outputs, from_logits=from_logits)
        right = np.clip(scores[np.arange(len(numbers)), numbers], 1e-7, 1)
        return ValidationScore(
            f1=float(f1_score(numbers, scores.argmax(axis=1), average="macro", zero_division=0.0)),
            loss=float(-np.log(right).mean()),
        )

    return validate


def _rows(features: Any, rows: slice) -> Any:
    if isinstance(features, Mapping):
        return {name: np.asarray(array[rows]) for name, array in features.items()}
    return np.asarray(features[rows])
