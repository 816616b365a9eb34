"""What a variant loses on the validation split, looked at only as long as that is open.

For choosing: the test split is for what was chosen.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset
from workbench.api.errors import InvalidInput
from workbench.api.technique import Reporter
from workbench.api.text import say
from workbench.measure.child_tasks import predict_split
from workbench.measure.judges import Judge, judge_of
from workbench.measure.latency import Candidate
from workbench.measure.records import QualityVerdict

Scores = npt.NDArray[np.float32]

FEWEST = 100
"""Samples before which nothing is decided."""
_AGAIN = 2.0
"""A verdict is asked for whenever there are so many times as many samples as for the last."""


class _Settled(Exception):
    """Nothing that further samples could show changes the verdict."""


def validation_scores(
    report: Reporter,
    candidate: Candidate,
    dataset_folder: Path,
    from_logits: bool,
    output: str | None = None,
) -> Scores:
    """Predicts the whole validation split.

    Args:
        report: Progress and cancellation.
        candidate: The file.
        dataset_folder: The prepared data.
        from_logits: Whether the model's output is raw scores.
        output: Name of a further output, which the candidate's settings ask for.
    """
    from workbench.jobs.slot import shared_slot

    dataset = Dataset(dataset_folder, output)
    parts: list[Scores] = []
    count = _count(dataset)

    def on_batch(start: int, stop: int, outputs: Scores) -> None:
        report.check()
        parts.append(outputs)
        report.progress(stop / count)

    with shared_slot(report, say("measuring quality")):
        report.stage(say("Measuring quality on the validation split"))
        predict_split(report, candidate, dataset, on_batch, "validation")
    return _judge(dataset, count, from_logits).answers(np.concatenate(parts))[0]


def judge_on_validation(
    report: Reporter,
    candidate: Candidate,
    reference: str,
    reference_scores: Scores,
    dataset_folder: Path,
    from_logits: bool,
    tolerance: float,
    seed: int,
    output: str | None = None,
) -> tuple[QualityVerdict, int]:
    """The paired change against a reference, on as many validation samples as it takes.

    Args:
        report: Progress and cancellation.
        candidate: The file.
        reference: Identifier of what it is compared with.
        reference_scores: Its answers, as :func:`validation_scores` gave them.
        dataset_folder: The prepared data.
        from_logits: Whether the candidate's output is raw scores.
        tolerance: The loss that is accepted, as a fraction; where the interval excludes it, no further
            samples are predicted.
        seed: Seeds the interval.
        output: Name of a further output, which the candidate's settings ask for.

    Returns:
        The verdict, and of how many samples it is.
    """
    from workbench.jobs.slot import shared_slot

    dataset = Dataset(dataset_folder, output)
    parts: list[Scores] = []
    count = _count(dataset)
    seen, asked = 0, FEWEST / _AGAIN
    counted = dataset.info.counted(np.asarray(dataset.y("validation")))

    def verdict() -> QualityVerdict:
        outputs = np.concatenate(parts)
        before = reference_scores[: len(outputs)]
        judge = _judge(dataset, len(outputs), from_logits, before)
        answers, _ = judge.answers(outputs)
        found = judge.compared(candidate.variant, reference, answers, before, tolerance, seed)
        return found.model_copy(update={"output": output})

    def on_batch(start: int, stop: int, outputs: Scores) -> None:
        nonlocal seen, asked
        report.check()
        parts.append(outputs)
        seen = stop
        report.progress(stop / count)
        if seen < count and seen >= _AGAIN * asked and (not dataset.info.judged or counted[:seen].any()):
            asked = seen
            if verdict().word == "lost":
                raise _Settled

    with shared_slot(report, say("measuring quality")):
        report.stage(say("Measuring quality on the validation split"))
        with suppress(_Settled):
            predict_split(report, candidate, dataset, on_batch, "validation")
        return verdict(), seen


def _count(dataset: Dataset) -> int:
    count = len(dataset.y("validation"))
    if not count:
        raise InvalidInput(say("The validation split has no samples to choose by."))
    return count


def _judge(dataset: Dataset, count: int, from_logits: bool, reference: Scores | None = None) -> Judge:
    """Judges the first so many validation samples, as their task is judged."""
    labels = np.asarray(dataset.y("validation")[:count])
    weights = dataset.weights("validation")
    return judge_of(
        dataset.info,
        labels,
        from_logits=from_logits,
        reference=reference,
        weights=None if weights is None else weights[:count],
    )
