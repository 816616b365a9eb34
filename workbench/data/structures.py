"""Inputs and targets as Keras takes them: one array, a list or tuple of arrays, or a dict, also nested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np

from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say, verbatim
from workbench.data.fitting import positions
from workbench.data.mapping import labelled
from workbench.data.raw import Array, Samples, check_limit


def samples_of(parts: Any, suffix: str, limit_bytes: int) -> tuple[Samples, tuple[Text, ...]]:
    """One block of samples from ``(x, y)`` or ``(x, y, sample_weight)``.

    Args:
        parts: The two or three; y is None where there are no labels.
        suffix: How the source calls the block.
        limit_bytes: The most memory that the values may take.

    Returns:
        The samples, and what the user should know of how they were read.

    Raises:
        InvalidInput: If there are no labels, or samples of different shapes.
    """
    x, y = parts[0], parts[1]
    if x is None:
        raise InvalidInput(say("x is None."), say("Give (x, y): the samples, and the class of each."))
    if y is None:
        return labelled(named(x, None, limit_bytes), {}, suffix), ()
    count = _count(x, y)
    weights = named(parts[2], count, limit_bytes) if len(parts) == 3 and parts[2] is not None else {}
    targets = named(y, count, limit_bytes)
    return labelled(named(x, count, limit_bytes), targets, suffix, of_targets(weights, targets)), ()


def of_targets(weights: dict[str, Array], targets: dict[str, Array]) -> dict[str, Array]:
    """Weights under the names of targets, where they came in a list beside labels in a dict.

    Args:
        weights: By the names that :func:`named` gave them.
        targets: Labels by the names of their targets.
    """
    if len(weights) == len(targets) > 1 and not set(weights) & set(targets):
        return dict(zip(targets, weights.values(), strict=True))
    return weights


def named(structure: Any, count: int | None, limit_bytes: int) -> dict[str, Array]:
    """The arrays of a structure by name; those of a list or tuple by their positions.

    Args:
        structure: One array, or a list, tuple or dict of them.
        count: Samples that there are: a list of as many is one array. None where a list always holds one
            array for each input, as in what a ``tf.data.Dataset`` gives.
        limit_bytes: The most memory that one array may take.
    """
    if isinstance(structure, Mapping):
        return {name: as_array(leaf, limit_bytes) for name, leaf in _leaves(structure)}
    if isinstance(structure, list | tuple) and _holds_arrays(structure, count):
        leaves = [leaf for part in structure for _, leaf in _leaves(part)]
        if len(leaves) == 1:
            return {"": as_array(leaves[0], limit_bytes)}
        return {
            name: as_array(leaf, limit_bytes)
            for name, leaf in zip(positions(len(leaves)), leaves, strict=True)
        }
    return {"": as_array(structure, limit_bytes)}


def _leaves(structure: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """What a nested structure holds, under the innermost names where those are different."""
    if not isinstance(structure, Mapping) and not (
        isinstance(structure, list | tuple) and _holds_arrays(structure, None)
    ):
        yield prefix, structure
        return
    parts = structure.items() if isinstance(structure, Mapping) else enumerate(structure)
    found = [(str(key), list(_leaves(part, str(key)))) for key, part in parts]
    inner = [name for _, leaves in found for name, _ in leaves]
    for key, leaves in found:
        for name, leaf in leaves:
            yield (name if inner.count(name) == 1 or name == key else f"{key}.{name}"), leaf


def _holds_arrays(structure: list[Any] | tuple[Any, ...], count: int | None) -> bool:
    """Whether a list or tuple has one array for each input, and not one entry for each sample."""
    if not structure:
        return False
    if any(isinstance(part, Mapping) for part in structure):
        return True
    shapes = [_shape(part) for part in structure]
    if count is None:
        return all(shape is not None for shape in shapes)
    if all(shapes):
        return len(structure) != count
    sequences = all(isinstance(part, list | tuple) or _shape(part) for part in structure)
    return sequences and len(structure) != count and all(len(part) == count for part in structure)


def _count(x: Any, y: Any) -> int | None:
    """How many samples ``(x, y)`` has, as far as that shows before they are read."""
    for side in (y, x):
        leaf = side
        while isinstance(leaf, Mapping) and leaf:
            leaf = next(iter(leaf.values()))
        shape = _shape(leaf)
        if shape:
            return int(shape[0])
        if isinstance(leaf, list | tuple) and not any(
            isinstance(part, list | tuple | Mapping) or _shape(part) for part in leaf
        ):
            return len(leaf)
    if not (isinstance(x, list | tuple) and isinstance(y, list | tuple) and x and y):
        return None
    inner = {len(side[0]) for side in (x, y)}
    if len(x) == len(y):
        # Lists of samples and labels, or of as many inputs as targets: then all have one length.
        return max(len(x), *inner) if len(inner) == 1 else len(x)
    return len(y[0])


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of an array of any package; None for what has none."""
    shape = getattr(value, "shape", None)
    try:
        return None if shape is None else tuple(int(size) for size in shape)
    except (TypeError, ValueError):
        return None


def as_array(values: Any, limit_bytes: int) -> Array:
    """An array of NumPy from one of any package.

    Args:
        values: An array, a tensor, a sparse matrix, a column or frame of pandas, or nested lists.
        limit_bytes: The most memory that a sparse matrix may take when it is filled up.

    Raises:
        InvalidInput: If its samples have different shapes.
        Refused: If it would take more than the limit.
    """
    if hasattr(values, "iloc") and hasattr(values, "columns"):
        from workbench.data.tables import numbers_of

        return numbers_of(values, limit_bytes)
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        check_limit(prod(values.shape) * values.dtype.itemsize, limit_bytes, say("The sparse matrix"))
        values = values.toarray()
    if hasattr(values, "detach"):  # a tensor of PyTorch, which may be on a GPU or part of a training
        values = values.detach().cpu()
    if type(values).__name__ == "RaggedTensor":
        raise _ragged("RaggedTensor")
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise _ragged(str(error)[:200]) from error


def _ragged(reason: str) -> InvalidInput:
    return InvalidInput(
        say("Samples of different shapes cannot be one array: {reason}", reason=verbatim(reason)),
        say("Pad or crop them to one shape first."),
    )
