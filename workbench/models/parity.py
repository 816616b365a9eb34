"""Proof that a model read in another way than it was written still computes the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InvalidInput
from workbench.text import say
from workbench.variant import TensorSpec

TOLERANCE = 1e-5
"""Largest accepted difference, relative to the largest output where that is above 1."""
SAMPLES = 4
FREE_LENGTH = 64
"""Length tried for an axis whose length is free."""

Arrays = list[npt.NDArray[Any]]


def random_inputs(specs: Sequence[TensorSpec], seed: int = 0) -> Arrays:
    """Random samples for a model's inputs.

    Args:
        specs: The inputs.
        seed: Seed.

    Returns:
        One array per input, :data:`SAMPLES` samples each: numbers from 0 to 1, which are valid
        indices for an Embedding too; whole-number inputs get 0 and 1.
    """
    rng = np.random.default_rng(seed)
    arrays: Arrays = []
    for spec in specs:
        shape = (SAMPLES, *(FREE_LENGTH if length is None else length for length in spec.shape))
        if np.issubdtype(np.dtype(spec.dtype), np.floating):
            arrays.append(rng.random(shape, dtype=np.float32).astype(spec.dtype))
        else:
            arrays.append(rng.integers(0, 2, shape).astype(spec.dtype))
    return arrays


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
        workbench.errors.InvalidInput: If the outputs differ by more than :data:`TOLERANCE`.
    """
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
    """What a Keras model (2 or 3) gives for inputs in its own order, as a flat list."""
    fed = inputs[0] if len(inputs) == 1 else inputs
    made = model(fed, training=False)
    # TensorFlow tensors warn when NumPy asks them itself
    return [array.numpy() if hasattr(array, "numpy") else np.asarray(array) for array in _flat(made)]


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [item for key in sorted(value) for item in _flat(value[key])]
    if isinstance(value, list | tuple):
        return [item for inner in value for item in _flat(inner)]
    return [value]
