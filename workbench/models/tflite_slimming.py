"""Takes out of a LiteRT file what no runtime reads, and writes once what stands in it several times.

Operations and what they compute keep their names, so that it can still be compared with its model.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def slim_tflite(path: Path) -> None:
    """Shortens a ``.tflite`` file in place; it computes the same.

    Names of constants become numbers, also of those that are widened before they are used; fused operations
    keep the first and the last of their names, and the converter's notes on itself go. A constant needs some
    name: OpenVINO tells tensors apart by it. Equal constants share a buffer, and what is computed has the
    empty one, which is the first by convention.
    """
    import flatbuffers  # type: ignore[import-untyped]
    from ai_edge_litert import schema_py_generated as schema

    class SharingBuilder(flatbuffers.Builder):  # type: ignore[misc]
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
            return self._once((x.dtype.str, x.tobytes()), lambda: write(x))

        def CreateString(self, s: Any, *arguments: Any) -> int:  # noqa: N802  (the name that it overrides)
            write = super().CreateString
            return self._once(s, lambda: write(s, *arguments))

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    if any(buffer.offset > 1 for buffer in model.buffers):
        return  # Above 2 GiB contents lie behind the tables, which cannot be written alone.
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
    builder = SharingBuilder(path.stat().st_size)
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
            key = bytes(buffer.data)
            if key not in places:
                places[key] = len(kept)
                kept.append(buffer)
            tensor.buffer = places[key]
    model.buffers = kept


def _has_content(buffer: Any) -> bool:
    return buffer.data is not None and len(buffer.data) > 0


def _first_and_last(name: bytes) -> bytes:
    parts = name.split(b";")
    return name if len(parts) < 3 else parts[0] + b";" + parts[-1]
