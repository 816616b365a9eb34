"""Which random changes of samples a training has. Importing this file does not import Keras."""

from __future__ import annotations

from typing import Any

from workbench.api.dataset import DatasetInfo
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.plain.keras.augmentation import PICTURE_RANK
from workbench.training.optimizers import Call, Expression
from workbench.training.parameters import TrainingSettings


def augmentation_obstacle(settings: TrainingSettings, variant: Variant, dataset: DatasetInfo) -> Text | None:
    """Why samples of a data set cannot be changed as asked, or None."""
    if settings.changes_pictures and not _has_pictures(dataset.input_shapes):
        return say(
            "Flips, shifts, rotations and cutouts need pictures (height, width, channels). The samples of "
            "{name} have the shape {shape}.",
            name=dataset.name,
            shape=tuple(str(shape) for shape in dataset.input_shapes.values()),
        )
    embedding = next((layer for layer in variant.description.layers if layer.kind == "Embedding"), None)
    if (settings.noise or settings.mixup) and embedding is not None:
        return say(
            "Noise and mixup need input values that can be blended. {layer} looks them up in a table.",
            layer=embedding.name,
        )
    return None


def augmentation_call(settings: TrainingSettings, seed: int | Expression, fill: float | Expression) -> Call:
    """What makes the function that changes a batch, as :mod:`workbench.plain.keras.augmentation` has it.

    Args:
        settings: Which changes.
        seed: Of all of them.
        fill: What cutout fills with: the mean of the pictures.
    """
    given: dict[str, Any] = {
        "flip": "" if settings.flip == "none" else settings.flip.replace(" ", "_"),
        "shift": settings.shift,
        "rotation": settings.rotation,
        "cutout": settings.cutout,
        "fill": fill if settings.cutout else 0.0,
        "noise": settings.noise,
        "mixup": settings.mixup,
    }
    asked = {name: value for name, value in given.items() if value}
    return Call("augmentation", {"seed": seed, **asked}, module="plain.keras.augmentation")


def _has_pictures(shapes: dict[str, tuple[int, ...]]) -> bool:
    return any(len(shape) == PICTURE_RANK for shape in shapes.values())
