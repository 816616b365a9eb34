"""Measurements as they run in worker processes: each takes the reporter first, and its own slot.

Latency takes the machine for itself; the others share it. So a caller holds no shared slot.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset
from workbench.api.errors import InvalidInput
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.measure import environment as machine
from workbench.measure.child_tasks import peak_memory, predict_split
from workbench.measure.judges import Answers, judge_of
from workbench.measure.latency import Candidate
from workbench.measure.records import (
    Environment,
    QualityMeasurement,
    SizeMeasurement,
)
from workbench.measure.size import measure_size
from workbench.models.converting.memory import release_after


def measure_quality(
    report: Reporter,
    candidate: Candidate,
    dataset_folder: Path,
    from_logits: bool,
    environment: Environment | None = None,
    seed: int = 0,
    doubts: tuple[Text, ...] = (),
    reference: Answers | None = None,
    output: str | None = None,
) -> tuple[QualityMeasurement, Answers]:
    """Predicts the test split in the runtime that is timed, and judges the predictions.

    A runtime without TensorFlow predicts in a fresh process, so that a hostile file ends only
    that. One with TensorFlow predicts in this process, which has imported it already.

    Args:
        report: Progress, the live curve of the task's measure over samples, cancellation.
        candidate: The file.
        dataset_folder: The prepared data.
        from_logits: Whether the model's output is raw scores.
        environment: The machine's; taken here if None.
        seed: Seeds the intervals.
        doubts: What speaks for another reading of the output; kept as warnings.
        reference: What the baseline answers, where there are no labels to judge by.
        output: Name of a further output, which the candidate's settings ask for; no curve is drawn then.

    Returns:
        The measurement, and what was answered: probabilities, float32, shape ``(n, classes)``, of a
        classification; else see :mod:`workbench.measure.judges`.

    Raises:
        InvalidInput: If the file cannot be run, or its outputs do not fit the data.
    """
    from workbench.jobs.slot import shared_slot

    dataset = Dataset(dataset_folder, output)
    labels = np.asarray(dataset.y("test"))
    if not len(labels):
        raise InvalidInput(say("The test split has no samples to measure with."))
    judge = judge_of(
        dataset.info,
        labels,
        from_logits=from_logits,
        reference=reference,
        weights=dataset.weights("test"),
    )
    running = judge.running()
    parts: list[Answers] = []
    # The scores of each class at every position are many times what is answered.
    at_once = dataset.info.task == "per position"

    def on_batch(start: int, stop: int, outputs: npt.NDArray[np.float32]) -> None:
        report.check()
        answered = judge.answers(outputs)[0]
        parts.append(answered if at_once else outputs)
        so_far, interval = running.add(answered)
        if stop < len(labels) and output is None:  # the last point is that of the measurement
            report.metric(judge.curve, stop, so_far, interval)
        report.progress(stop / len(labels))

    with shared_slot(report, say("measuring quality")):
        report.stage(say("Measuring quality"))
        predict_split(report, candidate, dataset, on_batch)
        release_after(candidate.path)  # its times are taken in a process of their own, beside this one
        # All at once: whether values can be probabilities is seen in all of them together.
        joined = np.concatenate(parts)
        answers, warnings = (joined, ()) if at_once else judge.answers(joined)
        measurement = judge.measured(
            answers,
            variant=candidate.variant,
            runtime=candidate.runtime,
            environment=(environment or machine.environment()).id,
            seed=seed,
            warnings=(*doubts, *warnings),
        )
    judged = measurement.measured
    if output is None:
        report.metric(judge.curve, len(labels), judged.value, (judged.low, judged.high))
    report.progress(1.0)
    return measurement.model_copy(update={"output": output}), answers


def measure_size_task(
    report: Reporter,
    candidate: Candidate,
    parameters: int,
    dataset_folder: Path,
    known: SizeMeasurement | None = None,
) -> SizeMeasurement:
    """The three sizes of a file, and the memory that it takes to run.

    Args:
        report: Progress and cancellation.
        candidate: The file.
        parameters: Number of weights.
        dataset_folder: The prepared data; one batch of it is inferred.
        known: Its sizes, where only the memory is not known yet.

    Raises:
        InvalidInput: If there is no such file, or it cannot be run.
    """
    from workbench.jobs.slot import shared_slot

    with shared_slot(report, say("measuring size")):
        report.stage(say("Measuring size"))
        peak = peak_memory(report, candidate, dataset_folder)
        report.progress(0.5)
        if known is None:
            size = measure_size(candidate.path, parameters, peak, report.check)
        else:
            size = known.model_copy(update={"peak_memory_bytes": peak})
    report.progress(1.0)
    return size
