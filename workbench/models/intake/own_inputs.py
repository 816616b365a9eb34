"""What a model of the user's own class is called with: where its shapes are known from, and of which kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.text import say

_SAMPLES = 8
"""Samples on which a graph is compared with the model that it came from."""
_FREE_LENGTHS = (16, 4)
"""Made up for a length that is free, where no samples are known; a model may take no longer one."""


@dataclass(frozen=True)
class InputForm:
    """One way to call a model.

    Attributes:
        shapes: Of each input, without the batch, in the structure that the model takes.
        samples: Inputs in the same structure.
    """

    shapes: Any
    samples: Any


@dataclass(frozen=True)
class _Shape:
    """A shape that no walk through a structure takes apart."""

    sizes: tuple[int | None, ...]
    name: str


def forms_of(model: Any, samples: Any) -> list[InputForm]:
    """The ways in which a model may have to be called, the likeliest first.

    Token ids stay whole numbers where the data's are; where no samples are known, both are tried.

    Args:
        model: A Keras model.
        samples: A few inputs, or None.

    Raises:
        InvalidInput: If nothing says which shapes it takes.
    """
    import keras

    shapes = _shapes(model)
    given = _fitting(samples, shapes)
    if shapes is None:
        if given is None:
            raise InvalidInput(
                say("The model has no input shape yet."),
                say("Add keras.Input(shape) in front, or call the model once on a batch."),
            )
        shapes = keras.tree.map_structure(lambda array: _Shape(array.shape[1:], "inputs"), given)
    tried = [given] if given is not None else [_made_up(shapes, length) for length in _lengths(shapes)]
    declared = [tensor.dtype for tensor in getattr(model, "inputs", None) or ()]
    if declared:  # its author has said it
        return [InputForm(shapes, _of_kinds(samples, declared)) for samples in tried]
    return [
        InputForm(shapes, keras.tree.map_structure(convert, samples))
        for samples in tried
        for convert in (_as_computed, _as_whole, *([_as_text] if given is None else []))
    ]


def _of_kinds(samples: Any, kinds: Sequence[str]) -> Any:
    import keras

    flat = keras.tree.flatten(samples)
    arrays = [_as(array, kind) for array, kind in zip(flat, kinds, strict=True)]
    return keras.tree.pack_sequence_as(samples, arrays)


def _lengths(shapes: Any) -> Sequence[int]:
    import keras

    free = any(size is None for shape in keras.tree.flatten(shapes) for size in shape.sizes)
    return _FREE_LENGTHS if free else _FREE_LENGTHS[:1]


def _made_up(shapes: Any, length: int) -> Any:
    import keras

    rng = np.random.default_rng(0)
    return keras.tree.map_structure(
        lambda shape: rng.integers(
            0, 2, (_SAMPLES, *(length if size is None else size for size in shape.sizes))
        ),
        shapes,
    )


def with_ids(form: InputForm, looked_up: Sequence[bool]) -> InputForm | None:
    """The form in which ids are whole numbers; None if it is that already.

    Args:
        form: A form that a model can be called in.
        looked_up: Of each input, whether its values are looked up in a table.
    """
    import keras

    samples = keras.tree.flatten(form.samples)
    changed = [
        _as_whole(array.astype("int64")) if ids and isinstance(array, np.ndarray) else array
        for array, ids in zip(samples, looked_up, strict=True)
    ]
    if [_kind(one) for one in changed] == [_kind(one) for one in samples]:
        return None
    return InputForm(form.shapes, keras.tree.pack_sequence_as(form.samples, changed))


def symbolic_inputs(form: InputForm) -> Any:
    """An input of Keras for each input, in their structure and with their names."""
    import keras

    return keras.tree.map_structure(
        lambda shape, array: keras.Input(shape.sizes, dtype=_kind(array), name=shape.name),
        form.shapes,
        form.samples,
    )


def samples_in(data: Any) -> Any:
    """A few inputs of data that are in memory; None of anything else."""
    if isinstance(data, tuple | list) and len(data) in (2, 3):
        x = data[0]
    elif isinstance(data, dict):
        x = next((data[name] for name in ("x", "x_test", "x_train") if name in data), None)
    else:
        return None
    if isinstance(x, dict):
        few = {name: _few(values) for name, values in x.items()}
        return None if any(values is None for values in few.values()) else few
    if isinstance(x, list | tuple) and all(hasattr(values, "shape") for values in x):
        some = [_few(values) for values in x]
        return None if any(values is None for values in some) else some
    return _few(x)


def _few(values: Any) -> npt.NDArray[Any] | None:
    if not hasattr(values, "shape") or not hasattr(values, "dtype") or len(values.shape) < 1:
        return None
    few = np.asarray(values[:_SAMPLES])
    return few if few.dtype.kind in "fiubU" and len(few) else None


def _shapes(model: Any) -> Any:
    """What the model has noted of the first call, or was built for; None if nothing."""
    import keras

    inputs = getattr(model, "inputs", None)
    if inputs:
        # a Sequential keeps its graph in a functional model inside
        graph = getattr(model, "_functional", None) or model
        return keras.tree.map_structure(
            lambda tensor: _Shape(tuple(tensor.shape[1:]), tensor.name), graph._inputs_struct
        )
    noted = getattr(model, "_build_shapes_dict", None) or {}
    return _noted(next(iter(noted.values())), "inputs") if len(noted) == 1 else None


def _noted(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _noted(inner, str(key)) for key, inner in value.items()}
    if all(size is None or isinstance(size, int) for size in value):
        return _Shape(tuple(value[1:]), name)
    return [_noted(inner, f"{name}_{number}") for number, inner in enumerate(value, start=1)]


def _fitting(samples: Any, shapes: Any) -> Any:
    """The samples in the model's structure; None where they do not fit into it."""
    if samples is None or shapes is None:
        return samples
    import keras

    if not isinstance(shapes, dict | list) and isinstance(samples, list) and len(samples) == 1:
        samples = samples[0]
    try:
        keras.tree.assert_same_structure(shapes, samples)
    except ValueError:
        return None
    pairs = zip(keras.tree.flatten(shapes), keras.tree.flatten(samples), strict=True)
    return samples if all(_fits(shape, array) for shape, array in pairs) else None


def _fits(shape: _Shape, array: npt.NDArray[Any]) -> bool:
    return len(shape.sizes) == array.ndim - 1 and all(
        size in (None, given) for size, given in zip(shape.sizes, array.shape[1:], strict=True)
    )


def _kind(array: Any) -> str:
    return "string" if not isinstance(array, np.ndarray) else str(array.dtype)


def _as(array: Any, kind: str) -> Any:
    return _as_text(array) if kind == "string" else np.asarray(array).astype(kind)


def _as_computed(array: npt.NDArray[Any]) -> Any:
    return _as_text(array) if array.dtype.kind == "U" else array.astype("float32")


def _as_whole(array: npt.NDArray[Any]) -> Any:
    if array.dtype.kind not in "iub":
        return _as_computed(array)
    large = array.size and np.abs(array.astype("float64")).max() > np.iinfo("int32").max
    return array.astype("int64" if large else "int32")


def _as_text(array: npt.NDArray[Any]) -> Any:
    import tensorflow as tf

    return tf.constant(array.astype(str))
