"""From raw values to what the model is fed, always stated in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from math import prod

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import LARGE_BYTES, DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.row_array import BLOCK_BYTES, rescaled
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription, TensorSpec
from workbench.data.model_inputs import as_whole_numbers, specs_of, stored_type
from workbench.data.raw import SCALINGS, Array, RawData, Scaling, blocks
from workbench.data.splits import SplitSource

LARGEST_PIXEL_FOR_UNIT_MODELS = 2.0
LARGEST_USUAL_FEATURE = 100.0
LEAST_FLAT_PIXELS = 64
"""The smallest pictures that anybody flattens have 8 times 8 pixels."""
DIVIDED = say("values / 255")
LARGEST_OF_DEEP_PIXELS: dict[Scaling, int] = {"divide by 4095": 4095, "divide by 65535": 65535}
"""Of 12 bits, as cameras and scanners of medicine give them, and of 16."""


@dataclass(frozen=True)
class Scaler:
    """``(raw - offset) / divisor``, in float64, then float32; or values as they came, in a type of their own.

    Attributes:
        offset: A number, or one for each column.
        divisor: A number, or one for each column.
        text: What it does, in words.
        choice: The scaling that it is.
        dtype: The element type of what it makes; where that is not float32, nothing is scaled.
    """

    offset: npt.NDArray[np.float64]
    divisor: npt.NDArray[np.float64]
    text: Text
    choice: Scaling
    dtype: np.dtype[np.generic] = field(default_factory=lambda: np.dtype(np.float32))

    @property
    def changes(self) -> bool:
        """Whether values become others."""
        return bool(self.offset.any() or (self.divisor != 1).any())

    def __call__(self, values: Array, called: str = "x") -> Array:
        """Scales samples.

        Args:
            values: Raw samples, shape ``(n, ...)``, any number type.
            called: Their name in the source, for messages.

        Raises:
            InvalidInput: If values do not fit whole numbers of the wanted type.
        """
        if self.dtype.kind in "biu":
            return as_whole_numbers(values, self.dtype, called)
        if self.dtype != np.float32:
            return values.astype(self.dtype)
        return rescaled(values, self.offset, self.divisor)


def fit_scalers(
    raw: RawData,
    train: SplitSource,
    scaling: Scaling | Mapping[str, Scaling],
    model: ModelDescription | None = None,
) -> tuple[dict[str, Scaler], Text, tuple[Text, ...]]:
    """Decides how each input is scaled; statistics come from the training split alone.

    ``"auto"`` leaves values as they came where the model looks them up, scales or bins them itself, or takes
    whole numbers or text. Elsewhere it takes the source's own choice if it has one; otherwise it divides
    8-bit pixels by 255 and leaves everything else as it came.

    Args:
        raw: The data as read.
        train: Which of its samples are the training split.
        scaling: One of :data:`workbench.data.raw.SCALINGS`, or one for each input by name.
        model: What the data are for, if it is known.

    Returns:
        A scaler for each input, all of it in words, and what was left undone.

    Raises:
        InvalidInput: For an unknown scaling.
    """
    wanted = dict(scaling) if isinstance(scaling, Mapping) else dict.fromkeys(raw.inputs, scaling)
    for one in wanted.values():
        if one not in SCALINGS:
            raise InvalidInput(
                say("Unknown scaling: {scaling}.", scaling=str(one)[:60]),
                say("Use one of: {allowed}.", allowed=tuple(SCALINGS)),
            )
    specs = specs_of(raw.inputs, model)
    scalers: dict[str, Scaler] = {}
    notes: list[Text] = []
    for name, values in raw.splits[train.source].x.items():
        spec, asked = specs[name], wanted.get(name, "auto")
        dtype = _stored_type(raw, name, spec)
        if dtype != np.float32 or (spec is not None and spec.role == "ids"):
            if asked not in ("auto", "none"):
                notes.append(
                    say(
                        'The scaling "{scaling}" was not applied to {name}: the model {reason}.',
                        scaling=asked,
                        name=raw.splits[train.source].called("x", name),
                        reason=_unscalable(spec),
                    )
                )
            asked = "none"
        elif asked == "auto":
            asked = _automatic(values, spec, raw.scaling)
        scalers[name] = replace(fit_scaler(values, train.index, asked), dtype=dtype)
    texts = [
        say("{name}: {scaling}", name=name, scaling=scaler.text) if len(scalers) > 1 else scaler.text
        for name, scaler in scalers.items()
    ]
    text = reduce(lambda first, second: say("{first}; {second}", first=first, second=second), texts)
    return scalers, text, tuple(notes)


def _stored_type(raw: RawData, name: str, spec: TensorSpec | None) -> np.dtype[np.generic]:
    types = [stored_type(spec, samples.x[name]) for samples in raw.samples()]
    # of text, the widest that occurs in a split
    return max(types, key=lambda dtype: dtype.itemsize)


def _unscalable(spec: TensorSpec | None) -> Text:
    if spec is not None and spec.role == "text":
        return say("takes text")
    if spec is not None and spec.role == "ids":
        return say("looks its values up by number")
    return say("takes whole numbers")


def _automatic(values: Array, spec: TensorSpec | None, own: Scaling | None) -> Scaling:
    if spec is not None and spec.role != "numbers":
        return "none"
    if own is not None:
        return own
    if values.dtype != np.uint8:
        return "none"
    largest = int(values.max())
    if values.ndim >= 3:
        return "divide by 255" if largest > 1 else "none"
    # Few flat 8-bit columns are counts or codes; many that go above 127 are pixels in all likelihood.
    return "divide by 255" if largest > 127 and values.shape[1] >= LEAST_FLAT_PIXELS else "none"


def fit_scaler(values: Array, index: npt.NDArray[np.int64], scaling: Scaling) -> Scaler:
    """Fits one scaling.

    Args:
        values: Raw samples, shape ``(n, ...)``.
        index: Which of them the statistics come from.
        scaling: Which; not ``"auto"``.
    """
    zero, one = np.float64(0), np.float64(1)
    if scaling == "none":
        return Scaler(np.asarray(zero), np.asarray(one), say("values as they came"), scaling)
    if scaling == "divide by 255":
        return Scaler(np.asarray(zero), np.asarray(np.float64(255)), DIVIDED, scaling)
    if scaling == "pixels to -1..1":
        half = np.asarray(np.float64(127.5))
        return Scaler(half, half, say("values / 127.5 - 1"), scaling)
    if scaling in LARGEST_OF_DEEP_PIXELS:
        largest = LARGEST_OF_DEEP_PIXELS[scaling]
        divided = say("values / {largest}", largest=largest)
        return Scaler(np.asarray(zero), np.asarray(np.float64(largest)), divided, scaling)
    by_column = values.ndim == 2
    parts = _Parts(values, index)
    if scaling == "standardize":
        mean, spread = parts.moments() if parts.many else _moments(values[index], by_column)
        text = (
            say("(value - mean) / standard deviation of each column, both from the training split")
            if by_column
            else say("(value - mean) / standard deviation, both from the training split")
        )
        return Scaler(mean, np.where(spread > 0, spread, one), text, scaling)
    low, span = parts.range()
    text = (
        say("each column to the range 0 to 1, by its smallest and largest value in the training split")
        if by_column
        else say(
            "range {low:g} to {high:g} of the training split to 0 to 1",
            low=float(low),
            high=float(low + span),
        )
    )
    return Scaler(low, np.where(span > 0, span, one), text, scaling)


class _Parts:
    """Samples of the training split, a few at a time.

    Attributes:
        many: Whether they are too many to be held at once.
    """

    def __init__(self, values: Array, index: npt.NDArray[np.int64]) -> None:
        sample = prod(values.shape[1:])
        self._values, self._index = values, index
        self._axis = 0 if values.ndim == 2 else None
        self._count = len(index) * (1 if values.ndim == 2 else sample)
        self._step = max(1, BLOCK_BYTES // max(1, sample * values.dtype.itemsize))
        self.many = len(index) * sample * values.dtype.itemsize > LARGE_BYTES

    def __iter__(self) -> Iterator[Array]:
        for start in range(0, len(self._index), self._step):
            yield self._values[self._index[start : start + self._step]]

    def moments(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Mean and standard deviation, of each column where there are columns."""
        mean = np.asarray(sum(part.sum(axis=self._axis, dtype=np.float64) for part in self) / self._count)
        squares = sum(np.square(part - mean).sum(axis=self._axis) for part in self)
        return mean, np.asarray(np.sqrt(squares / self._count))

    def range(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The smallest value, and how much larger the largest is."""
        lowest = highest = None
        for part in self:
            low, high = part.min(axis=self._axis), part.max(axis=self._axis)
            lowest = low if lowest is None else np.minimum(lowest, low)
            highest = high if highest is None else np.maximum(highest, high)
        low = np.asarray(lowest, np.float64)
        return low, np.asarray(highest, np.float64) - low


def _moments(values: Array, by_column: bool) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if by_column:
        return np.asarray(values.mean(axis=0, dtype=np.float64)), np.asarray(
            values.std(axis=0, dtype=np.float64)
        )
    mean = np.asarray(values.mean(dtype=np.float64))
    # In blocks: a float64 copy of a large set of pictures would not fit in memory.
    squares = sum(float(np.square(block - mean).sum()) for block in blocks(values))
    return mean, np.asarray(np.sqrt(squares / values.size))


def scaling_warning(info: DatasetInfo, model: ModelDescription) -> Text | None:
    """Whether the data's range and the model look incompatible, where samples did not tell.

    Wrong scaling costs 3 to 34 points of accuracy without any error message.

    Args:
        info: The prepared data.
        model: Its inputs' roles say what it does with the values.

    Returns:
        What looks wrong and what to try, or None.
    """
    roles = {spec.role for spec in model.inputs}
    if roles & {"ids", "text"}:
        if roles == {"ids"} and (info.minimum < 0 or info.maximum <= 1):
            return say(
                "The model looks words up by number, and the data lie between {low:g} and {high:g}: "
                "prepare them without scaling.",
                low=info.minimum,
                high=info.maximum,
            )
        return None
    if "raw numbers" in roles:
        if info.is_image and info.maximum <= LARGEST_PIXEL_FOR_UNIT_MODELS:
            return say(
                "The model scales its own input, and the data are scaled already, to {low:g} to {high:g}: "
                'prepare them with scaling "none".',
                low=info.minimum,
                high=info.maximum,
            )
        return None
    if info.is_image and info.minimum >= 0 and info.maximum > LARGEST_PIXEL_FOR_UNIT_MODELS:
        return say(
            "Pixels lie between {low:g} and {high:g} and the model has no Rescaling layer. "
            "Most models are trained on 0 to 1: if accuracy is low, "
            'prepare the data with scaling "divide by 255".',
            low=info.minimum,
            high=info.maximum,
        )
    if not info.is_image and max(abs(info.minimum), abs(info.maximum)) > LARGEST_USUAL_FEATURE:
        return say(
            "Values lie between {low:g} and {high:g} and the model has no Normalization layer. "
            "Most models are trained on standardized columns: if accuracy is low, "
            'prepare the data with scaling "standardize".',
            low=info.minimum,
            high=info.maximum,
        )
    return None
