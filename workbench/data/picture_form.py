"""Pictures in the size and colours that a model takes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.row_array import Rows, by_rows
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.data.raw import Array

GREY_MODES = frozenset({"1", "L", "LA"})
"""How Pillow calls pictures without colours."""

_MOST_THREADS = 8

_MODES: dict[int, Literal["L", "RGB", "RGBA"]] = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class PictureForm:
    """What all pictures of a data set are brought to.

    Attributes:
        width: In pixels.
        height: In pixels.
        channels: 1 grey, 3 colours, 4 colours and opacity.
        channels_first: Whether the channels are the first axis, as models made in PyTorch take them.
        by_model: Whether the model says the size; else it is the most common one.
    """

    width: int
    height: int
    channels: int
    channels_first: bool = False
    by_model: bool = False

    def notes(self, resized: int, count: int, modes: set[str]) -> list[Text]:
        """What was done to the pictures, in words.

        Args:
            resized: Pictures of another size.
            count: Pictures in all.
            modes: Pillow's names of how they were stored.
        """
        notes = []
        if resized and self.by_model:
            notes.append(
                say(
                    "{resized} of {count} pictures were resized to the size that the model takes, "
                    "{width}x{height}.",
                    resized=resized,
                    count=count,
                    width=self.width,
                    height=self.height,
                )
            )
        elif resized:
            notes.append(
                say(
                    "{resized} of {count} pictures were resized to the most common size, {width}x{height}.",
                    resized=resized,
                    count=count,
                    width=self.width,
                    height=self.height,
                )
            )
        if self.channels == 1 and not modes <= GREY_MODES:
            notes.append(say("Pictures in colour became grey, as the model takes one channel."))
        if self.channels > 1 and modes <= GREY_MODES:
            notes.append(
                say("Grey pictures got {channels} channels, as the model takes.", channels=self.channels)
            )
        if self.channels_first:
            notes.append(say("The channels became the first axis, as the model takes them."))
        return notes


def form_for(model: ModelDescription | None, common: tuple[int, int], channels: int) -> PictureForm:
    """What pictures are brought to for a model.

    Args:
        model: The model; None if it is not known.
        common: The most common width and height.
        channels: What they have themselves.
    """
    width, height = common
    shape = model.inputs[0].shape if model is not None and len(model.inputs) == 1 else ()
    if len(shape) == 2:  # a picture without an axis of channels
        rows, columns = shape
        return PictureForm(columns or width, rows or height, 1, by_model=None not in shape)
    if len(shape) != 3:
        return PictureForm(width, height, channels)
    first = shape[-1] not in (*_MODES, None) and shape[0] in _MODES
    rows, columns = shape[1:] if first else shape[:2]
    wanted = shape[0] if first else shape[2]
    return PictureForm(
        columns or width,
        rows or height,
        wanted if wanted in _MODES else channels,
        channels_first=first,
        by_model=None not in (rows, columns),
    )


Encoded = Path | bytes
"""A picture as it is stored: its file, or what would be in one."""


def decoded(
    pictures: Callable[[Sequence[int]], Sequence[Encoded]],
    count: int,
    form: PictureForm,
    dtype: npt.DTypeLike,
) -> Array:
    """Pictures as one array, shape ``(n, height, width, channels)``, each decoded when it is asked for.

    Args:
        pictures: Gives those at some positions.
        count: How many there are.
        form: What they are brought to.
        dtype: ``uint8``, or ``float32`` to keep the fractions of resized ones. Values are 0 to 255.

    Returns:
        An array by rows; reading one of a damaged picture raises ``InvalidInput``.
    """
    inner = (
        (form.channels, form.height, form.width)
        if form.channels_first
        else (form.height, form.width, form.channels)
    )

    def read(rows: Rows) -> Array:
        positions = range(count)[rows] if isinstance(rows, slice) else rows.tolist()
        chosen = pictures(positions)
        # Pillow decodes without holding the interpreter's lock.
        with ThreadPoolExecutor(min(len(positions) or 1, os.cpu_count() or 1, _MOST_THREADS)) as threads:
            found = list(threads.map(lambda one: _decoded(one, form, np.dtype(dtype)), chosen))
        values = np.stack(found) if found else np.empty((0, form.height, form.width, form.channels), dtype)
        return np.moveaxis(values, -1, 1) if form.channels_first else values

    return by_rows(read, (count, *inner), dtype)


def _decoded(picture: Encoded, form: PictureForm, dtype: np.dtype[Any]) -> Array:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as image:
            pixels: Array = np.asarray(image.convert(_MODES[form.channels]))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise InvalidInput(
            say("The picture {file} is damaged or incomplete.", file=called(picture)),
            say("Remove or replace it."),
        ) from error
    pixels = pixels.reshape(*pixels.shape[:2], form.channels)
    if pixels.shape[:2] != (form.height, form.width):
        pixels = resized(pixels, form.height, form.width)
        if dtype == np.uint8:
            pixels = np.rint(pixels)
    return pixels.astype(dtype, copy=False)


def called(picture: Encoded) -> str:
    """What a picture is called in a message."""
    return picture.name[:100] if isinstance(picture, Path) else f"({len(picture)} bytes)"


def resized(pixels: Array, height: int, width: int) -> npt.NDArray[np.float32]:
    """Resizes one picture as ``tf.image.resize`` does: bilinear, from pixel centers, without smoothing first.

    Args:
        pixels: Shape ``(height, width, channels)``.
        height: Of the result, in pixels.
        width: Of the result, in pixels.
    """
    (top, bottom, down), (left, right, along) = (
        _neighbours(before, after) for before, after in ((pixels.shape[0], height), (pixels.shape[1], width))
    )
    along = along[None, :, None]
    upper, lower = (
        row[:, left] + (row[:, right] - row[:, left]) * along
        for row in (pixels[top].astype(np.float32), pixels[bottom].astype(np.float32))
    )
    whole: npt.NDArray[np.float32] = upper + (lower - upper) * down[:, None, None]
    return whole


def _neighbours(
    before: int, after: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """For each position of the result the two positions that it lies between, and how far from the first."""
    scale = np.float32(before) / np.float32(after)
    place = (np.arange(after, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    floor = np.floor(place)
    low = np.maximum(floor.astype(np.int64), 0)
    high = np.minimum(np.ceil(place).astype(np.int64), before - 1)
    return low, high, (place - floor).astype(np.float32)
