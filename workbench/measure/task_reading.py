"""How the output of a model is read whose answers are no classes of samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.number_format import digits
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.measure.judges import judge_of
from workbench.measure.order_reading import OrderReading
from workbench.measure.regression import require_finite
from workbench.plain.outputs import plain_name

_ROUNDING = 1e-3
_FOLLOWS = 0.5
"""An output that explains so much of a target after a change of unit and offset is in another unit."""


@dataclass(frozen=True)
class OutputReading:
    """How a model's output is read.

    Attributes:
        from_logits: Whether it is raw scores (True) or probabilities (False).
        reason: How it is read and why.
        doubts: What speaks for another reading, with both accuracies.
        order: In which order the classes are, where their names leave that open.
        refusal: Why the values can be neither, if so: said unless the samples were in a wrong range.
    """

    from_logits: bool
    reason: Text
    doubts: tuple[Text, ...]
    order: OrderReading = field(default_factory=OrderReading)
    refusal: InvalidInput | None = None


def read_for_task(
    outputs: npt.NDArray[np.float32],
    labels: npt.NDArray[Any],
    info: DatasetInfo,
    description: ModelDescription,
    wanted: bool | None,
) -> OutputReading:
    """How an output is read, from what it gives on samples.

    Args:
        outputs: Of samples of the training and validation splits, shape ``(n, values)``.
        labels: Of the same.
        info: The data.
        description: What the file holds.
        wanted: Whether the user said that they are raw scores.

    Raises:
        InvalidInput: If the values do not fit the labels, or are not finite.
    """
    name = plain_name(description.judged.name)
    require_finite(outputs)
    if info.task == "agreement":
        reason = say(
            'The output "{output}" is compared with what the baseline gives: {count} values of each sample.',
            output=name,
            count=outputs.shape[1],
        )
        return OutputReading(False, reason, ())
    if info.task in ("multi-label", "per position"):
        return _scores(name, outputs, labels, info, description, wanted)
    return _numbers(name, np.asarray(outputs, np.float64), np.asarray(labels, np.float64))


def _scores(
    name: str,
    outputs: npt.NDArray[np.float32],
    labels: npt.NDArray[Any],
    info: DatasetInfo,
    description: ModelDescription,
    wanted: bool | None,
) -> OutputReading:
    """Whether values are raw scores: what was asked for, else what the operations tell, else the values."""
    within = bool(outputs.min() >= -_ROUNDING and outputs.max() <= 1 + _ROUNDING)
    if wanted is not None:
        raw = wanted
    else:
        raw = not within if description.meaning in ("probabilities", "unknown") else True
    judge_of(info, labels, from_logits=raw).answers(outputs)  # raises where the number of values does not fit
    return OutputReading(
        raw,
        say(
            'The output "{output}" is read as {meaning}: its values on {count} samples lie between {low} and '
            "{high}.",
            output=name,
            meaning=say("raw scores") if raw else say("probabilities"),
            count=len(outputs),
            low=f"{outputs.min():.3g}",
            high=f"{outputs.max():.3g}",
        ),
        (),
    )


def _numbers(name: str, outputs: npt.NDArray[np.float64], labels: npt.NDArray[np.float64]) -> OutputReading:
    if outputs.shape != labels.shape:
        raise InvalidInput(
            say(
                "The model gives {columns} values per sample, but the data has {targets} targets.",
                columns=outputs.shape[1],
                targets=labels.shape[1],
            ),
            say("Use a model with one value for each target."),
        )
    error = float(np.abs(outputs - labels).mean())
    constant = float(np.abs(labels - np.median(labels, axis=0)).mean())
    reason = say(
        'The output "{output}" is read as {meaning}: on {count} samples its mean absolute error is {error}, '
        "that of always answering the median {constant}.",
        output=name,
        meaning=say("numbers"),
        count=len(outputs),
        error=digits(error),
        constant=digits(constant),
    )
    return OutputReading(False, reason, _other_unit(outputs, labels, error, constant))


def _other_unit(
    outputs: npt.NDArray[np.float64], labels: npt.NDArray[np.float64], error: float, constant: float
) -> tuple[Text, ...]:
    """That the values follow the target in another unit, where they miss it as they are."""
    if labels.shape[1] != 1 or error < constant:
        return ()
    x, y = outputs[:, 0], labels[:, 0]
    if not x.std() or not y.std() or np.corrcoef(x, y)[0, 1] ** 2 < _FOLLOWS:
        return ()
    factor, offset = np.polyfit(x, y, 1)
    return (
        say(
            "The output follows the target, but in another unit: the target is about {factor} times the "
            "output plus {offset}. Give the target as it was in training, such as standardized.",
            factor=digits(float(factor)),
            offset=digits(float(offset)),
        ),
    )
