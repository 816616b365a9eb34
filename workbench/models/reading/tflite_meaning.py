"""What the outputs of a LiteRT file mean: their values, followed backwards through its operators."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from workbench.api.variant import Meaning
from workbench.models.reading.value_range import (
    SCORES,
    UNKNOWN,
    Values,
    activated,
    constant,
    either,
    meaning,
)
from workbench.models.reading.value_walk import Arithmetic, KnownValues, calculated

_LARGEST_CONSTANT_BYTES = 4096
"""A stored tensor whose bounds are read: a factor or an offset is no larger."""

_LINEAR = frozenset({"FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_3D", "TRANSPOSE_CONV"})
_ACTIVATIONS = {
    "SOFTMAX": "softmax",
    "LOGISTIC": "sigmoid",
    "LOG_SOFTMAX": "log_softmax",
    "RELU": "relu",
    "RELU6": "relu6",
    "RELU_N1_TO_1": "relu_n1_to_1",
    "RELU_0_TO_1": "relu_0_to_1",
    "TANH": "tanh",
}
_RESULT_OF_ONE = frozenset(
    {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST", "TRANSPOSE", "SLICE", "GATHER"}
    | {"STRIDED_SLICE", "SPLIT", "SPLIT_V", "UNPACK", "TILE", "BROADCAST_TO", "MEAN", "REDUCE_MAX"}
    | {"REDUCE_MIN", "AVERAGE_POOL_2D", "MAX_POOL_2D", "TOPK_V2", "RESIZE_NEAREST_NEIGHBOR"}
)
_ARITHMETIC: dict[str, Arithmetic] = {
    "ADD": "add",
    "ADD_N": "add",
    "SUM_N": "add",
    "SUB": "subtract",
    "MAXIMUM": "maximum",
    "MINIMUM": "minimum",
    "MUL": "multiply",
    "DIV": "divide",
    "NEG": "negative",
    "SELECT": "where",
    "SELECT_V2": "where",
    "SQRT": "square root",
    "SQUARE": "square",
    "POW": "power",
    "EXP": "exponential",
    "LOG": "logarithm",
}
_BETWEEN = frozenset({"CONCATENATION", "PACK"})


def output_meanings(model: Any, graph: Any, names: list[str], outputs: list[int]) -> tuple[Meaning, ...]:
    """What the values of outputs are, as far as the file's operators tell.

    Args:
        model: The file's tables.
        graph: The subgraph.
        names: The name of each operator of the subgraph.
        outputs: Numbers of the tensors that are asked about.
    """
    walk = _Walk(model, graph, names)
    return tuple(meaning(walk.values(index)) for index in outputs)


class _Walk:
    def __init__(self, model: Any, graph: Any, names: list[str]) -> None:
        self._model, self._graph = model, graph
        self._makers: dict[int, tuple[str, Any]] = {}
        for position, name in enumerate(names):
            operator = graph.Operators(position)
            for index in range(operator.OutputsLength()):
                self._makers[operator.Outputs(index)] = (name, operator)
        self._known = KnownValues[int]()

    def values(self, index: int) -> Values:
        """What is known of the values of a tensor."""
        if index not in self._makers:
            return _bounds(self._model, self._graph.Tensors(index)) if index >= 0 else UNKNOWN
        if self._known.begin(index):
            self._known.end(index, self._made(*self._makers[index]))
        return self._known[index]

    def _made(self, name: str, operator: Any) -> Values:
        if name in _LINEAR:
            return activated(SCORES, _fused(operator))
        inputs = [operator.Inputs(i) for i in range(operator.InputsLength())]
        if not inputs:
            return UNKNOWN
        if name in _ACTIVATIONS:
            return activated(self.values(inputs[0]), _ACTIVATIONS[name])
        if name in _RESULT_OF_ONE:
            # the split axis comes before what is split
            return self.values(inputs[-1] if name == "SPLIT" else inputs[0])
        every = [self.values(index) for index in inputs]
        if name in _BETWEEN:
            return either(every)
        if name == "PAD":
            return either([every[0], constant(0.0)])
        return activated(calculated(_ARITHMETIC.get(name), every), _fused(operator))


def _fused(operator: Any) -> str:
    """The activation that an operator holds in itself, by its name in Keras."""
    from ai_edge_litert import schema_py_generated as schema

    kind = _option_types().get(operator.BuiltinOptionsType())
    table = operator.BuiltinOptions()
    if kind is None or table is None:
        return "linear"
    options = getattr(schema, kind)()
    options.Init(table.Bytes, table.Pos)
    if not hasattr(options, "FusedActivationFunction"):
        return "linear"
    names = {value: key for key, value in vars(schema.ActivationFunctionType).items() if key.isupper()}
    return str(names.get(options.FusedActivationFunction(), "unknown")).lower()


@cache
def _option_types() -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {number: name for name, number in vars(schema.BuiltinOptions).items() if name.endswith("Options")}


def _bounds(model: Any, tensor: Any) -> Values:
    """Smallest and largest of a small stored tensor, as real numbers."""
    from ai_edge_litert import schema_py_generated as schema

    held = 0 < tensor.Buffer() < model.BuffersLength()
    buffer = model.Buffers(tensor.Buffer()) if held else None
    if buffer is None or not 0 < buffer.DataLength() <= _LARGEST_CONSTANT_BYTES:
        return UNKNOWN
    types = {schema.TensorType.FLOAT32: "<f4", schema.TensorType.INT8: "i1", schema.TensorType.INT16: "<i2"}
    types[schema.TensorType.FLOAT16] = "<f2"
    if tensor.Type() not in types:
        return UNKNOWN
    values = np.frombuffer(buffer.DataAsNumpy().tobytes(), types[tensor.Type()]).astype(np.float64)
    if values.size and tensor.Type() in (schema.TensorType.INT8, schema.TensorType.INT16):
        quantization = tensor.Quantization()
        if quantization is None or quantization.ScaleLength() != 1:
            return UNKNOWN
        values = (values - quantization.ZeroPoint(0)) * quantization.Scale(0)
    return constant(values.min(), values.max()) if values.size and np.isfinite(values).all() else UNKNOWN
