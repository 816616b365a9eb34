"""The live curves that work of this package draws: what each is, apart from what it is called."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from workbench.api.text import Text, say

CurveKind = Literal[
    "loss", "score", "zeros", "score over test samples", "score over seconds", "score over layers tried",
    "score over layers kept", "error over test samples",
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


_BY_NAME = {curve.value: curve for curve in LiveCurve}


def kind_of(name: str) -> CurveKind | None:
    """What a curve shows; None for one of somebody else's technique."""
    curve = _BY_NAME.get(name)
    return None if curve is None else curve.kind


def text_of(name: str) -> Text:
    """What a curve is called; one of somebody else's technique by its name."""
    curve = _BY_NAME.get(name)
    return Text(template=name) if curve is None else curve.text
