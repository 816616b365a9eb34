"""Judges a class for each position of a sample, such as a pixel or a time step: mean IoU, macro F1.

Positions of a sample are no witnesses of their own: intervals are over samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.number_format import count
from workbench.api.text import Text, say, verbatim
from workbench.jobs.curves import LiveCurve
from workbench.measure.multi_label import paired_interval
from workbench.measure.quality import TOLERANCE, quality_verdict
from workbench.measure.records import ChangedSample, Details, Figure, QualityMeasurement, QualityVerdict
from workbench.measure.regression import MOST_MOVED, require_finite
from workbench.measure.sample_intervals import sample_interval
from workbench.measure.scores import Floats, macro_f1

_AT_ONCE = 4_000_000
"""Positions that are counted at a time."""
_MOST_CLASSES = 20

Classes = npt.NDArray[np.int16]


class PerPosition:
    """Judges a class for each position.

    Args:
        info: The data. Positions of classes that are not measured do not count.
        labels: Class indices, shape ``(n, *positions)``; -1 where a position does not count.
        from_logits: Whether a single output of two classes is a raw score.
        weights: How much each sample counts, all of its positions alike; once if None.
    """

    curve = LiveCurve.RUNNING_SCORE

    def __init__(
        self,
        info: DatasetInfo,
        labels: npt.NDArray[np.int64],
        *,
        from_logits: bool,
        weights: Floats | None = None,
    ) -> None:
        labels = np.where(info.counted(labels), labels, -1) if info.judged else labels
        self._info, self._labels, self._from_logits = info, labels, from_logits
        self._weights = weights
        self._classes, self._positions = len(info.classes), labels.shape[1:]

    def answers(self, outputs: npt.NDArray[np.float32]) -> tuple[Classes, tuple[Text, ...]]:
        """The likeliest class of each position."""
        flat = np.asarray(outputs).reshape(len(outputs), -1)
        places = prod(self._positions)
        require_finite(flat)
        if flat.shape[1] == places and self._classes == 2:
            said = flat > (0.0 if self._from_logits else 0.5)
        elif flat.shape[1] == places * self._classes:
            said = flat.reshape(len(flat), places, self._classes).argmax(axis=2)
        else:
            raise InvalidInput(
                say(
                    "The model gives {columns} values per sample, but the data has {classes} classes at "
                    "{places} positions.",
                    columns=flat.shape[1],
                    classes=self._classes,
                    places=places,
                ),
                say("Use a model with one value for each class at every position."),
            )
        answers: Classes = said.astype(np.int16).reshape(len(flat), *self._positions)
        return answers, ()

    def running(self) -> RunningPositions:
        """Mean IoU so far."""
        return RunningPositions(self._labels, self._classes, self._weights, self._info.judged)

    def measured(
        self,
        answers: npt.NDArray[Any],
        *,
        variant: str,
        runtime: str,
        environment: str,
        seed: int = 0,
        warnings: tuple[Text, ...] = (),
    ) -> QualityMeasurement:
        """Mean IoU, macro F1, the share of positions that are right, and IoU of each class."""
        statistics = self._statistics(answers)
        unseen = self._unseen()
        value, f1, right = (
            sample_interval(
                statistics, one, seed=seed, unseen=unseen, bounds=(0.0, 1.0), weights=self._weights
            )
            for one in (_mean_iou, _macro_f1, _share)
        )
        figures = [
            Figure(
                key="f1 macro", name=say("Macro F1 over positions"), value=f1.value, interval=f1, share=True
            ),
            Figure(
                key="accuracy",
                name=say("Positions that are right"),
                value=right.value,
                interval=right,
                share=True,
            ),
        ]
        if self._classes <= _MOST_CLASSES:
            each = _iou(self._sum(statistics))
            figures += [
                Figure(
                    key=f"iou {name}",
                    name=say("IoU of {label}", label=verbatim(name)),
                    value=float(one),
                    share=True,
                )
                for name, one in zip(self._info.classes, each, strict=True)
                if not self._info.judged or name in self._info.judged_classes
            ]
        return QualityMeasurement(
            variant=variant,
            runtime=runtime,
            samples=len(answers),
            dataset=self._info.sha256,
            environment=environment,
            warnings=warnings,
            task="per position",
            value=value,
            figures=tuple(figures),
            classes=self._info.judged_classes,
        )

    def compared(
        self,
        variant: str,
        reference: str,
        answers: npt.NDArray[Any],
        before: npt.NDArray[Any],
        tolerance: float = TOLERANCE,
        seed: int = 0,
    ) -> QualityVerdict:
        """The change of mean IoU, paired by sample."""
        first, second = (self._statistics(one) for one in (before, answers))
        change = paired_interval(first, second, _mean_iou, self._unseen(), seed, self._weights)
        right_before, right_after = (one[:, : self._classes].sum(axis=1) for one in (first, second))
        return quality_verdict(
            variant,
            reference,
            change,
            tolerance,
            samples=len(answers),
            changed=int((first != second).any(axis=1).sum()) if self._weights is None else None,
            task="per position",
            better=int((right_after > right_before).sum()),
            worse=int((right_after < right_before).sum()),
        )

    def details(
        self, variant: str, reference: str, answers: npt.NDArray[Any], before: npt.NDArray[Any]
    ) -> Details:
        """F1 of each class, and the samples of which more positions are wrong now."""
        first, second = (self._statistics(one) for one in (before, answers))
        wrong_before, wrong_after = (
            one[:, self._classes : 2 * self._classes].sum(axis=1) - one[:, : self._classes].sum(axis=1)
            for one in (first, second)
        )
        grown = wrong_after - wrong_before
        order = np.argsort(-grown, kind="stable")
        return Details(
            variant=variant,
            reference=reference,
            task="per position",
            classes=self._info.classes,
            judged=self._info.judged,
            f1_before=tuple(float(one) for one in _f1(self._sum(first))),
            f1_after=tuple(float(one) for one in _f1(self._sum(second))),
            moved=tuple(
                ChangedSample(
                    index=int(index),
                    worse_by=float(grown[index]),
                    note=say(
                        "Wrong positions: {before} → {after}",
                        before=count(int(wrong_before[index])),
                        after=count(int(wrong_after[index])),
                    ),
                )
                for index in order[:MOST_MOVED]
                if grown[index] > 0
            ),
        )

    def _statistics(self, answers: npt.NDArray[Any]) -> Floats:
        return _judged(_statistics(self._labels, answers, self._classes), self._classes, self._info.judged)

    def _sum(self, statistics: Floats) -> Floats:
        """Over all samples, each as much as it counts."""
        weights = np.ones(len(statistics)) if self._weights is None else self._weights
        found: Floats = weights @ statistics
        return found

    def _unseen(self) -> Floats:
        """A further sample of each class, right or wrong at every position."""
        places = float(prod(self._positions))
        eye = places * np.eye(self._classes)
        none, other = np.zeros_like(eye), np.roll(eye, 1, axis=1)
        found: Floats = np.concatenate(
            [np.hstack([eye, eye, eye]), np.hstack([none, eye, other]), np.hstack([none, other, eye])]
        )
        labelled = _judged(found, self._classes, self._info.judged)
        known: Floats = labelled[labelled[:, self._classes : 2 * self._classes].sum(axis=1) > 0]
        return known


class RunningPositions:
    """Mean IoU of a growing number of samples.

    Args:
        labels: Of all samples, in the order in which they are predicted.
        classes: Number of classes.
        weights: How much each sample counts; once if None.
        judged: The classes of the labels, where only some are measured.
    """

    def __init__(
        self,
        labels: npt.NDArray[np.int64],
        classes: int,
        weights: Floats | None = None,
        judged: Sequence[int] = (),
    ) -> None:
        self._labels, self._classes, self._judged = labels, classes, judged
        self._weights = np.ones(len(labels)) if weights is None else weights
        self._count = 0
        self._sums = np.zeros(3 * classes)

    def add(self, answers: npt.NDArray[Any]) -> tuple[float, tuple[float, float] | None]:
        """Adds a batch; gives mean IoU so far."""
        batch = slice(self._count, self._count + len(answers))
        self._count += len(answers)
        found = _statistics(self._labels[batch], answers, self._classes)
        self._sums += self._weights[batch] @ _judged(found, self._classes, self._judged)
        return float(_mean_iou(self._sums)), None


def _statistics(labels: npt.NDArray[Any], answers: npt.NDArray[Any], classes: int) -> Floats:
    """Of each sample and class, positions that are found, labelled, said: shape ``(n, 3 * classes)``."""
    places = max(1, prod(labels.shape[1:]))
    step = max(1, _AT_ONCE // places)
    parts = []
    for start in range(0, len(labels), step):
        right = np.asarray(labels[start : start + step]).reshape(-1, places)
        said = np.asarray(answers[start : start + step]).reshape(-1, places)
        rows = np.arange(len(right))[:, None] * classes
        counts = right >= 0
        size = len(right) * classes
        parts.append(
            np.concatenate(
                [
                    np.bincount((rows + label)[kept], minlength=size).reshape(len(right), classes)
                    for label, kept in ((right, counts & (right == said)), (right, counts), (said, counts))
                ],
                axis=1,
            )
        )
    statistics: Floats = np.concatenate(parts).astype(np.float64)
    return statistics


def _judged(statistics: Floats, classes: int, judged: Sequence[int]) -> Floats:
    """The same for the classes that are measured: what was said of others has no measure of its own."""
    if not judged:
        return statistics
    kept = np.tile(np.isin(range(classes), list(judged)), 3)
    return np.where(kept, statistics, 0.0)


def _iou(sums: Floats) -> Floats:
    found, labelled, said = np.split(np.asarray(sums), 3, axis=-1)
    union = labelled + said - found
    result: Floats = found / np.where(union > 0, union, 1)
    return result


def _mean_iou(sums: Floats) -> Floats:
    """Over the classes that occur among labels or answers, as scikit-learn's Jaccard score."""
    _, labelled, said = np.split(np.asarray(sums), 3, axis=-1)
    occurring = ((labelled + said) > 0).sum(axis=-1)
    result: Floats = _iou(sums).sum(axis=-1) / np.maximum(occurring, 1)
    return result


def _macro_f1(sums: Floats) -> Floats:
    return macro_f1(*np.split(np.asarray(sums), 3, axis=-1))


def _f1(sums: Floats) -> Floats:
    found, labelled, said = np.split(np.asarray(sums), 3, axis=-1)
    either = labelled + said
    result: Floats = 2 * found / np.where(either > 0, either, 1)
    return result


def _share(sums: Floats) -> Floats:
    found, labelled, _ = (part.sum(axis=-1) for part in np.split(np.asarray(sums), 3, axis=-1))
    result: Floats = found / np.maximum(labelled, 1)
    return result
