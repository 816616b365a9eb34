"""Columns of an Arrow table that are pictures or rows of numbers, read when they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.api.dataset import LARGE_BYTES
from workbench.api.errors import InvalidInput
from workbench.api.row_array import Rows, by_rows
from workbench.api.text import say
from workbench.data.raw import Array

_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF")
"""What the files of pictures begin with."""


def feature_kinds(table: Any) -> dict[str, dict[str, Any]]:
    """What the package ``datasets`` says of its columns, such as the names of classes; else nothing."""
    told = (table.schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(told)["info"]["features"] if told else {}
        return {str(name): kind for name, kind in features.items() if isinstance(kind, dict)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def class_names_of(kind: dict[str, Any] | None) -> tuple[str, ...] | None:
    """The names of the classes in the order of their numbers, where a column has them."""
    names = (kind or {}).get("names")
    if (kind or {}).get("_type") != "ClassLabel" or not isinstance(names, list) or not names:
        return None
    return tuple(map(str, names))


def is_picture_column(column: Any) -> bool:
    """Whether a column holds encoded pictures: their bytes, or a struct of ``bytes`` and ``path``."""
    from pyarrow import types

    kind = column.type
    if types.is_struct(kind):
        return {"bytes", "path"} <= {field.name for field in kind} and types.is_binary(
            kind.field("bytes").type
        )
    if not (types.is_binary(kind) or types.is_large_binary(kind)):
        return False
    first = next((value for value in column[:20].to_pylist() if value), b"")
    return bool(first.startswith(_STARTS))


def is_number_rows(column: Any) -> bool:
    """Whether each cell of a column is a row of numbers, or a table of them."""
    from pyarrow import types

    kind, deep = getattr(column.type, "storage_type", column.type), False
    while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind, deep = kind.value_type, True
    return deep and (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


class Pictures:
    """The pictures in a column.

    Args:
        column: As :func:`is_picture_column` knows it.
    """

    def __init__(self, column: Any) -> None:
        from pyarrow import types

        self._chunks = [
            chunk.field("bytes") if types.is_struct(chunk.type) else chunk for chunk in column.chunks
        ]
        self._starts = np.cumsum([0, *map(len, self._chunks)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __call__(self, positions: Sequence[int]) -> list[bytes]:
        """The pictures at some positions."""
        chunks = np.searchsorted(self._starts, np.asarray(positions, np.int64), "right") - 1
        return [
            self._chunks[chunk][int(position - self._starts[chunk])].as_py() or b""
            for position, chunk in zip(positions, chunks, strict=True)
        ]

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            for value in chunk:
                yield value.as_py() or b""


def number_rows(column: Any, name: str, rows: Array) -> Array:
    """The rows of numbers in a column, as one array.

    Args:
        column: As :func:`is_number_rows` knows it.
        name: The column.
        rows: Positions of those that are wanted, rising.

    Raises:
        InvalidInput: If they have different lengths, or values are missing.
    """
    chunks = [getattr(chunk, "storage", chunk) for chunk in column.chunks if len(chunk)]
    arrays = [_as_array(chunk, name) for chunk in chunks]
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) != 1:
        raise _ragged(name)
    starts = np.cumsum([0, *map(len, arrays)])
    shape, dtype = (len(rows), *shapes.pop()), np.result_type(*{array.dtype for array in arrays})

    def read(wanted: Rows) -> Array:
        positions = rows[wanted]
        found = np.empty((len(positions), *shape[1:]), dtype)
        of_chunk = np.searchsorted(starts, positions, "right") - 1
        for number in np.unique(of_chunk):
            here = of_chunk == number
            found[here] = arrays[number][positions[here] - starts[number]]
        return found

    size = int(np.prod(shape)) * dtype.itemsize
    return by_rows(read, shape, dtype) if size > LARGE_BYTES else read(slice(None))


def _as_array(chunk: Any, name: str) -> Array:
    """One chunk, without a copy where its numbers lie in one piece."""
    from pyarrow import types

    lengths = [len(chunk)]
    while not (types.is_primitive(chunk.type) or types.is_boolean(chunk.type)):
        if chunk.null_count:
            raise _missing(name, chunk.null_count)
        if types.is_fixed_size_list(chunk.type):
            inner = chunk.type.list_size
        else:
            ends = np.asarray(chunk.offsets)
            widths = np.unique(np.diff(ends))
            if len(widths) != 1:
                raise _ragged(name)
            inner = int(widths[0])
        lengths.append(inner)
        chunk = chunk.flatten()
    if chunk.null_count:
        raise _missing(name, chunk.null_count)
    values: Array = chunk.to_numpy(zero_copy_only=False)
    return values.reshape(lengths)


def _missing(name: str, count: int) -> InvalidInput:
    return InvalidInput(
        say("Column {column} lacks {count} values.", column=name[:60], count=count),
        say("Fill the missing values or leave those rows out."),
    )


def _ragged(name: str) -> InvalidInput:
    return InvalidInput(
        say("The rows in column {column} have different lengths.", column=name[:60]),
        say("Pad or cut them to one length, as they were for the training."),
    )
