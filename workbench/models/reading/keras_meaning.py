"""What the outputs of a Keras model mean: their values, followed backwards through layers and operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.api.variant import Meaning
from workbench.models.reading.value_range import (
    PROBABILITIES,
    SCORES,
    UNKNOWN,
    Values,
    activated,
    added,
    clipped,
    constant,
    either,
    meaning,
    multiplied,
)
from workbench.models.reading.value_walk import Arithmetic, KnownValues, calculated

if TYPE_CHECKING:
    import keras

_LINEAR = ("Dense", "Conv", "DepthwiseConv", "SeparableConv", "LocallyConnected", "EinsumDense")
_RESULT_OF_ONE = frozenset(
    {"Flatten", "Reshape", "Permute", "Transpose", "Squeeze", "ExpandDims", "RepeatVector", "Repeat", "Tile"}
    | {"Cast", "Identity", "ActivityRegularization", "Masking", "Copy", "StopGradient", "BroadcastTo"}
    | {"GetItem", "Take", "TakeAlongAxis", "Slice", "Split", "Unstack", "Flip", "Roll", "Sort", "Ravel"}
    | {"Swapaxes", "Moveaxis", "Mean", "Max", "Min", "Amax", "Amin", "Median", "Quantile", "TopK", "Diagonal"}
    | {"GaussianNoise", "GaussianDropout", "SegmentMax", "Rearrange", "Average"}
)
_RESULT_OF_ONE_ENDINGS = (
    *("Pooling1D", "Pooling2D", "Pooling3D", "Dropout", "Dropout1D", "Dropout2D", "Dropout3D"),
    *("Cropping1D", "Cropping2D", "Cropping3D", "UpSampling1D", "UpSampling2D", "UpSampling3D"),
)
_BETWEEN = frozenset({"Concatenate", "Stack", "Hstack", "Vstack", "Average", "Append"})
_FROM_0_TO_1 = frozenset(
    {"Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual", "LogicalAnd", "LogicalOr"}
    | {"LogicalNot", "OneHot", "CategoryEncoding", "Sparsemax", "SparseSigmoid", "MultiHot"}
)
_ACTIVATIONS = frozenset(
    {"Softmax", "Sigmoid", "HardSigmoid", "LogSoftmax", "LogSigmoid", "Relu", "Relu6", "Tanh", "HardTanh"}
    | {"SoftSign", "Softsign"}
)
_ARITHMETIC: dict[str, Arithmetic] = {
    "Add": "add",
    "Subtract": "subtract",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Multiply": "multiply",
    "Divide": "divide",
    "TrueDivide": "divide",
    "Negative": "negative",
    "Where": "where",
    "Sqrt": "square root",
    "Square": "square",
    "Power": "power",
    "Exp": "exponential",
    "Log": "logarithm",
}
_PADDED = ("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")


def output_meanings(model: keras.Model) -> tuple[Meaning, ...]:
    """What the values of each output of a model are, as far as its layers tell.

    Args:
        model: A built model with a known graph.
    """
    return tuple(meaning(_Walk().values(tensor, _Scope())) for tensor in model.outputs)


@dataclass(frozen=True)
class _Scope:
    """Inside a nested model: what its inputs are outside."""

    outside: Mapping[int, tuple[Any, _Scope]] = field(default_factory=dict)


class _Walk:
    def __init__(self) -> None:
        self._known = KnownValues[tuple[int, int]]()
        self._scopes: list[_Scope] = []  # kept: their identities are part of what is known

    def values(self, tensor: Any, scope: _Scope) -> Values:
        """What is known of a tensor of the graph, or of stored numbers."""
        if not hasattr(tensor, "_keras_history"):
            return _stored(tensor)
        if id(tensor) in scope.outside:
            outer, around = scope.outside[id(tensor)]
            return self.values(outer, around)
        key = id(tensor), id(scope)
        if self._known.begin(key):
            self._known.end(key, self._made(tensor, scope))
        return self._known[key]

    def _made(self, tensor: Any, scope: _Scope) -> Values:
        history = tensor._keras_history
        operation = history.operation
        nodes = getattr(operation, "_inbound_nodes", ())
        if history.node_index >= len(nodes):
            return UNKNOWN
        node = nodes[history.node_index]
        if _is_model(operation):
            return self._nested(operation, node.input_tensors, history.tensor_index, scope)
        if type(operation).__name__ == "TimeDistributed" and node.input_tensors:
            return self._distributed(operation.layer, self.values(node.input_tensors[0], scope))
        if not type(operation).__module__.startswith("keras."):
            return UNKNOWN
        arguments = [*node.arguments.args, *node.arguments.kwargs.values()]
        return _of_operation(operation, [self._argument(one, scope) for one in arguments])

    def _argument(self, argument: Any, scope: _Scope) -> list[Values]:
        if isinstance(argument, list | tuple):
            return [self.values(one, scope) for one in argument]
        return [] if argument is None else [self.values(argument, scope)]

    def _nested(self, model: Any, given: list[Any], index: int, scope: _Scope) -> Values:
        inputs, outputs = list(model.inputs), list(model.outputs)
        if len(inputs) != len(given) or index >= len(outputs):
            return UNKNOWN
        outside = {id(inner): (outer, scope) for inner, outer in zip(inputs, given, strict=True)}
        self._scopes.append(_Scope(outside))
        return self.values(outputs[index], self._scopes[-1])

    def _distributed(self, layer: Any, values: Values) -> Values:
        """What a layer or model that is applied to each step makes of values."""
        if _is_model(layer):
            walk = _Walk()
            scope = _Scope()
            for tensor in layer.inputs:
                walk._known[id(tensor), id(scope)] = values
            return walk.values(layer.outputs[0], scope)
        return _of_operation(layer, [[values]])


def _is_model(operation: Any) -> bool:
    return bool(hasattr(operation, "layers") and getattr(operation, "outputs", None))


def _stored(value: Any) -> Values:
    """The bounds of a number or an array in the graph."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError, RuntimeError, AttributeError):
        return UNKNOWN
    if not array.size or not np.isfinite(array).all():
        return UNKNOWN
    return constant(float(array.min()), float(array.max()))


