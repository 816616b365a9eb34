"""Quality on the test split, and its paired change against another variant."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.text import Text, say
from workbench.measure.f1_intervals import f1_change_interval, macro_f1_interval
from workbench.measure.proportions import accuracy_change_interval, exact_interval
from workbench.measure.records import (
    ClassQuality,
    Details,
    Flip,
    Interval,
    QualityMeasurement,
    QualityVerdict,
    QualityWord,
)
from workbench.measure.sample_intervals import sample_interval
from workbench.measure.scores import (
    Floats,
    Integers,
    calibration_error,
    confusion_matrix,
    to_predictions,
)

TOLERANCE = 0.01
"""The loss of macro F1 that is accepted unless asked otherwise: one point."""

_ENDLESS = 10_000_000
_Z = 1.959963984540054
_ROUNDING = 1e-9


def quality_measurement(
    *,
    variant: str,
    runtime: str,
    scores: Floats,
    labels: Integers,
    classes: int,
    dataset: str,
    environment: str,
    seed: int = 0,
    warnings: tuple[Text, ...] = (),
    occurring: Collection[int] | None = None,
    weights: Floats | None = None,
    judged: Collection[int] = (),
) -> QualityMeasurement:
    """All quality numbers of one variant; the values are computed by scikit-learn.

    Args:
        variant: Identifier of the variant.
        runtime: Runtime that made the predictions.
        scores: Probabilities, shape ``(n, classes)``.
        labels: Class indices, shape ``(n,)``.
        classes: Number of classes of the data.
        dataset: SHA-256 of the data set.
        environment: Identifier of the machine's environment.
        seed: Seeds the interval of macro F1.
        warnings: What else is to be said of the outputs.
        occurring: The classes of which there are samples in any split; all if None.
        weights: How much each sample counts; once if None. The confusion counts samples all the same.
        judged: The classes of the labels, where only some are measured: all averages are over these.
    """
    from sklearn import metrics

    labels = np.asarray(labels, np.int64)
    predictions = to_predictions(scores)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predictions, labels=range(classes), average=None, zero_division=0, sample_weight=weights
    )
    support = np.bincount(labels, minlength=classes)
    known = slice(None) if weights is None else np.asarray(weights) > 0
    # Without labels=, the averages are over the classes that occur, scikit-learn's default.
    occur = {*labels[known].tolist(), *predictions[known].tolist()}
    averages = {
        kind: metrics.precision_recall_fscore_support(
            labels[known],
            predictions[known],
            labels=sorted(occur.intersection(judged)) or None,
            average=kind,
            zero_division=0,
            sample_weight=None if weights is None else weights[known],
        )
        for kind in ("macro", "micro", "weighted")
    }
    accuracy = _accuracy(predictions == labels, weights, seed)
    counted = np.bincount(labels, weights, minlength=classes)
    # Of a single class that is measured always answering it would be right, whatever the model has learned.
    single = bool(judged) and np.count_nonzero(counted) == 1
    frequent = 1 / classes if single else float(counted.max() / counted.sum())
    near_chance = accuracy.low <= frequent
    if near_chance:
        warnings = (
            *warnings,
            say(
                "The accuracy of {accuracy:.1%} is not clearly above that of guessing ({frequent:.1%}): "
                "check that the data is scaled as in training and that the classes are in the same order.",
                accuracy=accuracy.value,
                frequent=frequent,
            )
            if single
            else say(
                "The accuracy of {accuracy:.1%} is not clearly above that of always answering the most "
                "frequent class ({frequent:.1%}): check that the data is scaled as in training and that the "
                "classes are in the same order.",
                accuracy=accuracy.value,
                frequent=frequent,
            ),
        )
    return QualityMeasurement(
        variant=variant,
        runtime=runtime,
        samples=len(labels),
        accuracy=accuracy,
        f1_macro=macro_f1_interval(
            labels,
            predictions,
            classes,
            seed=seed,
            occurring=occurring,
            weights=weights,
            judged=judged,
        ),
        f1_micro=float(averages["micro"][2]),
        f1_weighted=float(averages["weighted"][2]),
        precision_macro=float(averages["macro"][0]),
        recall_macro=float(averages["macro"][1]),
        per_class=tuple(
            ClassQuality(precision=float(p), recall=float(r), f1=float(f), support=int(s))
            for p, r, f, s in zip(precision, recall, f1, support, strict=True)
        ),
        confusion=_as_tuples(confusion_matrix(labels, predictions, classes)),
        calibration_error=calibration_error(scores, labels, weights=weights),
        near_chance=near_chance,
        dataset=dataset,
        environment=environment,
        warnings=warnings,
    )


def compare_quality(
    variant: str,
    reference: str,
    variant_scores: Floats,
    reference_scores: Floats,
    labels: Integers,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    occurring: Collection[int] | None = None,
    weights: Floats | None = None,
    judged: Collection[int] = (),
) -> QualityVerdict:
    """The change of macro F1 and of accuracy against a reference, paired by test sample.

    Args:
        variant: Identifier of the variant judged.
        reference: Identifier of the variant it is compared with.
        variant_scores: The variant's probabilities, shape ``(n, classes)``.
        reference_scores: The reference's, on the same samples in the same order.
        labels: Class indices, shape ``(n,)``.
        tolerance: The loss that is accepted, as a fraction (0.01 is one point).
        seed: Seeds the interval of the change of macro F1.
        occurring: The classes of which there are samples in any split; all if None. Of one that the test
            split lacks nothing is known, and the interval says so.
        weights: How much each sample counts; once if None. There is no test of McNemar then: it counts
            samples.
        judged: The classes of the labels, where only some are measured.

    Raises:
        ValueError: If the three do not have the same number of samples and classes.
    """
    before, after = _paired_predictions(reference_scores, variant_scores, labels)
    labels = np.asarray(labels, np.int64)
    change = f1_change_interval(
        labels,
        before,
        after,
        variant_scores.shape[1],
        seed=seed,
        occurring=occurring,
        weights=weights,
        judged=judged,
    )
    right_before, right_after = before == labels, after == labels
    only_reference = int((right_before & ~right_after).sum())
    only_variant = int((~right_before & right_after).sum())
    return quality_verdict(
        variant,
        reference,
        change,
        tolerance,
        samples=len(labels),
        changed=int((before != after).sum()) if weights is None else None,
        accuracy_change=accuracy_change_interval(only_reference, only_variant, len(labels))
        if weights is None
        else share_interval(right_after.astype(float) - right_before, weights, (-1.0, 1.0), seed),
        only_reference_right=only_reference,
        only_variant_right=only_variant,
        mcnemar_p=mcnemar(only_reference, only_variant) if weights is None else None,
    )


def quality_verdict(
    variant: str,
    reference: str,
    change: Interval,
    tolerance: float,
    *,
    samples: int,
    changed: int | None,
    **further: Any,
) -> QualityVerdict:
    """The verdict on a change of any task's measure, and how many samples would settle an open one.

    Args:
        variant: Identifier of the variant judged.
        reference: Identifier of what it is compared with.
        change: Variant minus reference, as a fraction.
        tolerance: The loss that is accepted, as a fraction.
        samples: Test samples behind it.
        changed: Samples that are judged otherwise than before; None where samples have weights, and their
            number says little.
        **further: What the task has more to say, by the fields of :class:`QualityVerdict`.
    """
    word = quality_word(change, tolerance)
    needed = samples_needed(change, tolerance, samples, changed) if word == "not proven" else None
    return QualityVerdict(
        variant=variant,
        reference=reference,
        change=change,
        tolerance=tolerance,
        word=word,
        samples_needed=needed,
        **further,
    )


def _accuracy(right: npt.NDArray[np.bool_], weights: Floats | None, seed: int) -> Interval:
    if weights is None:
        return exact_interval(int(right.sum()), len(right))
    return share_interval(right.astype(float), weights, (0.0, 1.0), seed)


def share_interval(values: Floats, weights: Floats, bounds: tuple[float, float], seed: int) -> Interval:
    """The weighted mean of values that lie between bounds, with its 95 % interval.

    Args:
        values: One of each sample.
        weights: How much each counts.
        bounds: The least and the largest value that a sample may have.
        seed: Seeds the draws.
    """
    return sample_interval(
        np.stack([values, np.ones(len(values))], axis=1),
        lambda sums: sums[..., 0] / sums[..., 1],
        seed=seed,
        unseen=np.array([[bounds[0], 1.0], [bounds[1], 1.0]]),
        bounds=bounds,
        weights=weights,
    )


def quality_word(change: Interval, tolerance: float) -> QualityWord:
    """The verdict on a change of F1.

    Args:
        change: Variant minus reference, as a fraction.
        tolerance: The loss that is accepted, as a fraction.
    """
    if change.low >= -tolerance - _ROUNDING:
        return "kept"
    return "lost" if change.high < -tolerance - _ROUNDING else "not proven"


def samples_needed(
    change: Interval, tolerance: float, samples: int, changed: int | None = None
) -> int | None:
    """Further test samples after which a ``not proven`` would be settled, roughly.

    Asked is how many make the interval's nearer end reach ``-tolerance``, if the change stays what it is.
    An interval of many changes shrinks with the square root of the number of samples, one of none with the
    number itself; between them it shrinks as the upper bound of a count does, ``z^2 / 2 + z sqrt(count +
    z^2 / 4)``, divided by the number.

    Args:
        change: Variant minus reference, as a fraction.
        tolerance: The loss that is accepted, as a fraction.
        samples: Test samples that it was measured with.
        changed: How many of their predictions changed; many if None.

    Returns:
        Rounded up to two digits; None if more than ten million would not do.
    """
    gap = abs(change.value + tolerance)
    half = change.value - change.low if change.value >= -tolerance else change.high - change.value
    if gap <= 0 or half <= 0:
        return None
    if changed is None:
        all_samples = samples * (half / gap) ** 2
    else:
        rate = changed / samples
        bound = _Z**2 / 2 + _Z * math.sqrt(changed + _Z**2 / 4)
        wanted = bound / samples * gap / half
        all_samples = _Z**2 * (wanted + rate) / wanted**2
    if all_samples - samples > _ENDLESS:
        return None
    further = max(1, math.ceil(all_samples - samples))
    step = int(10 ** max(0, len(str(further)) - 2))
    return math.ceil(further / step) * step


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided McNemar test (McNemar 1947; binomial form).

    Args:
        only_first: Samples that only the first classifier gets right.
        only_second: Samples that only the second one gets right.

    Returns:
        The probability of a split at least as uneven if both were equally good.
    """
    discordant = only_first + only_second
    term = tail = 1
    for k in range(min(only_first, only_second)):
        term = term * (discordant - k) // (k + 1)
        tail += term
    return min(1.0, 2 * tail / (1 << discordant))


