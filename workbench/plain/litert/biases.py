"""Rounds the biases of a LiteRT file, whose bits a small file is full of otherwise."""

from __future__ import annotations

from pathlib import Path

from .buffers import read_tables
from .strip import LARGEST_BYTES


def round_biases(path: Path | str) -> None:
    """Rounds float32 biases to multiples of a power of two, in place: 8 bits for the largest of a layer.

    They stay float32, so that the file is as long and computes as before; the zeros at the end of each number
    pack well. An error is at most 1/128 of the largest bias of the layer. A file of 2 GiB or more stays as it
    is.

    Args:
        path: A ``.tflite`` file.
    """
    import flatbuffers
    import numpy as np
    from ai_edge_litert import schema_py_generated as schema

    operators = schema.BuiltinOperator
    # The place of the bias among the inputs of an operation.
    places = {
        operators.CONV_2D: 2,
        operators.DEPTHWISE_CONV_2D: 2,
        operators.FULLY_CONNECTED: 2,
        operators.TRANSPOSE_CONV: 3,
        operators.CONV_3D: 2,
    }
    path = Path(path)
    if path.stat().st_size > LARGEST_BYTES:
        return
    model = read_tables(path.read_bytes())
    rounded = set()
    for graph in model.subgraphs:
        for operator in graph.operators:
            place = places.get(model.operatorCodes[operator.opcodeIndex].builtinCode)
            if place is None or len(operator.inputs) <= place or operator.inputs[place] < 0:
                continue
            tensor = graph.tensors[operator.inputs[place]]
            buffer = model.buffers[tensor.buffer]
            constant = buffer.data is not None and len(buffer.data) > 0
            if tensor.type != schema.TensorType.FLOAT32 or not constant or tensor.buffer in rounded:
                continue
            rounded.add(tensor.buffer)
            biases = np.frombuffer(bytes(buffer.data), np.float32)
            largest = np.abs(biases).max()
            # Smaller ones than these are as good as nothing, and their step would be zero.
            if np.isfinite(largest) and largest > 128 * np.finfo(np.float32).tiny:
                step = np.exp2(np.ceil(np.log2(largest)) - 7).astype(np.float32)
                buffer.data = np.frombuffer((np.round(biases / step) * step).tobytes(), np.uint8)
    builder = flatbuffers.Builder(path.stat().st_size)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())
