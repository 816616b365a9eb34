"""What the outputs of an ONNX graph mean: their values, followed backwards through its nodes."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from workbench.api.variant import Meaning
from workbench.models.reading.value_range import (
    PROBABILITIES,
    SCORES,
    UNKNOWN,
    Values,
    activated,
    clipped,
    constant,
    either,
    meaning,
)
from workbench.models.reading.value_walk import Arithmetic, KnownValues, calculated

_LARGEST_CONSTANT = 4096
"""Numbers of a stored tensor whose bounds are read: a factor or an offset has no more."""

_LINEAR = frozenset(
    {"Gemm", "MatMul", "Conv", "ConvTranspose", "QLinearConv", "QLinearMatMul", "QGemm", "FusedGemm"}
    | {"ConvInteger", "MatMulInteger", "FusedMatMul", "Einsum"}
)
_ACTIVATIONS = {
    "Softmax": "softmax",
    "Sigmoid": "sigmoid",
    "HardSigmoid": "hard_sigmoid",
    "QLinearSoftmax": "softmax",
    "QLinearSigmoid": "sigmoid",
    "LogSoftmax": "log_softmax",
    "Relu": "relu",
    "Tanh": "tanh",
    "Softsign": "softsign",
    "Exp": "exp",
}
_RESULT_OF_ONE = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten"}
    | {"Transpose", "Slice", "Gather", "Split", "Dropout", "Expand", "Tile", "Upsample", "DepthToSpace"}
    | {"AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax", "ReduceMin"}
    | {"QLinearAveragePool", "QLinearGlobalAveragePool", "TopK", "GatherElements", "SpaceToDepth"}
)
_ARITHMETIC: dict[str, Arithmetic] = {
    "Add": "add",
    "Sum": "add",
    "Sub": "subtract",
    "Max": "maximum",
    "Min": "minimum",
    "Mul": "multiply",
    "Div": "divide",
    "Neg": "negative",
    "Where": "where",
    "Sqrt": "square root",
    "Pow": "power",
    "Log": "logarithm",
}
_BETWEEN = frozenset({"Concat", "Mean"})
_FROM_0_TO_1 = frozenset(
    {"Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "And", "Or", "Not", "OneHot"}
)


def output_meanings(graph: Any) -> tuple[Meaning, ...]:
    """What the values of each output of a graph are, as far as its nodes tell.

    Args:
        graph: An ``onnx.GraphProto``.
    """
    walk = _Walk(graph)
    return tuple(meaning(walk.values(value.name)) for value in graph.output)


class _Walk:
    def __init__(self, graph: Any) -> None:
        self._makers = {name: node for node in graph.node for name in node.output}
        self._stored = {tensor.name: tensor for tensor in graph.initializer}
        self._known = KnownValues[str]()

    def values(self, name: str) -> Values:
        """What is known of the values of a tensor."""
        if name in self._stored:
            return _bounds(self._stored[name])
        if name not in self._makers:
            return UNKNOWN
        if self._known.begin(name):
            self._known.end(name, self._made(self._makers[name]))
        return self._known[name]

    def _made(self, node: Any) -> Values:
        kind = node.op_type
        if kind in _LINEAR:
            return SCORES
        if kind in _FROM_0_TO_1:
            return PROBABILITIES
        if kind == "Constant":
            return _constant(node)
        if not node.input:
            return UNKNOWN
        if kind in _ACTIVATIONS:
            return activated(self.values(node.input[0]), _ACTIVATIONS[kind])
        if kind in _RESULT_OF_ONE:
            return self.values(node.input[0])
        if kind in _BETWEEN:
            return either([self.values(name) for name in node.input])
        every = [self.values(name) if name else UNKNOWN for name in node.input]
        if kind == "Pad":
            return either([every[0], constant(0.0)])
        if kind == "Clip":
            return clipped(every[0], *self._limits(node))
        return calculated(_ARITHMETIC.get(kind), every)

    def _limits(self, node: Any) -> tuple[float, float]:
        # attributes before operator set 11, inputs since
        found = {attribute.name: attribute.f for attribute in node.attribute}
        limits = [found.get("min", -inf), found.get("max", inf)]
        for position, name in enumerate(node.input[1:3]):
            if name:
                value = self.values(name).constant
                limits[position] = limits[position] if value is None else value
        return limits[0], limits[1]


def _constant(node: Any) -> Values:
    for attribute in node.attribute:
        if attribute.name == "value":
            return _bounds(attribute.t)
        if attribute.name == "value_float":
            return constant(attribute.f)
    return UNKNOWN


def _bounds(tensor: Any) -> Values:
    """Smallest and largest of a small stored tensor of floats."""
    import onnx

    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)
    if tensor.data_type not in floats or int(np.prod(tensor.dims)) not in range(1, _LARGEST_CONSTANT):
        return UNKNOWN
    array = onnx.numpy_helper.to_array(tensor).astype(np.float64)
    return constant(array.min(), array.max()) if np.isfinite(array).all() else UNKNOWN
