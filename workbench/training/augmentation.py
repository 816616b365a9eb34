"""Random changes of training samples, on their way to the model and no part of it.

Sources: mixup, Zhang et al. 2017 (arXiv:1710.09412); cutout, DeVries & Taylor 2017
(arXiv:1708.04552). Importing this file does not import Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.api.dataset import DatasetInfo
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.training.optimizers import Call, Expression
from workbench.training.parameters import TrainingSettings

PICTURE_RANK = 3
"""Axes of a picture: height, width, channels."""


def augmentation_obstacle(settings: TrainingSettings, variant: Variant, dataset: DatasetInfo) -> Text | None:
    """Why samples of a data set cannot be changed as asked, or None."""
    if settings.changes_pictures and not pictures(dataset.input_shapes):
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


def pictures(shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """Names of the inputs that are pictures."""
    return [name for name, shape in shapes.items() if len(shape) == PICTURE_RANK]


def picture_layers(settings: TrainingSettings, mean: float) -> list[Call]:
    """The Keras layers that change pictures, each with a seed of its own.

    Args:
        settings: Which changes, and the seed.
        mean: What cutout fills with; ``mean`` in the plain code.
    """
    layers: list[tuple[str, dict[str, Any]]] = []
    if settings.flip != "none":
        layers.append(("RandomFlip", {"mode": settings.flip.replace(" ", "_")}))
    if settings.shift:
        size = {"height_factor": settings.shift, "width_factor": settings.shift}
        layers.append(("RandomTranslation", {**size, "fill_mode": "nearest"}))
    if settings.rotation:
        layers.append(("RandomRotation", {"factor": settings.rotation / 360, "fill_mode": "nearest"}))
    if settings.cutout:
        area = settings.cutout**2  # Keras takes the square root of it, for each side
        fill = Expression(mean, "mean")
        given = {"factor": [1.0, 1.0], "scale": [area, area], "fill_value": fill, "value_range": [fill, fill]}
        layers.append(("RandomErasing", given))
    return [
        Call(f"layers.{name}", {**arguments, "seed": settings.seed + number})
        for number, (name, arguments) in enumerate(layers)
    ]


def noise_layer(settings: TrainingSettings) -> Call:
    """The Keras layer that adds noise."""
    return Call("layers.GaussianNoise", {"stddev": settings.noise, "seed": settings.seed + 10})


def augmentation(
    settings: TrainingSettings, shapes: dict[str, tuple[int, ...]], mean: float
) -> Callable[[Any, Any], tuple[Any, Any]]:
    """What changes a batch.

    Args:
        settings: Which changes, and the seed.
        shapes: Shape of one sample for each input.
        mean: Of the training samples.

    Returns:
        A function of features and targets, to be mapped over batches in a ``tf.data`` pipeline. Targets
        are changed by mixup alone, and must be probabilities then.
    """
    import keras

    changes = [call.make(keras) for call in picture_layers(settings, mean)]
    noise = noise_layer(settings).make(keras) if settings.noise else None
    parts = keras.random.SeedGenerator(settings.seed + 11)
    shown = pictures(shapes)

    def changed(name: str, values: Any) -> Any:
        for layer in changes if name in shown else ():
            values = layer(values, training=True)
        return values if noise is None else noise(values, training=True)

    def mixed(values: Any, part: Any) -> Any:
        part = keras.ops.reshape(part, (-1, *[1] * (len(values.shape) - 1)))
        return part * values + (1 - part) * values[::-1]

    def change(features: Any, targets: Any) -> tuple[Any, Any]:
        if isinstance(features, dict):
            features = {name: changed(name, values) for name, values in features.items()}
        else:
            features = changed("", features)
        if not settings.mixup:
            return features, targets
        count = keras.ops.shape(targets)[0]
        part = keras.random.beta((count,), settings.mixup, settings.mixup, seed=parts)
        # The order of samples is random: the batch backwards is partners enough.
        if isinstance(features, dict):
            features = {name: mixed(values, part) for name, values in features.items()}
        else:
            features = mixed(features, part)
        return features, mixed(targets, part)

    return change
