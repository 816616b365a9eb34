"""Random changes of training samples, on their way to the model and no part of it.

Sources: mixup, Zhang et al. 2017 (arXiv:1710.09412); cutout, DeVries & Taylor 2017
(arXiv:1708.04552).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

PICTURE_RANK = 3
"""Axes of a picture: height, width, channels."""


def augmentation(
    *,
    seed: int,
    flip: str = "",
    shift: float = 0.0,
    rotation: float = 0.0,
    cutout: float = 0.0,
    fill: float = 0.0,
    noise: float = 0.0,
    mixup: float = 0.0,
) -> Callable[[Any, Any], tuple[Any, Any]]:
    """What changes a batch.

    Args:
        seed: Each change draws from a seed of its own, counted from this one.
        flip: How pictures are mirrored: ``horizontal``, ``vertical`` or ``horizontal_and_vertical``.
        shift: Largest shift of pictures in both directions, as a part of the picture.
        rotation: Largest rotation of pictures, in degrees.
        cutout: Side of the square that is cut out of pictures, as a part of the picture's.
        fill: What is put there, such as :func:`mean_of_pictures`.
        noise: Standard deviation of the normal noise on every input value.
        mixup: Parameter of the beta distribution that the parts of a blend are drawn from.

    Returns:
        A function of features and targets, to be mapped over batches in a ``tf.data`` pipeline. Targets
        are changed by mixup alone, and must be probabilities then.
    """
    import keras

    layers: list[Callable[..., Any]] = _picture_layers(seed, flip, shift, rotation, cutout, fill)
    noisy = keras.layers.GaussianNoise(noise, seed=seed + 10) if noise else None
    parts = keras.random.SeedGenerator(seed + 11)

    def changed(values: Any) -> Any:
        for layer in layers if len(values.shape) == 1 + PICTURE_RANK else ():
            values = layer(values, training=True)
        return values if noisy is None else noisy(values, training=True)

    def mixed(part: Any, values: Any) -> Any:
        part = keras.ops.reshape(part, (-1, *[1] * (len(values.shape) - 1)))
        return part * values + (1 - part) * values[::-1]

    def change(features: Any, targets: Any) -> tuple[Any, Any]:
        features = _each(changed, features)
        if not mixup:
            return features, targets
        count = keras.ops.shape(keras.tree.flatten(targets)[0])[0]
        part = keras.random.beta((count,), mixup, mixup, seed=parts)
        # The order of samples is random: the batch backwards is partners enough.
        return _each(partial(mixed, part), features), _each(partial(mixed, part), targets)

    return change


def mean_of_pictures(features: Any) -> float:
    """The mean of all pictures, which a cutout is filled with; 0 where there are none.

    Args:
        features: Samples: an array, or arrays by the name of the input.
    """
    arrays = features.values() if isinstance(features, Mapping) else [features]
    return float(np.mean([array.mean() for array in arrays if array.ndim == 1 + PICTURE_RANK] or [0.0]))


def _picture_layers(
    seed: int, flip: str, shift: float, rotation: float, cutout: float, fill: float
) -> list[Callable[..., Any]]:
    from keras import layers

    chosen: list[tuple[Any, dict[str, Any]]] = []
    if flip:
        chosen.append((layers.RandomFlip, {"mode": flip}))
    if shift:
        size = {"height_factor": shift, "width_factor": shift}
        chosen.append((layers.RandomTranslation, {**size, "fill_mode": "nearest"}))
    if rotation:
        chosen.append((layers.RandomRotation, {"factor": rotation / 360, "fill_mode": "nearest"}))
    if cutout:
        area = cutout**2  # Keras takes the square root of it, for each side
        sides = {"factor": [1.0, 1.0], "scale": [area, area]}
        chosen.append((layers.RandomErasing, {**sides, "fill_value": fill, "value_range": [fill, fill]}))
    return [kind(**given, seed=seed + number) for number, (kind, given) in enumerate(chosen)]


def _each(change: Callable[[Any], Any], features: Any) -> Any:
    if isinstance(features, Mapping):
        return {name: change(values) for name, values in features.items()}
    return change(features)
