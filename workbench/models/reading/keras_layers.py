"""Reads a Keras model in memory: layers, weights, operations, and what its output means."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import Layer, ModelDescription, Precision, TensorSpec
from workbench.models.reading.edges import Operation, edges_between
from workbench.models.reading.keras_inputs import input_roles
from workbench.models.reading.keras_meaning import output_meanings
from workbench.plain.keras.kernels import kernels
from workbench.plain.keras.weight_values import is_clustered, is_sparse

if TYPE_CHECKING:
    import keras

_BYTES = {"float64": 8, "int64": 8, "uint64": 8, "float32": 4, "int32": 4, "uint32": 4}
_BYTES |= {"float16": 2, "bfloat16": 2, "int16": 2, "uint16": 2}

_WHOLE_PRECISIONS: tuple[Precision, ...] = ("float16", "bfloat16", "float64")


def describe_model(model: keras.Model) -> ModelDescription:
    """See :func:`workbench.models.reading.description.describe_keras`."""
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise InvalidInput(
            say("The model has no known input shape."),
            say("Build it with keras.Input (functional or Sequential), or call it once on a batch."),
        )
    layers = []
    macs: int | None = 0
    flat = list(_flat(model))
    for name, layer, calls in flat:
        counted = _macs(layer)
        counted = None if counted is None else counted * calls
        layers.append(_layer(name, layer).model_copy(update={"macs": counted}))
        macs = None if macs is None or counted is None else macs + counted
    meanings = output_meanings(model)
    matrices = [np.asarray(kernel.variable) for kernel in kernels(model)]
    return ModelDescription(
        # the layer's name: that of an unnamed tensor counts up with every model in the process
        inputs=tuple(
            _spec(tensor, tensor._keras_history.operation.name).model_copy(update={"role": role})
            for tensor, role in zip(model.inputs, input_roles(model), strict=True)
        ),
        outputs=tuple(
            _spec(tensor, name) for tensor, name in zip(model.outputs, output_names(model), strict=True)
        ),
        layers=tuple(layers),
        edges=edges_between(
            _operations(model, {name: place for place, (name, _, _) in enumerate(flat)}), model.inputs, _shape
        ),
        parameters=sum(prod(weight.shape) for weight in model.weights) + sum(map(_constants, model.layers)),
        from_logits=meanings[0] != "probabilities",
        meanings=meanings,
        precision=_precision(model),
        macs=macs,
        sparse=any(is_sparse(values) for values in matrices),
        clustered=any(is_clustered(values) for values in matrices),
        batch=model.inputs[0].shape[0] if len(model.inputs[0].shape) else None,
    )


def _flat(model: keras.Model, prefix: str = "", calls: int = 1) -> Iterator[tuple[str, Any, int]]:
    """Every layer that is no model, its name from the outside in, and how often it runs."""
    import keras

    graph = getattr(_graph(model), "_nodes_by_depth", {})
    nodes = {id(node) for depth in graph.values() for node in depth}
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        used = sum(id(node) in nodes for node in getattr(layer, "_inbound_nodes", ()))
        times = calls * max(used, 1)
        if isinstance(layer, keras.Model) and hasattr(_graph(layer), "_nodes_by_depth"):
            yield from _flat(layer, f"{prefix}{layer.name}/", times)
        else:
            yield f"{prefix}{layer.name}", layer, times


def _operations(model: keras.Model, places: dict[str, int], prefix: str = "") -> Iterator[Operation]:
    """Every call of a layer, those of models inside at their place, in the order of execution."""
    import keras

    by_depth = getattr(_graph(model), "_nodes_by_depth", {})
    for node in (node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]):
        called = node.operation
        name = f"{prefix}{called.name}"
        takes, gives = list(node.input_tensors), list(node.output_tensors)
        if isinstance(called, keras.layers.InputLayer):
            continue
        if isinstance(called, keras.Model) and hasattr(_graph(called), "_nodes_by_depth"):
            for outside, within in zip(takes, called.inputs, strict=False):
                yield Operation(None, [outside], [within])
            yield from _operations(called, places, f"{name}/")
            for outside, within in zip(gives, called.outputs, strict=False):
                yield Operation(None, [within], [outside])
        else:  # an operation that is no layer only passes on
            yield Operation(places.get(name), takes, gives)


def _graph(model: keras.Model) -> Any:
    # A Sequential keeps its graph in a functional model inside.
    return getattr(model, "_functional", None) or model


def _layer(name: str, layer: Any) -> Layer:
    weights = layer.weights
    sizes = {str(weight.path): prod(weight.shape) for weight in weights}
    largest = max(weights, key=lambda weight: sizes[str(weight.path)], default=None)
    return Layer(
        name=name,
        kind=type(layer).__name__,
        parameters=sum(prod(weight.shape) for weight in weights) + _constants(layer),
        size_bytes=sum(prod(weight.shape) * _BYTES.get(_dtype(weight), 1) for weight in weights)
        + 4 * _constants(layer),
        output_shape=_shape(_first_output(layer)),
        precision=_dtype(largest) if largest is not None else str(layer.dtype_policy.variable_dtype),
    )


def _constants(layer: Any) -> int:
    """Weights of a graph that is all that is known of a model."""
    return int(layer.constants) if type(layer).__name__ == "FrozenGraph" else 0


def _dtype(value: Any) -> str:
    import keras

    return str(keras.backend.standardize_dtype(value.dtype))


def _first_output(layer: Any) -> Any:
    for node in getattr(layer, "_inbound_nodes", ()):
        if node.output_tensors:
            return node.output_tensors[0]
    return None


def _first_input(layer: Any) -> Any:
    for node in getattr(layer, "_inbound_nodes", ()):
        if node.input_tensors:
            return node.input_tensors[0]
    return None


def _shape(tensor: Any) -> tuple[int | None, ...]:
    return () if tensor is None else tuple(tensor.shape[1:])


def _spec(tensor: Any, name: str) -> TensorSpec:
    return TensorSpec(name=name, shape=_shape(tensor), dtype=_dtype(tensor))


def output_names(model: keras.Model) -> list[str]:
    """Names of a model's outputs in their order: the keys of a dict, else those of the layers."""
    names = _keys(model) or [str(name) for name in getattr(_graph(model), "output_names", None) or ()]
    if len(names) == len(model.outputs) and len(set(names)) == len(names):
        return names
    return [f"output_{index}" for index in range(len(model.outputs))]


