"""From a model's outputs to predictions, and the arithmetic of F1 on confusion counts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.plain.probabilities import probabilities

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]


def to_scores(
    outputs: Floats, classes: int, *, from_logits: bool
) -> tuple[npt.NDArray[np.float32], tuple[Text, ...]]:
    """Turns a model's outputs into one probability per class.

    Args:
        outputs: Shape ``(n, classes)``; or ``(n, 1)`` for two classes, where the value is the
            probability (or logit) of the second one.
        classes: Number of classes of the data.
        from_logits: Whether the outputs are raw scores, which softmax (sigmoid for one column)
            turns into probabilities.

    Returns:
        Probabilities, float32, shape ``(n, classes)``, and warnings. What leaves the range from 0 to 1
        although it is read as a probability is brought into it, its order kept.

    Raises:
        InvalidInput: If the number of outputs does not fit the classes, or values are not finite.
    """
    require_readable(outputs, classes)
    values = np.asarray(outputs, np.float64)
    warnings: tuple[Text, ...] = ()
    if not from_logits and values.size and (values.min() < -0.01 or values.max() > 1.01):
        warnings = (
            say(
                "The model's outputs ({low:.3g} to {high:.3g}) are read as probabilities and leave the range "
                "from 0 to 1.",
                low=float(values.min()),
                high=float(values.max()),
            ),
        )
    return probabilities(values, from_logits=from_logits), warnings


def require_readable(outputs: Floats, classes: int) -> None:
    """Checks that a model's outputs can be read as scores of the classes.

    Raises:
        InvalidInput: If the number of outputs does not fit the classes, or values are not finite.
    """
    values = np.asarray(outputs, np.float64).reshape(len(outputs), -1)
    columns = values.shape[1]
    if columns != classes and not (columns == 1 and classes == 2):
        raise InvalidInput(
            say(
                "The model gives {columns} values per sample, but the data has {classes} classes.",
                columns=columns,
                classes=classes,
            ),
            say("Use a model with one output per class, or with a single output for two classes."),
        )
    broken = int((~np.isfinite(values)).any(axis=1).sum())
    if broken:
        raise InvalidInput(
            say(
                "The model gives NaN or infinity for {broken} of {samples} samples.",
                broken=broken,
                samples=len(values),
            ),
            say("The file is damaged, or its precision is too low for its weights."),
        )


def to_predictions(scores: Floats) -> npt.NDArray[np.int64]:
    """The class with the highest score, shape ``(n,)``; the first one of equals."""
    predictions: npt.NDArray[np.int64] = np.argmax(scores, axis=1).astype(np.int64)
    return predictions


def among(predictions: Integers, judged: Collection[int], classes: int) -> Integers:
    """Predictions of which those of classes that are not measured are the number ``classes``.

    They are misses of the class that was right, and there is no F1 of what was said instead.

    Args:
        predictions: Class indices.
        judged: The classes that are measured; all if empty.
        classes: Number of classes.
    """
    if not judged:
        return predictions
    found: Integers = np.where(np.isin(predictions, list(judged)), predictions, classes)
    return found


def confusion_matrix(labels: Integers, predictions: Integers, classes: int) -> npt.NDArray[np.int64]:
    """Counts, rows are true classes, columns predicted ones, shape ``(classes, classes)``."""
    cells = np.bincount(np.asarray(labels) * classes + np.asarray(predictions), minlength=classes**2)
    return cells.reshape(classes, classes).astype(np.int64)


def macro_f1(true_positives: Floats, labelled: Floats, predicted: Floats) -> Floats:
    """Macro F1, with scikit-learn's definition.

    F1 of a class is ``2 TP / (labelled + predicted)``. As in ``sklearn.metrics.f1_score``, the
    mean is over the classes that occur among the labels or the predictions.

    Args:
        true_positives: Correct predictions of each class, shape ``(..., classes)``.
        labelled: Samples of each class, same shape.
        predicted: Predictions of each class, same shape.

    Returns:
        Shape ``(...)``; 0 where there is no sample at all.
    """
    either = labelled + predicted
    f1 = 2 * true_positives / np.where(either > 0, either, 1)
    result: Floats = f1.sum(axis=-1) / np.maximum((either > 0).sum(axis=-1), 1)
    return result


class RunningF1:
    """Macro F1 of the samples seen so far, from a growing confusion matrix.

    Args:
        classes: Number of classes.
        judged: The classes of the labels, where only some are measured: the mean is over these.
    """

    def __init__(self, classes: int, judged: Collection[int] = ()) -> None:
        self.confusion: npt.NDArray[Any] = np.zeros((classes, classes), np.int64)
        self._judged = np.isin(range(classes), list(judged)) | (not judged)

    def add(self, labels: Integers, predictions: Integers, weights: Floats | None = None) -> float:
        """Adds a batch and gives the macro F1 over all samples so far.

        Args:
            labels: Class indices.
            predictions: Class indices.
            weights: How much each sample counts; once if None.
        """
        classes = len(self.confusion)
        if weights is None:
            self.confusion = self.confusion + confusion_matrix(labels, predictions, classes)
        else:
            cells = np.asarray(labels) * classes + np.asarray(predictions)
            counted = np.bincount(cells, weights, minlength=classes**2).reshape(classes, classes)
            self.confusion = self.confusion + counted
        counts = self.confusion.astype(np.float64)
        predicted = np.where(self._judged, counts.sum(axis=0), 0.0)
        return float(macro_f1(np.diag(counts), counts.sum(axis=1), predicted))


def calibration_error(
    scores: Floats, labels: Integers, bins: int = 15, weights: Floats | None = None
) -> float:
    """Expected calibration error of the predicted class (Guo et al. 2017, arXiv:1706.04599, eq. 3).

    Args:
        scores: Probabilities, shape ``(n, classes)``.
        labels: Class indices, shape ``(n,)``.
        bins: Equal-width bins ``(low, high]`` of the confidence.
        weights: How much each sample counts; once if None.

    Returns:
        Mean gap between confidence and accuracy, weighted by bin size, 0 to 1.
    """
    if not len(labels):
        return 0.0
    counted = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    gaps = counted @ calibration_bins(scores, labels, bins)
    return float(np.abs(gaps).sum() / counted.sum())


def calibration_bins(scores: Floats, labels: Integers, bins: int = 15) -> npt.NDArray[np.float64]:
    """What each sample adds to the gap of its bin, shape ``(n, bins)``; see :func:`calibration_error`.

    Args:
        scores: Probabilities, shape ``(n, classes)``.
        labels: Class indices, shape ``(n,)``.
        bins: Equal-width bins of the confidence.
    """
    confidence = np.asarray(scores, np.float64).max(axis=1)
    right = (to_predictions(scores) == labels).astype(np.float64)
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.zeros((len(confidence), bins))
    gaps[np.arange(len(confidence)), index] = right - confidence
    return gaps
