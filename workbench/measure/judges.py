"""How the answers of each task are judged: one object with the same questions for all of them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.jobs.curves import LiveCurve
from workbench.measure.quality import TOLERANCE, compare_quality, details, quality_measurement
from workbench.measure.records import Details, QualityMeasurement, QualityVerdict
from workbench.measure.running import RunningInterval
from workbench.measure.scores import to_predictions, to_scores

Answers = npt.NDArray[Any]
"""What a variant answers to each sample, as it is kept with its quality: probabilities, numbers, classes."""


Weights = npt.NDArray[np.floating]


def scores_key(output: str | None) -> str:
    """Under which name the answers of an output are kept with the quality of a variant.

    Args:
        output: The key of a further output; None for the first.
    """
    return "scores" if output is None else f"scores.{output}"


class Running(Protocol):
    """The measure of a growing number of samples."""

    def add(self, answers: Answers) -> tuple[float, tuple[float, float] | None]:
        """Adds a batch; gives the measure so far, and the ends of its interval if there was time for it."""


class Judge(Protocol):
    """Judges answers to the samples of one split."""

    curve: LiveCurve
    """The live curve of an evaluation."""

    def answers(self, outputs: npt.NDArray[np.float32]) -> tuple[Answers, tuple[Text, ...]]:
        """What a model's outputs ``(n, values)`` answer, and what is to be said of them.

        Raises:
            InvalidInput: If they cannot be read.
        """

    def running(self) -> Running:
        """The measure while samples are predicted, in their order."""

    def measured(
        self,
        answers: Answers,
        *,
        variant: str,
        runtime: str,
        environment: str,
        seed: int = 0,
        warnings: tuple[Text, ...] = (),
    ) -> QualityMeasurement:
        """All quality numbers of a variant."""

    def compared(
        self,
        variant: str,
        reference: str,
        answers: Answers,
        before: Answers,
        tolerance: float = TOLERANCE,
        seed: int = 0,
    ) -> QualityVerdict:
        """The paired change against a reference."""

    def details(self, variant: str, reference: str, answers: Answers, before: Answers) -> Details:
        """What a variant now answers better and worse."""


class Classification:
    """Judges one class of a sample.

    Args:
        info: The data. Samples of classes that are not measured are left out.
        labels: Class indices of the split, shape ``(n,)``.
        from_logits: Whether outputs are raw scores.
        weights: How much each sample counts; once if None.
    """

    curve = LiveCurve.RUNNING_F1

    def __init__(
        self,
        info: DatasetInfo,
        labels: npt.NDArray[np.int64],
        *,
        from_logits: bool,
        weights: Weights | None = None,
    ) -> None:
        labels = np.asarray(labels)
        self._counted = info.counted(labels)
        if not (self._counted if weights is None else self._counted & (weights > 0)).any():
            raise InvalidInput(
                say("None of {count} samples that count is of a class that is measured.", count=len(labels))
                if weights is not None
                else say("None of {count} samples is of a class that is measured.", count=len(labels)),
                say("Choose more samples, or more classes."),
            )
        self._info, self._labels, self._from_logits = info, labels[self._counted], from_logits
        self._weights = None if weights is None else weights[self._counted]
        self._classes = len(info.classes)

    def answers(self, outputs: npt.NDArray[np.float32]) -> tuple[Answers, tuple[Text, ...]]:
        """Probabilities of the classes."""
        return to_scores(outputs, self._classes, from_logits=self._from_logits)

    def running(self) -> Running:
        """Macro F1 so far."""
        info = self._info
        found = RunningInterval(self._labels, self._classes, info.occurring, self._weights, info.judged)
        return _RunningClasses(found, self._counted)

    def measured(
        self,
        answers: Answers,
        *,
        variant: str,
        runtime: str,
        environment: str,
        seed: int = 0,
        warnings: tuple[Text, ...] = (),
    ) -> QualityMeasurement:
        """See :func:`workbench.measure.quality.quality_measurement`."""
        return quality_measurement(
            variant=variant,
            runtime=runtime,
            scores=answers[self._counted],
            labels=self._labels,
            classes=self._classes,
            dataset=self._info.sha256,
            environment=environment,
            seed=seed,
            warnings=warnings,
            occurring=self._info.occurring,
            weights=self._weights,
            judged=self._info.judged,
        ).model_copy(update={"classes": self._info.judged_classes})

    def compared(
        self,
        variant: str,
        reference: str,
        answers: Answers,
        before: Answers,
        tolerance: float = TOLERANCE,
        seed: int = 0,
    ) -> QualityVerdict:
        """See :func:`workbench.measure.quality.compare_quality`."""
        return compare_quality(
            variant,
            reference,
            answers[self._counted],
            before[self._counted],
            self._labels,
            tolerance=tolerance,
            seed=seed,
            occurring=self._info.occurring,
            weights=self._weights,
            judged=self._info.judged,
        )

    def details(self, variant: str, reference: str, answers: Answers, before: Answers) -> Details:
        """See :func:`workbench.measure.quality.details`."""
        counted = self._counted
        found = details(
            variant, reference, answers[counted], before[counted], self._labels, self._info.classes
        )
        places = np.flatnonzero(counted)
        flips = tuple(flip.model_copy(update={"index": int(places[flip.index])}) for flip in found.flips)
        return found.model_copy(update={"flips": flips, "judged": self._info.judged})


class _RunningClasses:
    def __init__(self, running: RunningInterval, counted: npt.NDArray[np.bool_]) -> None:
        self._running, self._counted = running, counted
        self._seen = 0

    def add(self, answers: Answers) -> tuple[float, tuple[float, float] | None]:
        counted = self._counted[self._seen : self._seen + len(answers)]
        self._seen += len(answers)
        return self._running.add(to_predictions(answers)[counted])


def judge_of(
    info: DatasetInfo,
    labels: npt.NDArray[Any],
    *,
    from_logits: bool = False,
    reference: Answers | None = None,
    weights: Weights | None = None,
) -> Judge:
    """What judges answers to the samples that have these labels.

    Args:
        info: The data: its task decides.
        labels: Of the split, as :meth:`workbench.api.dataset.Dataset.y` gives them.
        from_logits: Whether a model's outputs are raw scores; answers that are stored are not.
        reference: What the baseline answers, where there are no labels; None for the baseline itself.
        weights: How much each sample counts, as :meth:`workbench.api.dataset.Dataset.weights` gives it; once
            if None.
    """
    if info.task == "multi-label":
        from workbench.measure.multi_label import MultiLabel

        return MultiLabel(info, labels, from_logits=from_logits, weights=weights)
    if info.task == "per position":
        from workbench.measure.per_position import PerPosition

        return PerPosition(info, labels, from_logits=from_logits, weights=weights)
    if info.task == "agreement":
        from workbench.measure.agreement import Agreement

        return Agreement(info, reference, weights)
    if info.task == "regression":
        from workbench.measure.regression import Regression

        return Regression(info, labels, weights)
    return Classification(info, labels, from_logits=from_logits, weights=weights)
