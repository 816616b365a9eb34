"""Looks through an HDF5 file without reading a single tensor.

HDF5 can point to other files (external links, external storage, virtual datasets) and can declare
arrays that it does not hold; both are found from the file's structure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

from workbench.api.text import say
from workbench.models.intake.findings import (
    LARGEST_CONFIG_BYTES,
    LARGEST_WEIGHTS_BYTES,
    MOST_OBJECTS,
    Problem,
    damaged,
    expands_too_much,
    size_text,
)
from workbench.models.intake.keras_config import StoredWeights, too_large

if TYPE_CHECKING:
    import h5py

MAGIC = b"\x89HDF\r\n\x1a\n"


@dataclass
class Hdf5Contents:
    """What was found in an HDF5 file.

    Attributes:
        problems: Reasons not to read it.
        weights: The tensors, those of the optimizer apart.
        optimizer_bytes: Bytes of stored optimizer state.
        model_config: The JSON text of the architecture (``.h5`` of Keras 1 to 3); None if absent.
        keras_version: Version that wrote it, if it says so.
        groups: Names at the top.
    """

    problems: list[Problem] = field(default_factory=list)
    weights: StoredWeights = field(default_factory=StoredWeights)
    optimizer_bytes: int = 0
    model_config: bytes | None = None
    keras_version: str = ""
    groups: tuple[str, ...] = ()


def look_through(source: BinaryIO, name: str, held_bytes: int) -> Hdf5Contents:
    """Finds everything in an HDF5 file that stands against reading it.

    Args:
        source: The file, open for reading.
        name: Its name, for the problems.
        held_bytes: Bytes of the file.
    """
    import h5py

    found = Hdf5Contents()
    try:
        with h5py.File(source, "r") as file:
            _look(file, found, name, held_bytes)
    # h5py turns each of the library's error classes into another built-in exception.
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        MemoryError,
    ):
        found.problems.append(damaged(name))
    return found


def _look(file: h5py.File, found: Hdf5Contents, name: str, held_bytes: int) -> None:
    declared = 0
    longest = 0
    elements = 0
    count = 0
    for path, item in _objects(file, name):
        count += 1
        if count > MOST_OBJECTS:
            found.problems.append(_too_many(name))
            return
        if isinstance(item, Problem):
            found.problems.append(item)
            continue
        large = _large_attribute(item)
        if large:
            found.problems.append(too_large(name, f"{path}@{large[0]}", large[1]))
            return
        if not hasattr(item, "dtype"):
            continue
        outside = _outside(item, path, name)
        if outside:
            found.problems.append(outside)
            continue
        size = prod(item.shape or ()) * item.dtype.itemsize
        declared += size
        if path.startswith(("/optimizer", "/optimizer_weights")):
            found.optimizer_bytes += size
        else:
            longest = max(longest, *(item.shape or (0,)), 0)
            elements += prod(item.shape or ())
    if declared > LARGEST_WEIGHTS_BYTES or expands_too_much(declared, held_bytes):
        found.problems.append(declares_too_much(name, declared, held_bytes))
    found.weights = StoredWeights(longest_axis=longest, elements=elements)
    found.groups = tuple(file.keys())
    found.keras_version = _as_text(file.attrs.get("keras_version", ""))
    config = file.attrs.get("model_config")
    if config is not None:
        found.model_config = config if isinstance(config, bytes) else str(config).encode()


def _objects(file: h5py.File, name: str) -> Iterator[tuple[str, Any]]:
    """Groups and datasets, each once even if groups contain themselves; or a problem with a link."""
    import h5py

    seen: set[int] = set()
    pending: list[tuple[str, Any]] = [("", file)]
    while pending:
        path, group = pending.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            continue
        seen.add(address)
        yield path or "/", group
        for key in group:
            inner = f"{path}/{key}"
            link = group.get(key, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                yield inner, _points_outside(name, inner, "an external link")
            elif isinstance(link, h5py.SoftLink):
                yield inner, _points_outside(name, inner, "a soft link")
            else:
                item = group[key]
                if isinstance(item, h5py.Group):
                    pending.append((inner, item))
                else:
                    yield inner, item


def _large_attribute(item: Any) -> tuple[str, int] | None:
    import h5py

    for key in item.attrs:
        size = h5py.h5a.get_info(item.id, key.encode()).data_size
        if size > LARGEST_CONFIG_BYTES:
            return key, size
    return None


def _outside(dataset: Any, path: str, name: str) -> Problem | None:
    if not hasattr(dataset, "is_virtual"):  # a named type
        return None
    if dataset.external:
        return _points_outside(name, path, "external storage")
    if dataset.is_virtual:
        return _points_outside(name, path, "a virtual dataset")
    if dataset.dtype.hasobject:
        return Problem(
            say("{path} in {name} holds objects instead of numbers.", path=path, name=name),
            say("Save the model again with model.save."),
            refused=True,
        )
    return None


def _points_outside(name: str, path: str, what: str) -> Problem:
    return Problem(
        say("{path} in {name} points outside of its place: {what}.", path=path, name=name, what=what),
        say("Keras never writes that: do not open this file."),
        refused=True,
    )


def _too_many(name: str) -> Problem:
    return Problem(
        say("{name} holds more than {limit:,} objects.", name=name, limit=MOST_OBJECTS),
        say("No model needs that: do not open this file."),
        refused=True,
    )


def declares_too_much(name: str, declared: int, held_bytes: int) -> Problem:
    """The problem of a file whose tensors are far larger than the file."""
    if declared > LARGEST_WEIGHTS_BYTES:
        return Problem(
            say(
                "{name} declares {declared} of weights; the limit is {limit}.",
                name=name,
                declared=size_text(declared),
                limit=size_text(LARGEST_WEIGHTS_BYTES),
            ),
            refused=True,
        )
    return Problem(
        say(
            "{name} declares {declared} of weights and holds only {held}.",
            name=name,
            declared=size_text(declared),
            held=size_text(held_bytes),
        ),
        say("Reading it would fill the memory: do not open this file."),
        refused=True,
    )


def _as_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
