"""Takes out of a LiteRT file what no runtime reads, and writes once what stands in it several times.

Operations and what they compute keep their names, so that it can still be compared with its model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .buffers import read_tables

LARGEST_BYTES = 2**31 - 2**16
"""What a file of one piece may hold: its tables count in 32 bits, with a sign."""


def strip_metadata(path: Path | str) -> None:
    """Shortens a ``.tflite`` file in place; it computes the same.

    Names of constants become numbers, also of those that are widened before they are used; fused operations
    keep the first and the last of their names, and the converter's notes on itself go. A constant needs some
    name: OpenVINO tells tensors apart by it. Equal constants share a buffer, and what is computed has the
    empty one, which is the first by convention. Constants behind the tables, where the LiteRT quantizer puts
    them from 256 KiB on, come back into them, where every reader looks.

    A file of 2 GiB or more stays as it is.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    class SharingBuilder(flatbuffers.Builder):
        """Writes equal vectors of numbers and equal strings once."""

        def __init__(self, size: int) -> None:
            super().__init__(size)
            self._written: dict[object, int] = {}

        def _once(self, key: object, write: Callable[[], int]) -> int:
            if key not in self._written:
                self._written[key] = write()
            return self._written[key]

        def CreateNumpyVector(self, x: Any) -> int:  # noqa: N802  (the name that it overrides)
            write = super().CreateNumpyVector
            return self._once((x.dtype.str, _digest(x)), lambda: write(x))

        def CreateString(self, s: Any, *arguments: Any) -> int:  # noqa: N802  (the name that it overrides)
            write = super().CreateString
            return self._once(s, lambda: write(s, *arguments))

    path = Path(path)
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        return
    model = read_tables(path.read_bytes())
    for graph in model.subgraphs:
        ends = {*graph.inputs, *graph.outputs}
        constants = {
            index for index, tensor in enumerate(graph.tensors) if _has_content(model.buffers[tensor.buffer])
        }
        constants |= {
            operator.outputs[0]
            for operator in graph.operators
            if model.operatorCodes[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.DEQUANTIZE
            and operator.inputs[0] in constants
        }
        for index, tensor in enumerate(graph.tensors):
            if index not in ends:
                tensor.name = b"%d" % index if index in constants else _first_and_last(tensor.name or b"")
            # It tells an unknown rank from none, where there is no shape.
            tensor.hasRank = tensor.hasRank and not (tensor.shape is not None and len(tensor.shape))
    _share_buffers(model)
    model.metadata = None
    model.description = None
    builder = SharingBuilder(size)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())


def _share_buffers(model: Any) -> None:
    kept, places = [model.buffers[0]], {}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            buffer = model.buffers[tensor.buffer]
            if not _has_content(buffer):
                tensor.buffer = 0
                continue
            key = _digest(buffer.data)
            if key not in places:
                places[key] = len(kept)
                kept.append(buffer)
            tensor.buffer = places[key]
    model.buffers = kept


def _has_content(buffer: Any) -> bool:
    return buffer.data is not None and len(buffer.data) > 0


def _digest(values: Any) -> bytes:
    # Of the content, so that no second copy of a large file is kept.
    return hashlib.sha256(values.tobytes()).digest()


def _first_and_last(name: bytes) -> bytes:
    parts = name.split(b";")
    return name if len(parts) < 3 else parts[0] + b";" + parts[-1]
