"""The live curves that work of this package draws: what each is, apart from what it is called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self

from workbench.api.task import Task
from workbench.api.text import Text, say

CurveKind = Literal[
    "loss", "score", "zeros", "score over test samples", "score over seconds", "score over layers tried",
    "score over layers kept", "error", "error over seconds", "error over layers tried",
    "error over layers kept", "overlap", "overlap over seconds", "overlap over layers tried",
    "overlap over layers kept", "agreement", "agreement over seconds", "agreement over layers tried",
    "agreement over layers kept", "error over test samples",
]  # fmt: skip
"""What is up and what is across; curves of a kind share a picture."""


class LiveCurve(StrEnum):
    """A live curve, to be given to :meth:`workbench.api.technique.Reporter.metric` as its name.

    Attributes:
        text: What it is called, for readers.
        kind: What it shows.
    """

    text: Text
    kind: CurveKind

    def __new__(cls, value: str, text: Text, kind: CurveKind) -> Self:
        """Makes a member: a string that also has a text and a kind."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.text, member.kind = text, kind
        return member

    TRAINING_LOSS = "training loss", say("training loss"), "loss"
    VALIDATION_LOSS = "validation loss", say("validation loss"), "loss"
    TRAINING_ACCURACY = "training accuracy", say("training accuracy"), "score"
    VALIDATION_F1 = "validation F1", say("validation F1"), "score"
    WITHOUT_TEACHER = "validation F1 without teacher", say("validation F1 without teacher"), "score"
    SPARSITY = "sparsity", say("sparsity"), "zeros"
    LAYERS_TRIED = (
        "F1 with one layer quantized",
        say("F1 with one layer quantized"),
        "score over layers tried",
    )
    LAYERS_KEPT = "F1 over kept layers", say("F1 over kept layers"), "score over layers kept"
    F1_OVER_SECONDS = (
        "validation F1 over seconds",
        say("validation F1 over seconds"),
        "score over seconds",
    )
    RUNNING_F1 = "running F1", say("running F1"), "score over test samples"
    RUNNING_SCORE = "running score", say("running score"), "score over test samples"
    RUNNING_ERROR = "running MAE", say("running MAE"), "error over test samples"

    TRAINING_ERROR = "training MAE", say("training MAE"), "error"
    VALIDATION_ERROR = "validation MAE", say("validation MAE"), "error"
    ERROR_WITHOUT_TEACHER = (
        "validation MAE without teacher",
        say("validation MAE without teacher"),
        "error",
    )
    ERROR_OVER_SECONDS = (
        "validation MAE over seconds",
        say("validation MAE over seconds"),
        "error over seconds",
    )
    ERROR_LAYERS_TRIED = (
        "MAE with one layer quantized",
        say("MAE with one layer quantized"),
        "error over layers tried",
    )
    ERROR_LAYERS_KEPT = "MAE over kept layers", say("MAE over kept layers"), "error over layers kept"

    POSITIONS_ACCURACY = "training accuracy of positions", say("training accuracy of positions"), "overlap"
    VALIDATION_OVERLAP = "validation mIoU", say("validation mIoU"), "overlap"
    OVERLAP_WITHOUT_TEACHER = (
        "validation mIoU without teacher",
        say("validation mIoU without teacher"),
        "overlap",
    )
    OVERLAP_OVER_SECONDS = (
        "validation mIoU over seconds",
        say("validation mIoU over seconds"),
        "overlap over seconds",
    )

    OVERLAP_LAYERS_TRIED = (
        "mIoU with one layer quantized",
        say("mIoU with one layer quantized"),
        "overlap over layers tried",
    )
    OVERLAP_LAYERS_KEPT = "mIoU over kept layers", say("mIoU over kept layers"), "overlap over layers kept"

    AGREEMENT_LAYERS_TRIED = (
        "agreement with one layer quantized",
        say("agreement with one layer quantized"),
        "agreement over layers tried",
    )
    AGREEMENT_LAYERS_KEPT = (
        "agreement over kept layers",
        say("agreement over kept layers"),
        "agreement over layers kept",
    )
    VALIDATION_AGREEMENT = "validation agreement", say("validation agreement"), "agreement"
    AGREEMENT_OVER_SECONDS = (
        "validation agreement over seconds",
        say("validation agreement over seconds"),
        "agreement over seconds",
    )


