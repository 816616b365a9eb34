"""Judges samples of any number of labels: macro and micro F1 at 0.5, mean average precision."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, listed, say, verbatim
from workbench.jobs.curves import LiveCurve
from workbench.measure.quality import TOLERANCE, quality_verdict
from workbench.measure.records import (
    ChangedSample,
    Details,
    Figure,
    Interval,
    QualityMeasurement,
    QualityVerdict,
)
from workbench.measure.regression import MOST_MOVED, require_finite
from workbench.measure.sample_intervals import OfSums, sample_interval
from workbench.measure.scores import Floats

THRESHOLD = 0.5
_MOST_LABELS = 20
"""Of more labels than these, only the means are given."""


class MultiLabel:
    """Judges several labels of a sample.

    Args:
        info: The data.
        labels: 0 or 1, shape ``(n, labels)``.
        from_logits: Whether outputs are raw scores.
        weights: How much each sample counts; once if None.
    """

    curve = LiveCurve.RUNNING_SCORE

    def __init__(
        self,
        info: DatasetInfo,
        labels: npt.NDArray[np.uint8],
        *,
        from_logits: bool,
        weights: Floats | None = None,
    ) -> None:
        self._info, self._labels, self._from_logits = info, np.asarray(labels) > 0, from_logits
        self._weights = weights

    def answers(self, outputs: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], tuple[Text, ...]]:
        """The probability of each label."""
        values = np.asarray(outputs, np.float64).reshape(len(outputs), -1)
        if values.shape[1] != self._labels.shape[1]:
            raise InvalidInput(
                say(
                    "The model gives {columns} values per sample, but the data has {labels} labels.",
                    columns=values.shape[1],
                    labels=self._labels.shape[1],
                ),
                say("Use a model with one value for each label."),
            )
        require_finite(values)
        warnings: tuple[Text, ...] = ()
        if not self._from_logits and (values.min() < -0.01 or values.max() > 1.01):
            warnings = (
                say(
                    "The model's outputs ({low:.3g} to {high:.3g}) are read as probabilities and leave the "
                    "range from 0 to 1.",
                    low=float(values.min()),
                    high=float(values.max()),
                ),
            )
        shares = 0.5 * (1 + np.tanh(0.5 * values)) if self._from_logits else np.clip(values, 0, 1)
        return shares.astype(np.float32), warnings

    def running(self) -> RunningLabels:
        """Macro F1 so far."""
        return RunningLabels(self._labels, self._weights)

    def measured(
        self,
        answers: Floats,
        *,
        variant: str,
        runtime: str,
        environment: str,
        seed: int = 0,
        warnings: tuple[Text, ...] = (),
    ) -> QualityMeasurement:
        """Macro F1, micro F1 and mean average precision, and F1 of each label."""
        statistics = self._statistics(answers)
        unseen = self._unseen()
        never = [name for place, name in enumerate(self._info.classes) if not self._labels[:, place].any()]
        if never:
            warnings = (
                *warnings,
                say("No test sample has the labels {names}: their F1 counts as 0.", names=tuple(never[:5])),
            )
        return QualityMeasurement(
            variant=variant,
            runtime=runtime,
            samples=len(answers),
            dataset=self._info.sha256,
            environment=environment,
            warnings=warnings,
            task="multi-label",
            value=sample_interval(
                statistics, _macro_f1, seed=seed, unseen=unseen, bounds=(0.0, 1.0), weights=self._weights
            ),
            figures=self._figures(answers, statistics, unseen, seed),
        )

    def _figures(self, answers: Floats, statistics: Floats, unseen: Floats, seed: int) -> tuple[Figure, ...]:
        micro = sample_interval(
            statistics, _micro_f1, seed=seed, unseen=unseen, bounds=(0.0, 1.0), weights=self._weights
        )
        whole = ((answers > THRESHOLD) == self._labels).all(axis=1)
        exact = sample_interval(
            np.stack([whole, np.ones(len(whole))], axis=1).astype(np.float64),
            lambda sums: sums[..., 0] / sums[..., 1],
            seed=seed,
            unseen=np.array([[0.0, 1.0], [1.0, 1.0]]),
            bounds=(0.0, 1.0),
            weights=self._weights,
        )
        found = [
            Figure(key="f1 micro", name=say("F1, micro"), value=micro.value, interval=micro, share=True),
            Figure(
                key="map",
                name=say("Mean average precision"),
                value=self._mean_average_precision(answers),
                share=True,
            ),
            Figure(key="exact", name=say("All labels right"), value=exact.value, interval=exact, share=True),
        ]
        if len(self._info.classes) <= _MOST_LABELS:
            found += [
                Figure(
                    key=f"f1 {name}", name=say("F1 of {label}", label=verbatim(name)), value=value, share=True
                )
                for name, value in zip(self._info.classes, _f1(self._sum(statistics)), strict=True)
            ]
        return tuple(found)

    def _mean_average_precision(self, answers: Floats) -> float:
        """Over the labels that some sample has; scikit-learn's average precision."""
        from sklearn.metrics import average_precision_score

        found = [
            average_precision_score(self._labels[:, label], answers[:, label], sample_weight=self._weights)
            for label in range(self._labels.shape[1])
            if self._counted()[self._labels[:, label]].any()
        ]
        return float(np.mean(found)) if found else 0.0

    def compared(
        self,
        variant: str,
        reference: str,
        answers: Floats,
        before: Floats,
        tolerance: float = TOLERANCE,
        seed: int = 0,
    ) -> QualityVerdict:
        """The paired change of macro F1."""
        first, second = self._statistics(before), self._statistics(answers)
        change = paired_interval(first, second, _macro_f1, self._unseen(), seed, self._weights)
        wrong_before, wrong_after = self._wrong(before), self._wrong(answers)
        return quality_verdict(
            variant,
            reference,
            change,
            tolerance,
            samples=len(answers),
            changed=int((first != second).any(axis=1).sum()) if self._weights is None else None,
            task="multi-label",
            better=int((wrong_after < wrong_before).sum()),
            worse=int((wrong_after > wrong_before).sum()),
        )

    def details(self, variant: str, reference: str, answers: Floats, before: Floats) -> Details:
        """F1 of each label, and the samples of which more labels are wrong now."""
        grown = self._wrong(answers) - self._wrong(before)
        order = np.argsort(-grown, kind="stable")
        return Details(
            variant=variant,
            reference=reference,
            task="multi-label",
            classes=self._info.classes,
            f1_before=tuple(float(one) for one in _f1(self._sum(self._statistics(before)))),
            f1_after=tuple(float(one) for one in _f1(self._sum(self._statistics(answers)))),
            moved=tuple(
                ChangedSample(
                    index=int(index), worse_by=float(grown[index]), note=self._words(answers, before, index)
                )
                for index in order[:MOST_MOVED]
                if grown[index] > 0
            ),
        )

    def _words(self, answers: Floats, before: Floats, index: int) -> Text:
        """Which labels of a sample became wrong."""
        now, then, right = answers[index] > THRESHOLD, before[index] > THRESHOLD, self._labels[index]
        names = np.asarray(self._info.classes, dtype=object)
        missing = tuple(str(name) for name in names[(now != right) & (then == right) & right])
        wrong = tuple(str(name) for name in names[(now != right) & (then == right) & ~right])
        if missing and wrong:
            return say("Lacks {missing} now, has {wrong}", missing=listed(missing), wrong=listed(wrong))
        return say("Lacks {names} now", names=missing) if missing else say("Has {names} now", names=wrong)

    def _counted(self) -> Floats:
        return np.ones(len(self._labels)) if self._weights is None else self._weights

    def _sum(self, statistics: Floats) -> Floats:
        """Over all samples, each as much as it counts."""
        found: Floats = self._counted() @ statistics
        return found

    def _wrong(self, answers: Floats) -> npt.NDArray[np.int64]:
        found: npt.NDArray[np.int64] = ((answers > THRESHOLD) != self._labels).sum(axis=1).astype(np.int64)
        return found

    def _statistics(self, answers: Floats) -> Floats:
        """Of each sample and label: found, had, said, shape ``(n, 3 * labels)``."""
        said = np.asarray(answers) > THRESHOLD
        found: Floats = np.concatenate([said & self._labels, self._labels, said], axis=1).astype(np.float64)
        return found

    def _unseen(self) -> Floats:
        """A further sample of each label: found, missed, or wrongly said."""
        eye, none = np.eye(self._labels.shape[1]), np.zeros((self._labels.shape[1],) * 2)
        found: Floats = np.concatenate(
            [np.hstack([eye, eye, eye]), np.hstack([none, eye, none]), np.hstack([none, none, eye])]
        )
        return found


