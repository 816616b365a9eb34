"""Raw values in the type that the model's inputs take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import ModelDescription, TensorSpec
from workbench.data.raw import Array, RawData, Samples

LARGEST_FLOAT32_WHOLE = 2**24
"""Above it, not every whole number has a float32."""


def specs_of(names: Sequence[str], model: ModelDescription | None) -> dict[str, TensorSpec | None]:
    """Which input of the model each array of the data is for: by name, else by its place.

    Args:
        names: The arrays' names in the order of the source.
        model: The model; None where it is not known.

    Returns:
        None for an array that the model has no input for, which is said later with both sides' shapes.
    """
    specs = () if model is None else model.inputs
    by_name = {spec.name: spec for spec in specs}
    by_place = dict(zip(names, specs, strict=False)) if len(names) == len(specs) else {}
    return {name: by_name.get(name) or by_place.get(name) for name in names}


def as_model_takes(raw: RawData, model: ModelDescription | None) -> RawData:
    """Text as fixed-width unicode where an input takes text.

    Args:
        raw: The data as read.
        model: The model; without one the data stay as they are.

    Raises:
        InvalidInput: For text where the model takes numbers, and numbers where it takes text.
    """
    if model is None:
        return raw
    specs = specs_of(raw.inputs, model)
    splits = {}
    for split, samples in raw.splits.items():
        arrays = {}
        for name, values in samples.x.items():
            spec = specs.get(name)
            arrays[name] = values if spec is None else _of_kind(samples, name, values, spec)
        splits[split] = replace(samples, x=arrays)
    return replace(raw, splits=splits)


def stored_type(spec: TensorSpec | None, values: Array) -> np.dtype[np.generic]:
    """The element type that an array is stored in: the model's own for whole numbers and text, else float32.

    Args:
        spec: The model's input; None where it is not known.
        values: The raw values.
    """
    if values.dtype.kind == "U":
        return values.dtype
    if spec is not None and spec.takes_whole_numbers and values.dtype.kind in "biuf":
        return np.dtype(spec.dtype)
    return np.dtype(np.float32)


def kept_type(dtype: np.dtype[np.generic], values: Array) -> np.dtype[np.generic]:
    """The element type that an array has on disk: its own where that is smaller than float32.

    Args:
        dtype: The element type that the model takes.
        values: The raw values.
    """
    small = values.dtype.kind in "biuf" and values.dtype.itemsize < dtype.itemsize
    return values.dtype.newbyteorder("=") if dtype == np.float32 and small else dtype


def as_whole_numbers(values: Array, dtype: np.dtype[np.generic], called: str) -> Array:
    """Values as whole numbers of a type, none of them changed.

    Raises:
        InvalidInput: For fractions and for numbers that the type does not hold, with counts.
    """
    if values.dtype == dtype:
        return values
    if values.dtype.kind == "f":
        broken = int((values != np.rint(values)).sum())
        if broken:
            raise InvalidInput(
                say(
                    "{broken} of {count} values in {name} are no whole numbers; the model's input takes "
                    "{dtype}.",
                    broken=broken,
                    count=values.size,
                    name=called,
                    dtype=dtype.name,
                ),
                say("Give the data as they were before scaling, or a model with a float32 input."),
            )
    limits = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)  # type: ignore[type-var]  # an integer type, its kind says
    # compared as Python's numbers, which no type rounds
    if values.size and (int(values.min()) < limits[0] or int(values.max()) > limits[1]):
        raise InvalidInput(
            say(
                "{name} holds whole numbers from {low} to {high}; the model's input takes {dtype}, from "
                "{least} to {most}.",
                name=called,
                low=int(values.min()),
                high=int(values.max()),
                dtype=dtype.name,
                least=int(limits[0]),
                most=int(limits[1]),
            ),
            say("Number the values from 0, or give the model an input of a wider type."),
        )
    return values.astype(dtype)


def _of_kind(samples: Samples, name: str, values: Array, spec: TensorSpec) -> Array:
    called = samples.called("x", name)
    if spec.role == "text":
        values = _text(values, called)
    elif values.dtype.kind in "USO" and _is_text(values):
        raise InvalidInput(
            say(
                "{name} holds text, and the model's input {input} takes {dtype}.",
                name=called,
                input=spec.name,
                dtype=spec.dtype,
            ),
            say(
                "Encode the text as it was encoded for the training, or open a model whose first layer is "
                "TextVectorization or StringLookup."
            ),
        )
    return values


def _is_text(values: Array) -> bool:
    return values.dtype.kind in "US" or any(isinstance(value, str | bytes) for value in values.flat[:100])


def _text(values: Array, called: str) -> Array:
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind == "U":
        return values
    if values.dtype.kind == "O":
        strange = [value for value in values.flat if not isinstance(value, str | bytes)]
        if not strange:
            plain = [
                value if isinstance(value, str) else value.decode("utf-8", "replace") for value in values.flat
            ]
            return np.asarray(plain, str).reshape(values.shape)
        raise InvalidInput(
            say(
                "{broken} of {count} values in {name} are no text, such as {example}; the model takes text.",
                broken=len(strange),
                count=values.size,
                name=called,
                example=repr(strange[0])[:40],
            ),
            say("Fill missing values with an empty text, and turn the others into text."),
        )
    raise InvalidInput(
        say("{name} holds {dtype} values, and the model takes text.", name=called, dtype=str(values.dtype)),
        say("Give the text itself, for instance with {name}.astype(str).", name=called),
    )
