"""The constants of a LiteRT file, which lie in its tables or, as those of large files may, behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def content_of(buffer: Any, file: bytes) -> npt.NDArray[np.uint8]:
    """The bytes of a constant, none for what is computed.

    Args:
        buffer: A ``Buffer`` of the tables.
        file: The whole file.

    Raises:
        ValueError: If it lies outside of the file.
    """
    found = _behind(buffer.Offset(), buffer.Size(), buffer.DataAsNumpy(), file)
    return found if isinstance(found, np.ndarray) else np.empty(0, np.uint8)


def read_tables(file: bytes) -> Any:
    """A file as ``ModelT``, with every constant in its buffer, wherever the file has it.

    Args:
        file: The whole file; what is read looks into it.

    Raises:
        ValueError: If a constant lies outside of the file.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(file, 0)
    for buffer in model.buffers:
        buffer.data = _behind(buffer.offset, buffer.size, buffer.data, file)
        buffer.offset = buffer.size = 0
    for graph in model.subgraphs:
        for operator in graph.operators:
            options = operator.largeCustomOptionsOffset, operator.largeCustomOptionsSize
            operator.customOptions = _behind(*options, operator.customOptions, file)
            operator.largeCustomOptionsOffset = operator.largeCustomOptionsSize = 0
    return model


def _behind(offset: int, size: int, inside: Any, file: bytes) -> Any:
    if offset < 2:  # 1 holds a place while a file is written
        return inside
    if offset + size > len(file):
        raise ValueError(f"a constant of {size} bytes at {offset} in a file of {len(file)} bytes")
    return np.frombuffer(file, np.uint8, size, offset)