class RunningLabels:
    """Macro F1 of a growing number of samples.

    Args:
        labels: Of all samples, in the order in which they are predicted.
        weights: How much each sample counts; once if None.
    """

    def __init__(self, labels: npt.NDArray[np.bool_], weights: Floats | None = None) -> None:
        self._labels = labels
        self._weights = np.ones(len(labels)) if weights is None else weights
        self._count = 0
        self._sums = np.zeros(3 * labels.shape[1])

    def add(self, answers: Floats) -> tuple[float, tuple[float, float] | None]:
        """Adds a batch; gives macro F1 so far."""
        batch = slice(self._count, self._count + len(answers))
        right = self._labels[batch]
        said = np.asarray(answers) > THRESHOLD
        self._count += len(answers)
        self._sums += self._weights[batch] @ np.concatenate([said & right, right, said], axis=1)
        return float(_macro_f1(self._sums)), None


def paired_interval(
    first: Floats,
    second: Floats,
    of_sums: OfSums,
    unseen: Floats,
    seed: int,
    weights: Floats | None = None,
) -> Interval:
    """The change of a number over samples, paired by sample, with its 95 % interval.

    Args:
        first: What each sample adds to the sums of the reference.
        second: The same of the variant.
        of_sums: Makes the number.
        unseen: What a sample that nobody has seen may add to either: right first, then what is wrong.
        seed: Seeds the weights.
        weights: How much each sample counts; once if None.
    """
    width = first.shape[1]

    def change(sums: Floats) -> Floats:
        found: Floats = of_sums(sums[..., width:]) - of_sums(sums[..., :width])
        return found

    third = len(unseen) // 3
    right, wrong = unseen[:third], unseen[third : 2 * third]
    # right before and wrong now, and the other way round
    pairs = np.concatenate([np.hstack([right, wrong]), np.hstack([wrong, right])])
    return sample_interval(
        np.concatenate([first, second], axis=1),
        change,
        seed=seed,
        unseen=pairs,
        bounds=(-1.0, 1.0),
        weights=weights,
    )


def _f1(sums: Floats) -> Floats:
    """F1 of each label; 0 where nobody has it and it is never said, as scikit-learn counts labels."""
    found, had, said = np.split(np.asarray(sums), 3, axis=-1)
    either = had + said
    result: Floats = 2 * found / np.where(either > 0, either, 1)
    return result


def _macro_f1(sums: Floats) -> Floats:
    result: Floats = _f1(sums).mean(axis=-1)
    return result


def _micro_f1(sums: Floats) -> Floats:
    found, had, said = (part.sum(axis=-1) for part in np.split(np.asarray(sums), 3, axis=-1))
    either = had + said
    result: Floats = 2 * found / np.where(either > 0, either, 1)
    return result
