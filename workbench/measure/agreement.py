"""Judges answers without labels: how far they agree with those of the baseline.

Where the baseline gives probabilities of classes, agreement is the share of samples with the same class;
elsewhere it is the cosine between the two outputs of a sample.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import DatasetInfo
from workbench.api.number_format import score
from workbench.api.text import Text, say
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
from workbench.measure.regression import MOST_MOVED, mean_interval, require_finite
from workbench.measure.sample_intervals import sample_interval
from workbench.measure.scores import Floats

_SUM_ROUNDING = 1e-2
_SMALLEST = 1e-7


class Agreement:
    """Judges outputs by those of the baseline.

    Args:
        info: The data.
        reference: What the baseline answers to the same samples; None where it is itself what is judged.
        weights: How much each sample counts; once if None.
    """

    curve = LiveCurve.RUNNING_SCORE

    def __init__(self, info: DatasetInfo, reference: Floats | None, weights: Floats | None = None) -> None:
        self._info, self._reference, self._weights = info, reference, weights

    def answers(self, outputs: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], tuple[Text, ...]]:
        """The values of the output as they come."""
        flat = np.asarray(outputs, np.float32).reshape(len(outputs), -1)
        require_finite(flat)
        return flat, ()

    def running(self) -> RunningAgreement:
        """The agreement so far."""
        return RunningAgreement(self._reference, self._weights)

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
        """Agreement, with the cosine, the signal-to-noise ratio and the largest error beside it."""
        before = answers if self._reference is None else self._reference
        return QualityMeasurement(
            variant=variant,
            runtime=runtime,
            samples=len(answers),
            dataset=self._info.sha256,
            environment=environment,
            warnings=warnings,
            task="agreement",
            value=_interval(before, answers, seed, self._weights),
            figures=_figures(before, answers, seed, self._weights),
        )

    def compared(
        self,
        variant: str,
        reference: str,
        answers: Floats,
        before: Floats,
        tolerance: float = TOLERANCE,
        seed: int = 0,
    ) -> QualityVerdict:
        """How much is missing to full agreement with a reference."""
        agreed = _interval(before, answers, seed, self._weights)
        change = Interval(value=agreed.value - 1, low=agreed.low - 1, high=agreed.high - 1)
        changed = int((_agreeing(before, answers) < 1).sum())
        return quality_verdict(
            variant,
            reference,
            change,
            tolerance,
            samples=len(answers),
            changed=changed if self._weights is None else None,
            task="agreement",
            worse=changed,
        )

    def details(self, variant: str, reference: str, answers: Floats, before: Floats) -> Details:
        """The samples that agree least."""
        found = _cosines(before, answers) if not gives_classes(before) else _shared(before, answers)
        order = [int(index) for index in np.argsort(found, kind="stable")[:MOST_MOVED] if found[index] < 1]
        return Details(
            variant=variant,
            reference=reference,
            task="agreement",
            moved=tuple(
                ChangedSample(
                    index=index,
                    worse_by=float(1 - found[index]),
                    note=say("Agrees by {share}", share=score(float(found[index]))),
                )
                for index in order
            ),
        )


class RunningAgreement:
    """The agreement of a growing number of samples.

    Args:
        reference: What the baseline answers to all of them; None where it is judged itself.
        weights: How much each sample counts; once if None.
    """

    def __init__(self, reference: Floats | None, weights: Floats | None = None) -> None:
        self._reference, self._weights = reference, weights
        self._found: list[Floats] = []
        self._count = 0

    def add(self, answers: Floats) -> tuple[float, tuple[float, float] | None]:
        """Adds a batch; gives the mean so far."""
        if self._reference is None:
            return 1.0, None
        before = self._reference[self._count : self._count + len(answers)]
        self._count += len(answers)
        self._found.append(_agreeing(before, answers, classes=gives_classes(self._reference)))
        every = np.concatenate(self._found)
        weights = None if self._weights is None else self._weights[: len(every)]
        if weights is not None and not weights.any():
            weights = None
        return float(np.average(every, weights=weights)), None


def gives_classes(outputs: Floats) -> bool:
    """Whether outputs are probabilities of classes: between 0 and 1, and each row adds up to 1."""
    values = np.asarray(outputs, np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        return False
    within = bool(values.min() >= -_SUM_ROUNDING and values.max() <= 1 + _SUM_ROUNDING)
    return within and bool(np.abs(values.sum(axis=1) - 1).max() <= _SUM_ROUNDING)


def _agreeing(before: Floats, answers: Floats, *, classes: bool | None = None) -> Floats:
    """How far each sample agrees, at most 1."""
    if gives_classes(before) if classes is None else classes:
        same: Floats = (before.argmax(axis=1) == answers.argmax(axis=1)).astype(np.float64)
        return same
    return _cosines(before, answers)


def _interval(before: Floats, answers: Floats, seed: int, weights: Floats | None) -> Interval:
    agreeing = _agreeing(before, answers)
    statistics = np.stack([agreeing, np.ones(len(agreeing))], axis=1)
    # Classes agree or do not: what was never seen to differ still may. Of a cosine what was seen is enough.
    unseen = np.array([[0.0, 1.0]]) if gives_classes(before) and before is not answers else None
    return sample_interval(
        statistics,
        lambda sums: sums[..., 0] / sums[..., 1],
        seed=seed,
        unseen=unseen,
        bounds=(-1.0, 1.0),
        weights=weights,
    )


def _figures(before: Floats, answers: Floats, seed: int, weights: Floats | None) -> tuple[Figure, ...]:
    before, answers = np.asarray(before, np.float64), np.asarray(answers, np.float64)
    cosines = _cosines(before, answers)
    errors = answers - before
    largest = float(np.abs(errors).max(initial=0))
    mean = sample_interval(
        np.stack([cosines, np.ones(len(cosines))], axis=1),
        lambda sums: sums[..., 0] / sums[..., 1],
        seed=seed,
        bounds=(-1.0, 1.0),
        weights=weights,
    )
    found = [Figure(key="cosine", name=say("Cosine"), value=mean.value, interval=mean, share=True)]
    if largest > 0 and np.abs(before).max(initial=0) > 0:
        squares = np.stack([(before**2).sum(axis=1), (errors**2).sum(axis=1)], axis=1)
        ratio = sample_interval(
            squares,
            lambda sums: 10 * np.log10(np.maximum(sums[..., 0], 1e-300) / sums[..., 1]),
            seed=seed,
            weights=weights,
        )
        found.append(
            Figure(key="snr", name=say("Signal-to-noise ratio, dB"), value=ratio.value, interval=ratio)
        )
    if gives_classes(before):
        divergence = mean_interval(_divergences(before, answers), seed=seed, weights=weights)
        found.append(
            Figure(
                key="kl", name=say("Kullback-Leibler divergence"), value=divergence.value, interval=divergence
            )
        )
    found.append(Figure(key="largest error", name=say("Largest error"), value=largest))
    return tuple(found)


def _cosines(before: Floats, answers: Floats) -> Floats:
    """The cosine of each sample; 1 where both are zero."""
    before, answers = np.asarray(before, np.float64), np.asarray(answers, np.float64)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(answers, axis=1)
    both = (np.abs(before).max(axis=1, initial=0) == 0) & (np.abs(answers).max(axis=1, initial=0) == 0)
    inner = (before * answers).sum(axis=1)
    cosines = np.where(lengths > 0, inner / np.where(lengths > 0, lengths, 1), 0.0)
    same = (before == answers).all(axis=1)
    found: Floats = np.where(both | same, 1.0, np.clip(cosines, -1, 1))
    return found


def _shared(before: Floats, answers: Floats) -> Floats:
    """How much of their probability two answers share: 1 where they are alike."""
    found: Floats = np.minimum(before, answers).sum(axis=1).astype(np.float64)
    return np.minimum(found, 1.0)


def _divergences(before: Floats, answers: Floats) -> Floats:
    """Kullback-Leibler divergence of each answer from the baseline's, in nats, at least 0."""
    p, q = (np.maximum(one, _SMALLEST) for one in (before, answers))
    p, q = p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True)
    found: Floats = np.maximum((p * np.log(p / q)).sum(axis=1), 0)
    return found