def _of_operation(operation: Any, arguments: list[list[Values]]) -> Values:
    """What a layer or operation of Keras makes of its arguments."""
    kind = type(operation).__name__
    first = arguments[0] if arguments else []
    if not first:
        return UNKNOWN
    value = first[0]
    if kind == "Activation":
        return activated(value, _activation(operation))
    if kind.startswith(_LINEAR) and hasattr(operation, "activation"):
        return activated(SCORES, _activation(operation))
    if kind == "ReLU":
        return _relu(operation, value)
    if kind in _ACTIVATIONS:
        return activated(value, kind)
    if kind in _FROM_0_TO_1:
        return PROBABILITIES
    if kind in _BETWEEN and len(first) + sum(map(len, arguments[1:])) > 1:
        return either(first if len(first) > 1 else [one for part in arguments for one in part])
    if kind in _RESULT_OF_ONE or kind.endswith(_RESULT_OF_ONE_ENDINGS):
        return value
    if kind in _PADDED:
        return either([value, constant(0.0)])
    if kind == "Rescaling":
        return _rescaled(operation, value)
    if kind == "Clip":
        return clipped(value, _bound(operation.x_min, -inf), _bound(operation.x_max, inf))
    return calculated(_ARITHMETIC.get(kind), [one for part in arguments for one in part])


def _activation(operation: Any) -> str:
    activation = getattr(operation, "activation", None)
    if activation is None:
        return "linear"
    name = getattr(activation, "__name__", None) or type(activation).__name__
    module = getattr(activation, "__module__", None) or type(activation).__module__
    return name if str(module).startswith("keras.") else "unknown"


def _relu(layer: Any, value: Values) -> Values:
    if layer.negative_slope or layer.threshold:
        return UNKNOWN
    bounded = value if value.kind == "bounded" else UNKNOWN
    return clipped(bounded, 0.0, _bound(layer.max_value, inf))


def _rescaled(layer: Any, value: Values) -> Values:
    scale, offset = _stored(layer.scale), _stored(layer.offset)
    if scale == constant(1.0) and offset == constant(0.0):
        return value
    return added([multiplied([value, scale]), offset])


def _bound(value: Any, default: float) -> float:
    found = _stored(value) if value is not None else UNKNOWN
    return default if found.constant is None else found.constant
