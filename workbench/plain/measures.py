"""How good a model's answers are, as one number: F1, or what stands in its place in another task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .probabilities import probabilities

Array = npt.NDArray[Any]
_SMALLEST = 1e-7
_SUM_ROUNDING = 1e-2
"""So far the sum of probabilities may be from 1."""


@dataclass(frozen=True)
class Measure:
    """The number that models of a task are compared by, and the loss beside it.

    Attributes:
        name: Such as ``F1``.
        read: Gives the answers that outputs stand for; its second argument says whether these are raw scores.
        rate: Gives the number for labels and answers, and how much each sample counts (once if None).
        loss: Gives the mean loss of outputs, which tells small differences apart: outputs, labels,
            whether the outputs are raw scores, and how much each sample counts.
        higher_is_better: Whether the number is a score; else it is an error.
    """

    name: str
    read: Callable[[Array, bool], Array]
    rate: Callable[..., float]
    loss: Callable[..., float]
    higher_is_better: bool = True

    def of(
        self,
        outputs: npt.ArrayLike,
        labels: npt.ArrayLike,
        *,
        from_logits: bool = False,
        weights: Array | None = None,
    ) -> float:
        """The number for what a model gives.

        Args:
            outputs: Of the model, samples first.
            labels: As the prepared data has them.
            from_logits: Whether the outputs are raw scores.
            weights: How much each sample counts; once if None.
        """
        return self.rate(np.asarray(labels), self.read(np.asarray(outputs), from_logits), weights)

    def gain(self, before: float, after: float) -> float:
        """By how much one number is better than another: of a score the difference, of an error its part."""
        if self.higher_is_better:
            return after - before
        return (before - after) / max(before, _SMALLEST)


def _classes(outputs: Array, from_logits: bool) -> Array:
    """The class of each sample or position; a single value is the score of the second of two classes."""
    if outputs.shape[-1] == 1:
        return np.asarray(outputs[..., 0] > (0.0 if from_logits else 0.5), np.int64)
    return np.asarray(outputs.argmax(-1), np.int64)


def _present(outputs: Array, from_logits: bool) -> Array:
    return np.asarray(outputs > (0.0 if from_logits else 0.5), np.uint8)


def _as_they_are(outputs: Array, from_logits: bool) -> Array:
    return outputs


def _f1(labels: Array, answers: Array, weights: Array | None = None) -> float:
    from sklearn.metrics import f1_score

    if weights is not None:  # what does not count is not there
        labels, answers, weights = labels[weights > 0], answers[weights > 0], weights[weights > 0]
    return float(f1_score(labels, answers, average="macro", zero_division=0.0, sample_weight=weights))


def _mean(values: Array, weights: Array | None) -> float:
    """Over all samples, whatever axes they have."""
    return float(np.average(values.reshape(len(values), -1).mean(axis=1), weights=weights))


def _absolute_error(labels: Array, answers: Array, weights: Array | None = None) -> float:
    return _mean(np.abs(_numbers(labels) - _numbers(answers)), weights)


def _mean_iou(labels: Array, answers: Array, weights: Array | None = None) -> float:
    """Over the classes that occur among labels or answers; positions with a label below 0 do not count."""
    known = labels >= 0
    counted = _everywhere(weights, labels)[known]
    true, found = labels[known].astype(np.int64), answers[known].astype(np.int64)
    count = int(max(true.max(initial=0), found.max(initial=0))) + 1
    both = np.bincount(true[true == found], counted[true == found], minlength=count)
    either = np.bincount(true, counted, minlength=count) + np.bincount(found, counted, minlength=count) - both
    return float((both[either > 0] / either[either > 0]).mean()) if (either > 0).any() else 0.0


def _everywhere(weights: Array | None, labels: Array) -> Array:
    """The weight of each position: that of its sample."""
    each = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    return np.broadcast_to(each.reshape(-1, *[1] * (labels.ndim - 1)), labels.shape)


def _agreement(labels: Array, answers: Array, weights: Array | None = None) -> float:
    """The share of samples with the same class, where these are probabilities; else the mean cosine."""
    true, found = _numbers(labels), _numbers(answers)
    if _are_probabilities(true):
        return _mean(true.argmax(1) == found.argmax(1), weights)
    product = (true * found).sum(1)
    lengths = np.linalg.norm(true, axis=1) * np.linalg.norm(found, axis=1)
    alike = np.where(np.abs(true - found).max(1) == 0, 1.0, 0.0)
    return _mean(np.where(lengths > 0, product / np.where(lengths > 0, lengths, 1), alike), weights)


def _are_probabilities(values: Array) -> bool:
    """Whether each row is a share for each of several classes, up to rounding."""
    if values.shape[1] < 2 or not values.size:
        return False
    within = values.min() >= -_SUM_ROUNDING and values.max() <= 1 + _SUM_ROUNDING
    return bool(within and np.abs(values.sum(1) - 1).max() <= _SUM_ROUNDING)


def _numbers(values: Array) -> Array:
    """One row for each sample."""
    return np.asarray(values, np.float64).reshape(len(values), -1)


def _cross_entropy(outputs: Array, labels: Array, from_logits: bool, weights: Array | None = None) -> float:
    """Mean of the classes, in nats; positions with a label below 0 do not count."""
    scores = probabilities(outputs.reshape(-1, outputs.shape[-1]), from_logits=from_logits)
    true = labels.reshape(-1)
    rows = np.flatnonzero(true >= 0)
    losses = -np.log(np.clip(scores[rows, true[rows]], _SMALLEST, 1))
    return float(np.average(losses, weights=_everywhere(weights, labels).reshape(-1)[rows]))


def _binary_cross_entropy(
    outputs: Array, labels: Array, from_logits: bool, weights: Array | None = None
) -> float:
    pairs = probabilities(outputs.reshape(-1, 1), from_logits=from_logits)
    right = pairs[np.arange(len(pairs)), labels.reshape(-1).astype(np.int64)]
    return _mean(-np.log(np.clip(right, _SMALLEST, 1)).reshape(labels.shape), weights)


def _squared_error(outputs: Array, labels: Array, from_logits: bool, weights: Array | None = None) -> float:
    return _mean(np.square(_numbers(labels) - _numbers(outputs)), weights)


F1 = Measure("F1", _classes, _f1, _cross_entropy)
"""Of one class for each sample: macro F1, as scikit-learn defines it."""
MAE = Measure("MAE", _as_they_are, _absolute_error, _squared_error, higher_is_better=False)
"""Of numbers: mean absolute error."""
LABELS_F1 = Measure("macro F1", _present, _f1, _binary_cross_entropy)
"""Of labels that are each there or not: macro F1 over the labels, as scikit-learn defines it."""
MEAN_IOU = Measure("mIoU", _classes, _mean_iou, _cross_entropy)
"""Of one class for each position: mean intersection over union."""
AGREEMENT = Measure("agreement", _as_they_are, _agreement, _squared_error)
"""Of answers that are compared with those of another model, in place of labels."""

MEASURES = {
    "classification": F1,
    "regression": MAE,
    "multi-label": LABELS_F1,
    "per position": MEAN_IOU,
    "agreement": AGREEMENT,
}
"""By task."""
