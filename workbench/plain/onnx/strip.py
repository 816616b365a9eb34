"""Takes out of a quantized ONNX file what no runtime reads.

Operations and what they compute keep their names, so that it can still be compared with its model.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any


def strip_onnx(path: Path | str) -> None:
    """Shortens a quantized ``.onnx`` file in place; it computes the same.

    What quantization put around operations gets numbers for names, constants of the same content are
    stored once, and shapes that follow from others, notes and operator sets that nothing uses go.
    """
    import onnx

    model = onnx.load(str(path))
    graph = model.graph
    if any(part.HasField("g") or part.graphs for node in graph.node for part in node.attribute):
        return  # what is inside of loops and branches may use any name from outside
    stored = {tensor.name for tensor in graph.initializer}
    inner = {node.output[0] for node in graph.node if _is_scaffolding(node, stored)}
    inner -= {value.name for value in graph.output}
    staying = {name for node in graph.node for name in (*node.input, *node.output)} - stored - inner
    names = (str(number) for number in itertools.count() if str(number) not in staying)
    short: dict[str, str] = {}
    kept: dict[bytes, Any] = {}
    for tensor in graph.initializer:
        old, tensor.name, tensor.doc_string = tensor.name, "", ""
        content = tensor.SerializeToString(deterministic=True)
        if content not in kept:
            kept[content] = onnx.TensorProto()
            kept[content].CopyFrom(tensor)
            kept[content].name = next(names)
        short[old] = kept[content].name
    for node in graph.node:
        node.doc_string = ""
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            node.name = ""
        if node.output[0] in inner:
            short[node.output[0]] = next(names)
    for node in graph.node:
        node.input[:] = [short.get(name, name) for name in node.input]
        node.output[:] = [short.get(name, name) for name in node.output]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(kept.values())
    domains = {"" if node.domain == "ai.onnx" else node.domain for node in graph.node}
    used = [entry for entry in model.opset_import if entry.domain in domains]
    del model.opset_import[:]
    model.opset_import.extend(used)
    graph.doc_string = model.doc_string = ""
    onnx.save(model, str(path))


def _is_scaffolding(node: Any, stored: set[str]) -> bool:
    # The result of an activation's DequantizeLinear is not: its name tells which layer it is of.
    return node.op_type == "QuantizeLinear" or (
        node.op_type == "DequantizeLinear" and node.input[0] in stored
    )
