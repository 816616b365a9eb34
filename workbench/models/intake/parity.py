"""Proof that a model read in another way than it was written still computes the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import TensorSpec

TOLERANCE = 1e-5
"""Largest accepted difference, relative to the largest output where that is above 1."""
SAMPLES = 4
LENGTHS = (64, 16, 256, 1024, 4096)
"""Lengths tried for axes whose length is free, until the model can be run with one."""
LARGEST_TRIED = 2**22
"""Numbers in one input that is tried."""

Arrays = list[npt.NDArray[Any]]


def random_inputs(
    specs: Sequence[TensorSpec], seed: int = 0, *, samples: int = SAMPLES, length: int = LENGTHS[0]
) -> Arrays:
    """Random samples for a model's inputs.

    Args:
        specs: The inputs.
        seed: Seed.
        samples: How many; a model with a fixed batch takes no other number.
        length: Of every axis whose length is free.

    Returns:
        One array per input: numbers from 0 to 1, which are valid indices for an Embedding too;
        whole-number inputs get 0 and 1, text inputs the words "0" and "1".
    """
    rng = np.random.default_rng(seed)
    arrays: Arrays = []
    for spec in specs:
        shape = (samples, *(length if size is None else size for size in spec.shape))
        if spec.dtype == "string":
            arrays.append(rng.integers(0, 2, shape).astype(str))
        elif spec.dtype.startswith(("float", "bfloat")):
            arrays.append(rng.random(shape, dtype=np.float32).astype(_numpy_name(spec.dtype)))
        else:
            arrays.append(rng.integers(0, 2, shape).astype(spec.dtype))
    return arrays


def tried_inputs(
    model: Any, specs: Sequence[TensorSpec], *, batch: int | None = None
) -> tuple[Arrays, Arrays]:
    """Random input that a Keras model (2 or 3) can be run on, and its outputs.

    Lengths that the model leaves free are made up, and an unpadded convolution or a pooling may not fit into
    every one: they are tried in turn.

    Args:
        model: The model.
        specs: Its inputs.
        batch: Samples that it takes in a call; None if any number.

    Raises:
        Exception: What the model raised on the last try. With free lengths this is no verdict on it.
    """
    free = any(size is None for spec in specs for size in spec.shape)
    tries = LENGTHS if free else LENGTHS[:1]
    failed: Exception = ValueError("there is no input to try")
    for number, length in enumerate(tries, start=1):
        inputs = random_inputs(specs, samples=batch or SAMPLES, length=length)
        if number > 1 and max(array.size for array in inputs) > LARGEST_TRIED:
            continue
        try:
            outputs = outputs_of(model, inputs)
            # Where a kernel does not fit in, TensorFlow may hand out memory that nobody wrote.
            if largest_difference(outputs, outputs_of(model, inputs)) <= TOLERANCE:
                return inputs, outputs
            failed = ValueError("on random input its output is no number, or changes from run to run")
        # Keras and TensorFlow raise whatever the layers raise on input that does not fit
        except Exception as error:
            failed = error
    raise failed


def same_model(first: Any, second: Any) -> bool:
    """Whether two Keras models have equal configurations and equal weights."""
    if _plain_config(first) != _plain_config(second) or len(first.weights) != len(second.weights):
        return False
    pairs = zip(first.weights, second.weights, strict=True)
    return all(np.array_equal(np.asarray(one), np.asarray(other)) for one, other in pairs)


def largest_difference(first: Arrays, second: Arrays) -> float:
    """Largest absolute difference over all outputs, relative to the scale where that is above 1.

    Args:
        first: Outputs of the model as it was.
        second: Outputs of the model as it is now, in the same order.

    Returns:
        ``max |first - second| / max(1, max |first|)``; infinite for other shapes or NaN.
    """
    if len(first) != len(second):
        return float("inf")
    largest = 0.0
    for before, after in zip(first, second, strict=True):
        if before.shape != after.shape:
            return float("inf")
        if not before.size:
            continue
        scale = max(1.0, float(np.max(np.abs(before))))
        difference = float(np.max(np.abs(before.astype(np.float64) - after))) / scale
        largest = max(largest, difference if np.isfinite(difference) else float("inf"))
    return largest


def require_parity(first: Arrays, second: Arrays, name: str) -> float:
    """The largest difference, if it is small enough.

    Raises:
        workbench.api.errors.InvalidInput: If the outputs differ by more than :data:`TOLERANCE`, or are no
            numbers.
    """
    if not all(np.isfinite(array).all() for array in first if array.dtype.kind == "f"):
        raise InvalidInput(
            say("On random input {name} gives values that are no numbers (NaN or infinity).", name=name),
            say("Check its weights: a training that diverged leaves such ones. Train it again, and save it."),
        )
    difference = largest_difference(first, second)
    if difference > TOLERANCE:
        raise InvalidInput(
            say(
                "{name} was read, but it no longer computes the same: on random input its output differs by "
                "{difference:.1e} (at most {tolerance:.0e} is accepted).",
                name=name,
                difference=difference,
                tolerance=TOLERANCE,
            ),
            say("Save the model as a .keras file with the Keras that made it, and open that."),
        )
    return difference


def outputs_of(model: Any, inputs: Arrays) -> Arrays:
    """What a Keras model (2 or 3) gives for inputs in its own order, as a flat list.

    Layers that keep their state from call to call start from none.
    """
    _forget(model)
    tensors = [_as_tensor(array) for array in inputs]
    fed = tensors[0] if len(tensors) == 1 else tensors
    made = model(fed, training=False)
    # TensorFlow tensors warn when NumPy asks them itself
    return [array.numpy() if hasattr(array, "numpy") else np.asarray(array) for array in _flat(made)]


def _forget(model: Any) -> None:
    for layer in model._flatten_layers():
        if hasattr(layer, "cell") and getattr(layer, "stateful", False):
            # as Keras 3 calls it, and Keras 2
            (layer.reset_state if hasattr(layer, "reset_state") else layer.reset_states)()


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [item for key in sorted(value) for item in _flat(value[key])]
    if isinstance(value, list | tuple):
        return [item for inner in value for item in _flat(inner)]
    return [value]


def _as_tensor(array: npt.NDArray[Any]) -> Any:
    """Keras takes text as a tensor only."""
    if array.dtype.kind != "U":
        return array
    import tensorflow as tf

    return tf.constant(array)


def _numpy_name(dtype: str) -> str:
    # NumPy has no bfloat16 of its own; Keras casts what it is given
    return "float32" if dtype == "bfloat16" else dtype


def _plain_config(model: Any) -> str:
    return json.dumps(model.get_config(), sort_keys=True, default=repr)
