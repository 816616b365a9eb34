"""What pictures are like before any is decoded, and what they are brought to."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from workbench.api.errors import InvalidInput, Refused
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.data.picture_form import GREY_MODES, Encoded, PictureForm, called, decoded, form_for
from workbench.data.raw import Array, Disk, check_kept, check_limit

MOST_PIXELS = 2**26
"""A picture with more pixels is not decoded: a few kilobytes can declare gigabytes."""


@dataclass
class Inspected:
    """What was found.

    Attributes:
        sizes: How many pictures have a width and height.
        modes: Pillow's names of how they are stored.
        broken: Positions of those that cannot be opened.
        count: All of them.
    """

    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    modes: set[str] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    count: int = 0


def inspect(pictures: Iterable[Encoded]) -> Inspected:
    """Sizes and modes of all pictures, and those that cannot be opened; decodes nothing.

    Raises:
        InvalidInput: For a picture with more than 8 bits for each value.
        Refused: For one with too many pixels.
    """
    from PIL import Image

    found = Inspected()
    for number, picture in enumerate(pictures):
        found.count += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is ours
                with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as image:
                    size, mode = image.size, image.mode
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            found.broken.add(number)
            continue
        if size[0] * size[1] > MOST_PIXELS:
            raise Refused(
                say(
                    "The picture {file} has {width}x{height} pixels; the limit is {limit} in all.",
                    file=called(picture),
                    width=size[0],
                    height=size[1],
                    limit=MOST_PIXELS,
                ),
                say("Make it smaller."),
            )
        if mode[:1] in ("I", "F"):
            raise InvalidInput(
                say("The picture {file} has more than 8 bits for each value.", file=called(picture)),
                say("Save pictures with 8 bits, or give the values as an .npz file."),
            )
        found.sizes[size] += 1
        found.modes.add(mode)
    return found


@dataclass(frozen=True)
class Target:
    """What all pictures of a data set are brought to.

    Attributes:
        form: Their size and colours.
        dtype: ``uint8``, or ``float32`` where the fractions of resized ones are kept.
        notes: What is done to them, in words.
    """

    form: PictureForm
    dtype: np.dtype[np.generic]
    notes: tuple[Text, ...]

    def of(self, pictures: Callable[[Sequence[int]], Sequence[Encoded]], count: int) -> Array:
        """So many pictures in this form; see :func:`workbench.data.picture_form.decoded`."""
        return decoded(pictures, count, self.form, self.dtype)


def target_of(
    found: Inspected, source: str, *, limit_bytes: int, model: ModelDescription | None, disk: Disk | None
) -> Target:
    """The form that pictures get.

    Args:
        found: What they are like.
        source: The data, as the user knows them.
        limit_bytes: The most that they may take where there is no disk for them; and with fractions, which
            resized ones have.
        model: The model that they are for, where it is known.
        disk: Where they are kept.

    Raises:
        Refused: If they take more than the limit.
    """
    form = form_for(model, found.sizes.most_common(1)[0][0], 1 if found.modes <= GREY_MODES else 3)
    count = sum(found.sizes.values())
    resized = count - found.sizes[form.width, form.height]
    values = count * form.width * form.height * form.channels
    # Resized pictures have fractions, which Keras keeps; without room or use for them they are rounded.
    whole = model is not None and any(spec.takes_whole_numbers for spec in model.inputs)
    dtype = np.dtype(np.float32 if resized and not whole and values * 4 <= limit_bytes else np.uint8)
    if disk is None:
        check_limit(values * dtype.itemsize, limit_bytes, source)
    else:
        check_kept(values * dtype.itemsize, disk.most_bytes, source)
    notes = form.notes(resized, count, found.modes)
    if resized and whole:
        notes.append(say("The resized pictures were rounded, as the model takes whole numbers."))
    elif resized and dtype == np.uint8:
        notes.append(say("The resized pictures were rounded to 8 bits to take less space."))
    return Target(form, dtype, tuple(notes))
