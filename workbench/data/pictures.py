"""A test sample as a picture."""

from __future__ import annotations

import io

import numpy as np

from workbench.api.dataset import Dataset, SplitName
from workbench.api.errors import InvalidInput
from workbench.api.text import say


def picture(dataset: Dataset, index: int, *, split: SplitName = "test", largest: int = 256) -> bytes | None:
    """Draws one sample.

    The grey scale or colours run from the smallest to the largest stored value of the data set, so that
    pictures of one data set can be compared.

    Args:
        dataset: A prepared data set.
        index: Position in the split.
        split: Which split.
        largest: Longest side in pixels; larger samples are made smaller.

    Returns:
        A PNG file, or None where samples are not pictures.

    Raises:
        InvalidInput: If there is no such sample.
    """
    info = dataset.info
    if not info.is_image:
        return None
    count = info.counts[split]
    if not 0 <= index < count:
        raise InvalidInput(
            say("There is no sample {index}; there are {count}, numbered from 0.", index=index, count=count)
        )
    features = dataset.x(split)
    values = next(iter(features.values())) if isinstance(features, dict) else features
    span = info.maximum - info.minimum or 1.0
    pixels = np.rint((np.asarray(values[index]) - info.minimum) / span * 255).clip(0, 255).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3, 4) and pixels.shape[-1] not in (1, 3, 4):
        pixels = np.moveaxis(pixels, 0, -1)  # channels first, as models made in PyTorch take them
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]

    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((largest, largest))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
