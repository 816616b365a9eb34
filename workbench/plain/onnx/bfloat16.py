"""ONNX files that compute in bfloat16, and float32 files that round as they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

_FLOAT32_INPUTS = {"Resize": (1, 2), "Upsample": (1,), "QuantizeLinear": (1,), "DequantizeLinear": (1,)}
"""Inputs that the operators want in float32 whatever they compute in."""


def to_bfloat16(source: Path, target: Path) -> Path:
    """Stores weights and computes in bfloat16; inputs and outputs stay float32.

    No CPU runtime has kernels for such a file: :func:`rounded_like_bfloat16` makes one that can be judged.

    Args:
        source: A float32 ``.onnx`` file.
        target: The file to write.
    """
    import onnx
    from onnx import TensorProto

    model = onnx.load(source)
    graph = model.graph
    kept = _kept(graph)
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name not in kept:
            _store_bfloat16(tensor)
    renamed: dict[str, str] = {}
    before = []
    for item in graph.input:
        if item.type.tensor_type.elem_type == TensorProto.FLOAT:
            renamed[item.name] = f"{item.name}/bfloat16"
            before.append(_cast(item.name, renamed[item.name], TensorProto.BFLOAT16))
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.BFLOAT16
            constant = node.op_type in ("Constant", "ConstantOfShape") and attribute.name == "value"
            if constant and attribute.t.data_type == TensorProto.FLOAT and node.output[0] not in kept:
                _store_bfloat16(attribute.t)
    after = []
    for item in graph.output:
        if item.type.tensor_type.elem_type != TensorProto.FLOAT:
            continue
        inner = f"{item.name}/bfloat16"
        for node in graph.node:
            for names in (node.input, node.output):
                for index, name in enumerate(names):
                    if name == item.name:
                        names[index] = inner
        after.append(_cast(inner, item.name, TensorProto.FLOAT))
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, target)
    return target


def rounded_like_bfloat16(source: Path, target: Path) -> Path:
    """A float32 file whose weights and intermediate values are rounded to bfloat16.

    Products are summed in float32, as tensor cores do. Any runtime that leaves its casts alone
    (``ORT_DISABLE_ALL``) predicts with it what a bfloat16 device would.

    Args:
        source: A float32 ``.onnx`` file.
        target: The file to write.
    """
    import onnx
    from onnx import TensorProto, numpy_helper

    model = onnx.shape_inference.infer_shapes(onnx.load(source))
    graph = model.graph
    kept = _kept(graph)
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name not in kept:
            rounded = numpy_helper.to_array(tensor).astype(ml_dtypes.bfloat16).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(rounded, tensor.name))
    types = {item.name: item.type.tensor_type.elem_type for item in (*graph.value_info, *graph.output)}
    nodes: list[Any] = []
    renamed: dict[str, str] = {}
    for item in graph.input:
        if item.type.tensor_type.elem_type == TensorProto.FLOAT:
            renamed[item.name] = f"{item.name}/rounded"
            nodes += _rounding(item.name, renamed[item.name])
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)
        nodes.append(node)
        for index, name in enumerate(node.output):
            if types.get(name) == TensorProto.FLOAT and node.op_type != "Constant" and name not in kept:
                node.output[index] = f"{name}/exact"
                nodes += _rounding(node.output[index], name)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, target)
    return target


def _kept(graph: Any) -> set[str]:
    """Tensors that operators want in float32."""
    return {
        node.input[index]
        for node in graph.node
        for index in _FLOAT32_INPUTS.get(node.op_type, ())
        if index < len(node.input)
    }


def _store_bfloat16(tensor: Any) -> None:
    from onnx import numpy_helper

    rounded = numpy_helper.to_array(tensor).astype(ml_dtypes.bfloat16)
    tensor.CopyFrom(numpy_helper.from_array(rounded, tensor.name))


def _cast(source: str, target: str, to: int) -> Any:
    from onnx import helper

    return helper.make_node("Cast", [source], [target], name=f"{target}/cast", to=to)


def _rounding(source: str, target: str) -> list[Any]:
    from onnx import TensorProto

    half = f"{target}/half"
    return [_cast(source, half, TensorProto.BFLOAT16), _cast(half, target, TensorProto.FLOAT)]
