"""Score and loss of a model on the validation split, for searches that try things out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..measures import F1, Measure

if TYPE_CHECKING:
    import keras

_BATCH = 256


@dataclass(frozen=True)
class ValidationScore:
    """How good a model is on the validation split.

    Attributes:
        score: Of a classifier macro F1, 0 to 1, as scikit-learn defines it; else as the measure has it.
        loss: Of a classifier the mean cross-entropy in nats; else as the measure has it.
        measure: What the score is.
    """

    score: float
    loss: float
    measure: Measure = F1

    def gain(self, before: ValidationScore) -> float:
        """By how much it is better than another one; see :meth:`plain.measures.Measure.gain`."""
        return self.measure.gain(before.score, self.score)


def validator(
    model: keras.Model,
    features: Any,
    labels: npt.ArrayLike,
    *,
    measure: Measure = F1,
    from_logits: bool,
    weights: npt.NDArray[np.floating] | None = None,
    check: Callable[[], None] = lambda: None,
    inspect: Callable[[npt.NDArray[np.floating]], None] = lambda outputs: None,
) -> Callable[[], ValidationScore]:
    """Compiles a model once; each call of the result validates it with the weights that it has then.

    Args:
        model: A model with one output.
        features: Its inputs: an array, or arrays by the name of the input.
        labels: Of a classifier the number of the class of each sample; else as the measure compares them.
        measure: Judges the outputs.
        from_logits: Whether the outputs are raw scores.
        weights: How much each sample counts; once if None.
        check: Called before each batch; what it raises ends the validation.
        inspect: Given all outputs before they are read.
    """
    import tensorflow as tf

    true = np.asarray(labels)
    predict = tf.function(lambda batch: model(batch, training=False), autograph=False, reduce_retracing=True)

    def validate() -> ValidationScore:
        outputs = _outputs(predict, features, len(true), check)
        inspect(outputs)
        return ValidationScore(
            score=measure.of(outputs, true, from_logits=from_logits, weights=weights),
            loss=measure.loss(outputs, true, from_logits, weights),
            measure=measure,
        )

    return validate


def answers(
    model: keras.Model, features: Any, check: Callable[[], None] = lambda: None
) -> npt.NDArray[np.floating]:
    """What a model gives, to be compared with later where there are no labels.

    Args:
        model: A model with one output.
        features: Its inputs: an array, or arrays by the name of the input.
        check: Called before each batch; what it raises ends the work.
    """
    count = len(next(iter(features.values())) if isinstance(features, Mapping) else features)
    return _outputs(lambda batch: model(batch, training=False), features, count, check)


def _outputs(
    predict: Callable[[Any], Any], features: Any, count: int, check: Callable[[], None]
) -> npt.NDArray[np.floating]:
    parts = []
    for start in range(0, count, _BATCH):
        check()
        parts.append(np.asarray(predict(_rows(features, slice(start, start + _BATCH)))))
    return np.concatenate(parts)


def _rows(features: Any, rows: slice) -> Any:
    if isinstance(features, Mapping):
        return {name: np.asarray(array[rows]) for name, array in features.items()}
    return np.asarray(features[rows])