@dataclass(frozen=True)
class TaskCurves:
    """The curves of a training in which a task is learned.

    Attributes:
        metric: What Keras measures on the way.
        score: The task's measure on the validation split.
        over_seconds: The same over time.
        alone: That of the training which a student is compared with, without its teacher.
        layers_tried: The measure with one layer quantized, over the layers.
        layers_kept: The same over how many layers stay exact.
    """

    metric: LiveCurve
    score: LiveCurve
    over_seconds: LiveCurve
    alone: LiveCurve
    layers_tried: LiveCurve
    layers_kept: LiveCurve


_OF_CLASSES = TaskCurves(
    LiveCurve.TRAINING_ACCURACY,
    LiveCurve.VALIDATION_F1,
    LiveCurve.F1_OVER_SECONDS,
    LiveCurve.WITHOUT_TEACHER,
    LiveCurve.LAYERS_TRIED,
    LiveCurve.LAYERS_KEPT,
)
_OF_TASK: dict[Task, TaskCurves] = {
    "classification": _OF_CLASSES,
    "multi-label": _OF_CLASSES,
    "regression": TaskCurves(
        LiveCurve.TRAINING_ERROR,
        LiveCurve.VALIDATION_ERROR,
        LiveCurve.ERROR_OVER_SECONDS,
        LiveCurve.ERROR_WITHOUT_TEACHER,
        LiveCurve.ERROR_LAYERS_TRIED,
        LiveCurve.ERROR_LAYERS_KEPT,
    ),
    "per position": TaskCurves(
        LiveCurve.POSITIONS_ACCURACY,
        LiveCurve.VALIDATION_OVERLAP,
        LiveCurve.OVERLAP_OVER_SECONDS,
        LiveCurve.OVERLAP_WITHOUT_TEACHER,
        LiveCurve.OVERLAP_LAYERS_TRIED,
        LiveCurve.OVERLAP_LAYERS_KEPT,
    ),
    "agreement": TaskCurves(
        LiveCurve.TRAINING_ERROR,
        LiveCurve.VALIDATION_AGREEMENT,
        LiveCurve.AGREEMENT_OVER_SECONDS,
        # A student without a teacher has nothing to learn from here.
        LiveCurve.VALIDATION_AGREEMENT,
        LiveCurve.AGREEMENT_LAYERS_TRIED,
        LiveCurve.AGREEMENT_LAYERS_KEPT,
    ),
}


def curves_of(task: Task) -> TaskCurves:
    """The curves of a training in which a task is learned."""
    return _OF_TASK[task]


_BY_NAME = {curve.value: curve for curve in LiveCurve}
_OF_OUTPUT = ": "


def curve_of_output(curve: LiveCurve, output: str) -> str:
    """The name of a curve of one of several outputs.

    Args:
        curve: What it shows.
        output: Name of the output; empty where there is only one.
    """
    return f"{output}{_OF_OUTPUT}{curve}" if output else curve


def _parted(name: str) -> tuple[str, LiveCurve | None]:
    """The output that a curve is of, and what it shows."""
    output, _, curve = name.rpartition(_OF_OUTPUT)
    return output, _BY_NAME.get(curve)


def plain_curve(name: str) -> str:
    """The name of a curve without that of the output that it is of."""
    _, curve = _parted(name)
    return name if curve is None else curve


def kind_of(name: str) -> CurveKind | None:
    """What a curve shows; None for one of somebody else's technique."""
    _, curve = _parted(name)
    return None if curve is None else curve.kind


def text_of(name: str) -> Text:
    """What a curve is called; one of somebody else's technique by its name."""
    output, curve = _parted(name)
    if curve is None:
        return Text(template=name)
    return say("{output}: {curve}", output=output, curve=curve.text) if output else curve.text
