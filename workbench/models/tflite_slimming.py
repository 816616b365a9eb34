"""Takes out of a LiteRT file what no runtime reads.

Operations and what they compute keep their names, so that it can still be compared with its model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def slim_tflite(path: Path) -> None:
    """Shortens a ``.tflite`` file in place; it computes the same.

    Names of constants become numbers, fused operations keep the first and the last of their names, and the
    converter's notes on itself go. A constant needs some name: OpenVINO tells tensors apart by it.
    """
    import flatbuffers  # type: ignore[import-untyped]
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    for graph in model.subgraphs:
        ends = {*graph.inputs, *graph.outputs}
        for index, tensor in enumerate(graph.tensors):
            constant = _has_content(model.buffers[tensor.buffer])
            if index not in ends:
                tensor.name = b"%d" % index if constant else _first_and_last(tensor.name or b"")
    model.metadata = None
    model.description = None
    builder = flatbuffers.Builder(path.stat().st_size)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())


def _has_content(buffer: Any) -> bool:
    # Above 2 GiB the content lies behind the tables, at an offset.
    return (buffer.data is not None and len(buffer.data) > 0) or buffer.size > 1


def _first_and_last(name: bytes) -> bytes:
    parts = name.split(b";")
    return name if len(parts) < 3 else parts[0] + b";" + parts[-1]
