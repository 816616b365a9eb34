"""What a model's output means, checked against the values that come out on samples of the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset, Features, sample_count, select
from workbench.api.errors import Cancelled, InvalidInput, WorkbenchError
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import JudgedOutput, ModelDescription, RuntimeSettings
from workbench.data.outputs import OutputWish, fits
from workbench.measure.order_reading import labels_in_other_order, read_order
from workbench.measure.other_readings import better_reading, smallest_decides
from workbench.measure.range_choice import cannot_run
from workbench.measure.scores import to_predictions, to_scores
from workbench.measure.single_values import Values
from workbench.measure.task_reading import OutputReading as OutputReading
from workbench.measure.task_reading import read_for_task
from workbench.plain.outputs import plain_name
from workbench.runtimes import runtime

TRIED = 128
"""Samples of the training split, and as many of the validation split, that are looked at."""

_BATCH = 32
_ROUNDING = 1e-3
_SUM_ROUNDING = 0.02

Floats = npt.NDArray[np.float64]


def read_output(
    report: Reporter,
    path: Path,
    home: str,
    settings: RuntimeSettings,
    description: ModelDescription,
    folder: Path,
    wish: OutputWish,
    output: str | None = None,
) -> OutputReading:
    """Runs a model on samples and decides whether its output is probabilities or raw scores.

    What the user said decides; else the operations that make the output, unless the values belie them; else
    the values. The test split is never looked at.

    Args:
        report: Says what is being done.
        path: The model's file.
        home: The runtime that it runs in.
        settings: How; which output is judged.
        description: What the file holds.
        folder: The prepared data.
        wish: What the user said.
        output: Name of a further output of which this is asked, and which the description judges.

    Raises:
        InvalidInput: If the model cannot be run, or what it gives cannot be judged.
    """
    report.stage(say("Looking at the model's output on samples"))
    dataset = Dataset(folder, output)
    classes = dataset.info.classes
    samples, labels = _samples(dataset)
    outputs = _predicted(report, path, home, settings, samples)
    if dataset.info.task != "classification":
        return read_for_task(outputs, labels, dataset.info, description, wish.from_logits)
    # raises where the number of values does not fit, or they are not finite
    to_scores(outputs, len(classes), from_logits=True)
    values = np.asarray(outputs, np.float64).reshape(len(outputs), -1)
    from_logits, reason = _decided(description, wish, values, labels)
    refusal = None
    open_meaning = wish.from_logits is None and description.meaning in ("scores", "unknown")
    name = plain_name(description.judged.name)
    if values.shape[1] > 1 and open_meaning:
        refusal = smallest_decides(name, values, labels)
    elif from_logits and open_meaning:
        # where the order of two classes is open as well, the values may follow them in the other one
        orders = [labels, labels_in_other_order(labels, dataset.info)]
        singles = [Values(name, values[:, 0], one, classes) for one in orders]
        following = next((one for one in singles if one.follow_the_labels), None)
        if following is not None:
            from_logits, reason = False, following.towards_labels()
        else:
            refusal = singles[0].refusal(bounded=description.meaning == "unknown")
    # what has labels of another kind gives no classes, however well its values split these
    otherwise = {one.output for one in Dataset(folder).info.further if one.task != "classification"}
    others = {
        plain_name(spec.name): _predicted(
            report, path, home, settings.model_copy(update={"output": _other(description, position)}), samples
        )
        for position, spec in enumerate(description.outputs)
        if len(description.outputs) > 1
        and position != (description.output or 0)
        and fits(spec, len(classes))
        and plain_name(spec.name) not in otherwise
    }
    predictions = to_predictions(to_scores(values, len(classes), from_logits=from_logits)[0])
    order = read_order(predictions, labels, dataset.info)
    doubts = better_reading(values, labels, classes, from_logits, others)
    if order.doubt is not None:
        doubts = (*doubts, order.doubt)
    return OutputReading(from_logits, reason, doubts, order, refusal)


def _samples(dataset: Dataset) -> tuple[list[Features], npt.NDArray[Any]]:
    """Batches of evenly spread samples of the training and validation splits, and their labels."""
    batches: list[Features] = []
    labels = []
    for split in ("train", "validation"):
        features, every = dataset.x(split), np.asarray(dataset.y(split))
        index = np.unique(np.linspace(0, len(every) - 1, min(TRIED, len(every))).astype(int))
        starts = range(0, len(index), _BATCH)
        batches.extend(select(features, index[start : start + _BATCH]) for start in starts)
        labels.append(every[index])
    return batches, np.concatenate(labels)


def _predicted(
    report: Reporter, path: Path, home: str, settings: RuntimeSettings, samples: list[Features]
) -> npt.NDArray[np.float32]:
    try:
        return _outputs(report, path, home, settings, samples)
    except (WorkbenchError, Cancelled):
        raise
    # a runtime raises whatever its kernels raise
    except Exception as error:
        raise cannot_run(error, samples[0]) from error


def _outputs(
    report: Reporter, path: Path, home: str, settings: RuntimeSettings, samples: list[Features]
) -> npt.NDArray[np.float32]:
    session = runtime(home).load(path, settings)
    try:
        parts = []
        for batch in samples:
            report.check()
            outputs = np.asarray(session.predict(batch))
            if outputs.ndim == 0 or len(outputs) != sample_count(batch):
                raise InvalidInput(
                    say(
                        "The model gives an output of shape {shape} for {count} samples.",
                        shape=str(outputs.shape),
                        count=sample_count(batch),
                    ),
                    say("A classifier gives its values for each sample: the first axis counts the samples."),
                )
            parts.append(outputs.reshape(len(outputs), -1))
    finally:
        session.close()
    joined: npt.NDArray[np.float32] = np.concatenate(parts)
    return joined


def _other(description: ModelDescription, position: int) -> JudgedOutput:
    return JudgedOutput(name=description.outputs[position].name, position=position)


def _decided(
    description: ModelDescription, wish: OutputWish, values: Floats, labels: npt.NDArray[np.int64]
) -> tuple[bool, Text]:
    """Whether the values are raw scores, and the reason in words."""
    name = plain_name(description.judged.name)
    within = bool(values.min() >= -_ROUNDING and values.max() <= 1 + _ROUNDING)
    sums = bool(np.abs(values.sum(axis=1) - 1).max() <= _SUM_ROUNDING)
    told = description.meaning
    if wish.from_logits is not None:
        return wish.from_logits, _said(name, from_logits=wish.from_logits)
    if told == "log probabilities" and values.shape[1] == 1:
        raise InvalidInput(
            say("The model's output {output} is the logarithm of a single probability.", output=name),
            say("Use a model whose output is the probability itself, or the raw score before its sigmoid."),
        )
    if told == "probabilities" and within:
        return False, say(
            'The output "{output}" is read as {meaning}: its last activation and what follows it say so.',
            output=name,
            meaning=say("probabilities"),
        )
    surely = within and (sums if values.shape[1] > 1 else _half_is_better(values, labels))
    if told == "log probabilities":
        return True, say(
            'The output "{output}" is read as {meaning}: it gives logarithms of probabilities, which a '
            "softmax turns back into them.",
            output=name,
            meaning=say("raw scores"),
        )
    if told == "scores" and not surely:
        return True, say(
            'The output "{output}" is read as {meaning}: its last layer has no softmax or sigmoid.',
            output=name,
            meaning=say("raw scores"),
        )
    probabilities = within and (told == "unknown" or surely)
    return not probabilities, say(
        'The output "{output}" is read as {meaning}: its values on {count} samples lie between {low} and '
        "{high}.",
        output=name,
        meaning=say("probabilities") if probabilities else say("raw scores"),
        count=len(values),
        low=f"{values.min():.3g}",
        high=f"{values.max():.3g}",
    )


def _said(name: str, *, from_logits: bool) -> Text:
    return say(
        'The output "{output}" is read as {meaning}: that was asked for.',
        output=name,
        meaning=say("raw scores") if from_logits else say("probabilities"),
    )


def _half_is_better(values: Floats, labels: npt.NDArray[np.int64]) -> bool:
    """Whether one value from 0 to 1 splits the classes at 0.5 at least as well as at 0."""
    half, zero = (float(((values[:, 0] > border) == (labels == 1)).mean()) for border in (0.5, 0.0))
    return half >= zero
