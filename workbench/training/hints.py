"""Which layers of a student are compared with which layers of its teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.api.errors import InvalidInput, Refused
from workbench.api.text import say
from workbench.api.variant import Layer, ModelDescription

_MOST_PAIRS = 3
_NO_FEATURES = frozenset(
    (
        *(
            "InputLayer",
            "Dropout",
            "SpatialDropout1D",
            "SpatialDropout2D",
            "SpatialDropout3D",
            "AlphaDropout",
        ),
        *("GaussianDropout", "GaussianNoise", "Flatten", "Reshape", "Permute", "Rescaling", "Normalization"),
        *("Resizing", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomContrast"),
        *("RandomBrightness", "RandomCrop", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Softmax"),
    )
)


@dataclass(frozen=True)
class Hint:
    """A pair of layers whose outputs are compared.

    Attributes:
        student: Name of the student's layer.
        teacher: Name of the teacher's layer.
    """

    student: str
    teacher: str


def parse_hints(text: str) -> tuple[Hint, ...]:
    """Reads pairs that a user named.

    Args:
        text: ``student layer = teacher layer``, several with commas; one name stands for both.

    Raises:
        InvalidInput: If a pair is not complete.
    """
    hints = []
    for pair in filter(None, (part.strip() for part in text.split(","))):
        student, equals, teacher = (side.strip() for side in pair.partition("="))
        teacher = teacher if equals else student
        if not student or not teacher:
            raise InvalidInput(
                say("The pair of layers {pair} is not complete.", pair=repr(pair)),
                say("Write: layer of the student = layer of the teacher, several with commas."),
            )
        hints.append(Hint(student, teacher))
    return tuple(hints)


def choose_hints(student: ModelDescription, teacher: ModelDescription) -> tuple[Hint, ...]:
    """Pairs layers by depth and shape.

    The last layer before each change of resolution gives what a model has found at that resolution. Those
    of equal resolution are paired, at most the three that are deepest; without any, the last hidden
    layers.

    Args:
        student: The student's layers in order.
        teacher: The teacher's.

    Raises:
        Refused: If one of them has no hidden layer whose output is known.
    """
    own, theirs = _stages(student.layers), _stages(teacher.layers)
    if not own or not theirs:
        raise Refused(
            say("The student or its teacher has no hidden layer that could be compared."),
            say("Use the teacher's scores alone."),
        )
    common = [size for size in own if size in theirs]
    if not common:
        return (Hint(list(own.values())[-1], list(theirs.values())[-1]),)
    return tuple(Hint(own[size], theirs[size]) for size in common[-_MOST_PAIRS:])


def _stages(layers: Sequence[Layer]) -> dict[tuple[int | None, ...], str]:
    """The last hidden layer of each resolution, in order of depth; the head and what follows it left out."""
    top = [layer for layer in layers if "/" not in layer.name]
    weighted = [at for at, layer in enumerate(top) if layer.parameters]
    stages: dict[tuple[int | None, ...], str] = {}
    for layer in top[: weighted[-1]] if weighted else []:
        if layer.output_shape and layer.kind not in _NO_FEATURES:
            size = layer.output_shape[:-1]
            stages.pop(size, None)
            stages[size] = layer.name
    return stages