def _keys(model: keras.Model) -> list[str]:
    structure = getattr(_graph(model), "_outputs_struct", None)
    # converters keep the keys; flattening sorts them, as it does where the model is called
    return sorted(map(str, structure)) if isinstance(structure, dict) else []


def _macs(layer: Any) -> int | None:
    """Multiply-accumulates of one call on one sample; 0 for a layer that is not counted."""
    kind = type(layer).__name__
    if not hasattr(layer, "_inbound_nodes"):
        return 0
    before, after = _shape(_first_input(layer)), _shape(_first_output(layer))
    # Transposed convolutions spread each input position over the kernel, others gather.
    across = before if kind.endswith("Transpose") else after
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    if kind == "Dense":
        counted: list[int | None] = [*after[:-1], prod(layer.kernel.shape)]
    elif kind == "EinsumDense":
        # every output element sums over the axes that the kernel does not hand on
        summed = set(layer.equation.partition("->")[0].partition(",")[2]) - set(
            layer.equation.partition("->")[2]
        )
        axes = dict(
            zip(layer.equation.partition("->")[0].partition(",")[2], layer.kernel.shape, strict=False)
        )
        counted = [*after, *(axes[axis] for axis in summed)]
    elif kind.startswith("SeparableConv"):
        places = across[1:] if first else across[:-1]
        counted = [*places, prod(layer.depthwise_kernel.shape) + prod(layer.pointwise_kernel.shape)]
    elif kind.startswith(("Conv", "DepthwiseConv")) and hasattr(layer, "kernel"):
        counted = [*(across[1:] if first else across[:-1]), prod(layer.kernel.shape)]
    else:
        return 0
    known = [number for number in counted if number is not None]
    return prod(known) if len(known) == len(counted) else None


def _precision(model: keras.Model) -> Precision:
    weights = [weight for weight in model.weights if len(weight.shape) > 1] or list(model.weights)
    computes = {
        str(layer.compute_dtype) for _, layer, _ in _flat(model) if layer.weights and layer.compute_dtype
    }
    stored = {_dtype(weight) for weight in weights} or {"float32"}
    if stored == {"float32"} and computes <= {"float32"}:
        return "float32"
    for precision in _WHOLE_PRECISIONS:
        if stored == {precision} and computes <= {precision}:
            return precision
    if stored == {"int8"} and computes <= {"float32"}:
        return "dynamic int8"
    return "mixed"
