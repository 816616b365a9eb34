"""Small grey pictures drawn by hand: from a pad's pixels to what a model takes, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset, DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.text import say

SMALLEST, LARGEST = 8, 64
"""Pixels of a side; a larger picture is no drawing any more."""


def pad_side(info: DatasetInfo) -> int | None:
    """Pixels on a side of the pad that pictures of a data set can be drawn on; None where they cannot be."""
    if (
        info.task != "classification"
        or not info.is_image
        or len(info.input_shapes) != 1
        or not info.maximum > info.minimum
    ):
        return None
    lengths = [length for length in next(iter(info.input_shapes.values())) if length != 1]
    if len(lengths) != 2 or lengths[0] != lengths[1] or not SMALLEST <= lengths[0] <= LARGEST:
        return None
    return lengths[0]


def features_of(dataset: Dataset, pixels: Sequence[float]) -> npt.NDArray[np.generic]:
    """What a model is fed for a drawing.

    Every scaling of pictures here is a factor and an offset, so the darkest and the brightest value of the
    prepared data are those of an empty and of a full pixel, as in :func:`workbench.data.pictures.picture`.

    Args:
        dataset: The prepared data.
        pixels: 0 (nothing) to 1 (full), row by row.

    Returns:
        One sample, shape ``(1, ...)``, in the type of the prepared data.

    Raises:
        InvalidInput: If these are not the pixels of such a picture.
    """
    info = dataset.info
    side = pad_side(info)
    if side is None:
        raise InvalidInput(say("The samples of this data set cannot be drawn."))
    try:
        drawn = np.asarray(pixels, np.float64)
    except (TypeError, ValueError) as error:
        raise _no_drawing(side) from error
    if drawn.shape != (side * side,) or not np.isfinite(drawn).all():
        raise _no_drawing(side)
    values = info.minimum + drawn.clip(0, 1) * (info.maximum - info.minimum)
    stored = _samples(dataset)
    if stored.dtype.kind in "iu":
        values = np.rint(values)
    sample: npt.NDArray[np.generic] = values.astype(stored.dtype).reshape(1, *stored.shape[1:])
    return sample


def pixels_of(dataset: Dataset, index: int) -> list[float]:
    """The pixels of a test sample, to be drawn on the pad; :func:`features_of` takes them back.

    Raises:
        InvalidInput: If there is no such sample, or it cannot be drawn.
    """
    info = dataset.info
    if pad_side(info) is None:
        raise InvalidInput(say("The samples of this data set cannot be drawn."))
    count = info.counts["test"]
    if not 0 <= index < count:
        raise InvalidInput(
            say("There is no sample {index}; there are {count}, numbered from 0.", index=index, count=count)
        )
    values = np.asarray(_samples(dataset)[index], np.float64).ravel()
    pixels: list[float] = ((values - info.minimum) / (info.maximum - info.minimum)).tolist()
    return pixels


def _samples(dataset: Dataset) -> npt.NDArray[np.generic]:
    features = dataset.x("test")
    return next(iter(features.values())) if isinstance(features, dict) else features


def _no_drawing(side: int) -> InvalidInput:
    return InvalidInput(say("A drawing is {count} numbers from 0 to 1.", count=side * side))