def details(
    variant: str,
    reference: str,
    variant_scores: Floats,
    reference_scores: Floats,
    labels: Integers,
    classes: Sequence[str],
) -> Details:
    """What a variant now gets right and wrong, against another one.

    Args:
        variant: Identifier of the variant looked at.
        reference: Identifier of the variant it is compared with.
        variant_scores: The variant's probabilities, shape ``(n, classes)``.
        reference_scores: The reference's, on the same samples in the same order.
        labels: Class indices, shape ``(n,)``.
        classes: Class names in the order of the labels.

    Returns:
        With the changed samples in this order: became wrong, changed from wrong to wrong, became
        right; each in the order of the data.
    """
    before, after = _paired_predictions(reference_scores, variant_scores, labels)
    labels = np.asarray(labels, np.int64)
    confusion_before = confusion_matrix(labels, before, len(classes))
    confusion_after = confusion_matrix(labels, after, len(classes))
    changed = np.flatnonzero(before != after)
    kind = np.where(before[changed] == labels[changed], 0, np.where(after[changed] == labels[changed], 2, 1))
    return Details(
        variant=variant,
        reference=reference,
        classes=tuple(classes),
        f1_before=_f1_of_classes(confusion_before),
        f1_after=_f1_of_classes(confusion_after),
        confusion_change=_as_tuples(confusion_after - confusion_before),
        flips=tuple(
            Flip(index=int(i), label=int(labels[i]), before=int(before[i]), after=int(after[i]))
            for i in changed[np.argsort(kind, kind="stable")]
        ),
    )


def _f1_of_classes(confusion: npt.NDArray[np.int64]) -> tuple[float, ...]:
    either = confusion.sum(axis=0) + confusion.sum(axis=1)
    return tuple(float(f) for f in 2 * np.diag(confusion) / np.maximum(either, 1))


def _paired_predictions(
    first: Floats, second: Floats, labels: Integers
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    if first.shape != second.shape or len(first) != len(labels) or not len(labels):
        raise ValueError(
            "both scores must have the shape (samples, classes), with one label per sample. "
            f"Received: {first.shape}, {second.shape} and {len(labels)} labels"
        )
    return to_predictions(first), to_predictions(second)


def _as_tuples(matrix: npt.NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(count) for count in row) for row in matrix)
