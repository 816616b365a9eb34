"""Score and loss of a model on the validation split, for searches that try things out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class SeveralScores(ValidationScore):
    """How good a model with several outputs is: its score is that of the first, its loss the sum of all.

    Attributes:
        each: That of each output by name.
    """

    each: Mapping[str, ValidationScore] = field(default_factory=dict)

    def gain(self, before: ValidationScore) -> float:
        """By how much the output that loses most is better than that of another one."""
        assert isinstance(before, SeveralScores)
        return min(one.gain(before.each[name]) for name, one in self.each.items())


@dataclass(frozen=True)
class LabelledOutput:
    """One of several outputs, and how it is judged.

    Attributes:
        labels: As its measure compares them.
        measure: Judges it.
        from_logits: Whether it is raw scores.
        weights: How much each sample counts; once if None.
        counts: What its loss is multiplied with before it is added to those of the others.
    """

    labels: npt.ArrayLike
    measure: Measure = F1
    from_logits: bool = False
    weights: npt.NDArray[np.floating] | None = None
    counts: float = 1.0

    def score(self, outputs: npt.NDArray[np.floating]) -> ValidationScore:
        """How good what a model gives is."""
        true = np.asarray(self.labels)
        return ValidationScore(
            score=self.measure.of(outputs, true, from_logits=self.from_logits, weights=self.weights),
            loss=self.measure.loss(outputs, true, self.from_logits, self.weights),
            measure=self.measure,
        )


def several_validator(
    model: keras.Model,
    features: Any,
    outputs: Mapping[str, LabelledOutput],
    *,
    first: str,
    check: Callable[[], None] = lambda: None,
    inspect: Callable[[str, npt.NDArray[np.floating]], None] = lambda name, outputs: None,
) -> Callable[[], SeveralScores]:
    """As :func:`validator`, for a model with several outputs.

    Args:
        model: The model.
        features: Its inputs: an array, or arrays by the name of the input.
        outputs: How each is judged, in the model's order.
        first: Which of them stands for all.
        check: Called before each batch; what it raises ends the validation.
        inspect: Given the name and the values of each output before they are read.
    """
    import keras
    import tensorflow as tf

    count = len(next(iter(features.values())) if isinstance(features, Mapping) else features)
    predict = tf.function(
        lambda batch: keras.tree.flatten(model(batch, training=False)), autograph=False, reduce_retracing=True
    )

    def validate() -> SeveralScores:
        parts: list[list[npt.NDArray[np.floating]]] = []
        for start in range(0, count, _BATCH):
            check()
            parts.append([one.numpy() for one in predict(_rows(features, slice(start, start + _BATCH)))])
        each = {}
        for (name, one), values in zip(outputs.items(), zip(*parts, strict=True), strict=True):
            joined = np.concatenate(values)
            inspect(name, joined)
            each[name] = one.score(joined)
        loss = sum(one.counts * each[name].loss for name, one in outputs.items())
        return SeveralScores(each[first].score, loss, each[first].measure, each)

    return validate


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

    judged = LabelledOutput(np.asarray(labels), measure, from_logits, weights)
    predict = tf.function(lambda batch: model(batch, training=False), autograph=False, reduce_retracing=True)

    def validate() -> ValidationScore:
        outputs = _outputs(predict, features, len(np.asarray(labels)), check)
        inspect(outputs)
        return judged.score(outputs)

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
