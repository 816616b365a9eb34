"""Files that end after some operations of a LiteRT file, to tell how long each operation takes.

LiteRT tells nobody from Python how long its operations take. What a file takes that ends after an operation,
less what one takes that ends before it, is the time of that operation with the kernels of the deployed file,
whatever made it and however it is quantized.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .buffers import read_tables


def cut(file: bytes, count: int) -> bytes:
    """A file with the first operations of another one.

    What is computed and needed later, or given in the end, is given here, so that no kernel is left out.

    Args:
        file: A ``.tflite`` file.
        count: How many operations it keeps; without any it hands on its inputs.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = read_tables(file)
    graph = model.subgraphs[0]
    kept, later = graph.operators[:count], graph.operators[count:]
    used = {int(index) for operator in kept for index in operator.inputs}
    kept = [
        one for one in kept if not widens_constant(model, one) or used.intersection(map(int, one.outputs))
    ]
    made = {int(index) for one in kept if not widens_constant(model, one) for index in one.outputs}
    wanted = {int(index) for operator in later for index in operator.inputs} | set(map(int, graph.outputs))
    outputs = sorted(made & wanted) or [int(index) for index in graph.inputs]
    _let_go(model, {int(index) for operator in kept for index in (*operator.inputs, *operator.outputs)})
    graph.operators, graph.outputs = kept, np.array(outputs, np.int32)
    for signature in model.signatureDefs or ():
        if signature.subgraphIndex == 0:
            signature.outputs = [_given(schema, number, index) for number, index in enumerate(outputs)]
    model.metadata = None
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operation_count(file: bytes) -> int:
    """How many operations a file has."""
    return len(read_tables(file).subgraphs[0].operators)


def widens_constant(model: Any, operator: Any) -> bool:
    """Whether an operation only turns a stored constant into float32, as all weights of a float16 file are.

    Args:
        model: The file's tables, as ``ModelT``.
        operator: One of its operations.
    """
    from ai_edge_litert import schema_py_generated as schema

    if model.operatorCodes[operator.opcodeIndex].builtinCode != schema.BuiltinOperator.DEQUANTIZE:
        return False
    data = model.buffers[model.subgraphs[0].tensors[operator.inputs[0]].buffer].data
    return data is not None and len(data) > 0


def _let_go(model: Any, tensors: set[int]) -> None:
    """Empties the constants that only the operations use which are gone."""
    first, *others = model.subgraphs
    held = {first.tensors[index].buffer for index in tensors if index >= 0}
    held |= {tensor.buffer for graph in others for tensor in graph.tensors}
    for number, buffer in enumerate(model.buffers):
        if number not in held:
            buffer.data = None


def _given(schema: Any, number: int, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = f"output_{number}".encode(), index
    return entry
