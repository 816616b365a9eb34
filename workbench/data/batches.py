"""Samples in the order, element type and batch size that a model file wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Features
from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import JudgedOutput, TensorSpec
from workbench.plain.outputs import plain_name, position

Arrays = tuple[npt.NDArray[Any], ...]
"""One array per input of the model, in its order."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Samples ready for a runtime.

    Attributes:
        batches: Calls to make: one, unless the file has a fixed batch size. Each is what the
            runtime takes.
        count: Samples in all; the last batch may be filled up with repeated samples.
    """

    batches: tuple[Any, ...]
    count: int


def ordered(features: Features, names: Sequence[str]) -> Arrays:
    """One array per input, in the order of ``names``.

    Args:
        features: An array for a model with one input, else a dict by input name.
        names: The file's input names; the decorations that converters add
            (``serving_default_image:0`` for ``image``) are understood.

    Raises:
        InvalidInput: If an input is missing or an array has no input.
    """
    if not isinstance(features, dict):
        if len(names) != 1:
            raise InvalidInput(
                say(
                    "The model has {count} inputs ({names}) and was given one array.",
                    count=len(names),
                    names=tuple(map(plain_name, names)),
                ),
                say("Pass a dict of arrays by input name."),
            )
        return (np.asarray(features),)
    if len(features) == len(names) == 1:
        return (np.asarray(next(iter(features.values()))),)
    arrays = {**{plain_name(name): array for name, array in features.items()}, **features}
    plain = [name if name in features else plain_name(name) for name in names]
    if len(features) != len(names) or any(name not in arrays for name in plain):
        raise InvalidInput(
            say(
                "The model's inputs are {names}; the data's are {given}.",
                names=tuple(map(plain_name, names)),
                given=tuple(features),
            ),
            say("Give each input of the model an array of its name."),
        )
    return tuple(np.asarray(arrays[name]) for name in plain)


def by_name(
    features: Features, names: Sequence[str], inputs: Sequence[TensorSpec]
) -> dict[str, npt.NDArray[Any]]:
    """One array per input by the file's names, in the element type that the input takes.

    Args:
        features: As for :func:`ordered`.
        names: The file's input names.
        inputs: The model's inputs: data are float32, and an input of token numbers wants whole ones.
    """
    types = {spec.name: spec.dtype for spec in inputs}
    if len(names) == len(inputs) == 1:
        types = {plain_name(names[0]): inputs[0].dtype}
    arrays = ordered(features, names)
    return {
        name: np.asarray(array, types.get(name) or types.get(plain_name(name), "float32"))
        for name, array in zip(names, arrays, strict=True)
    }


def chosen_output(names: Sequence[str], output: JudgedOutput | None) -> int:
    """Position of the output that is judged among a file's outputs.

    Args:
        names: The file's outputs, as the runtime names them and in its order.
        output: Which is judged; None is the first.

    Raises:
        InvalidInput: If the file has no such output.
    """
    try:
        return position(names, None if output is None else (output.name, output.position))
    except IndexError as error:
        if output is None:
            raise
        raise InvalidInput(
            say(
                "The model's output {output} is judged, and this file has only {count}: {names}.",
                output=output.name,
                count=len(names),
                names=tuple(map(plain_name, names)),
            )
        ) from error


def as_type(array: npt.NDArray[Any], dtype: npt.DTypeLike, name: str) -> npt.NDArray[Any]:
    """``array`` as contiguous ``dtype``.

    Raises:
        InvalidInput: For 8-bit inputs, where a cast would silently make zeros of scaled samples.
    """
    wanted = np.dtype(dtype)
    if wanted.kind in "iu" and wanted.itemsize == 1 and array.dtype.kind == "f":
        raise InvalidInput(
            say(
                "Input {name} takes raw {dtype} values and the file does not say how samples become them.",
                name=plain_name(name),
                dtype=wanted.name,
            ),
            say("Use a file with a float32 input."),
        )
    return np.ascontiguousarray(array, dtype=wanted)


def batched(arrays: Arrays, size: int | None, finish: Callable[[Arrays], Any]) -> Prepared:
    """Splits samples where a file has a fixed batch size.

    Args:
        arrays: One array per input.
        size: The fixed batch size; None where any will do.
        finish: Makes of one batch what the runtime takes.
    """
    count = len(arrays[0])
    if size is None or count == size:
        return Prepared((finish(arrays),), count)
    batches = []
    for start in range(0, count, size):
        index = np.minimum(np.arange(start, start + size), count - 1)
        batches.append(finish(tuple(array[index] for array in arrays)))
    return Prepared(tuple(batches), count)


def joined(outputs: list[npt.NDArray[Any]], count: int) -> npt.NDArray[np.float32]:
    """The outputs of all batches as one float32 array of ``count`` samples."""
    if len(outputs) == 1 and len(outputs[0]) == count:
        return np.asarray(outputs[0], dtype=np.float32)
    return np.concatenate(outputs)[:count].astype(np.float32, copy=False)
