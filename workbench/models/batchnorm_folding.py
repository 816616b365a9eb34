"""Batch normalization folded into the layers before it, without changing what the model computes.

A normalization behind a linear layer, ``g (W x + b - m) / s + h``, is the layer ``W' x + b'`` with
``W' = W g / s`` and ``b' = h + (b - m) g / s`` (Jacob et al., CVPR 2018, arXiv:1712.05877,
equation 14). One that stands elsewhere becomes a depthwise 1x1 convolution.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

Steps = list[tuple[Any, list[Any]]]
"""New layers, each with its weights, that are called one after the other in place of one layer."""

FUSED_ACTIVATIONS = ("linear", "relu", "relu6")
"""What converters compute inside the layer; anything else is an operation of its own."""
FOLDABLE = (
    "Dense",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
)


def retraced(model: keras.Model, call: Callable[..., Any], start: Callable[[Any], Any]) -> keras.Model:
    """Calls every operation of a model again, in order, nested models inlined.

    Args:
        model: A built Sequential or functional model.
        call: Makes each call, given the operation, its arguments, its keyword arguments and the tensors
            that it gave in the old model; what it returns takes their place.
        start: What is done with each input first.

    Returns:
        A functional model with inputs of the same names, shapes and types.
    """
    inputs = [keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name) for x in model.inputs]
    outputs = _run(model, [start(x) for x in inputs], call)
    return keras.Model(
        inputs if len(inputs) > 1 else inputs[0],
        outputs if len(outputs) > 1 else outputs[0],
        name=model.name,
    )


def _run(model: keras.Model, inputs: list[Any], call: Any) -> list[Any]:
    def visit(operation: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], old: list[Any]) -> Any:
        if isinstance(operation, keras.Sequential) or hasattr(operation, "_nodes_by_depth"):
            outputs = _run(operation, keras.tree.flatten(arguments), call)
            return outputs if len(outputs) > 1 else outputs[0]
        return call(operation, arguments, keywords, old)

    if isinstance(model, keras.Sequential):
        (tensor,) = inputs
        for layer in model.layers:
            tensor = visit(layer, (tensor,), {}, [])
        return [tensor]
    known = {id(old): tensor for old, tensor in zip(model.inputs, inputs, strict=True)}

    def new(value: Any) -> Any:
        return known.get(id(value), value)

    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if node.is_input:
                continue
            arguments, keywords = keras.tree.map_structure(new, (node.arguments.args, node.arguments.kwargs))
            # These are decided anew at every call of the new model.
            keywords = {name: value for name, value in keywords.items() if name not in ("training", "mask")}
            made = keras.tree.flatten(visit(node.operation, arguments, keywords, node.output_tensors))
            known.update({id(old): tensor for old, tensor in zip(node.output_tensors, made, strict=True)})
    return [known[id(output)] for output in model.outputs]


def replaced(model: keras.Model, steps: Callable[[Any, str, int], Steps | None]) -> keras.Model:
    """A model in which layers are replaced; the others are shared with the model that is given.

    Args:
        model: A built Sequential or functional model.
        steps: Given a layer, a name that is not taken, and the rank of its input: what takes its
            place, nothing at all for an empty list; None keeps it.
    """
    made: dict[int, list[Any]] = {}
    names: Counter[str] = Counter()
    weights: Steps = []

    def call(operation: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], old: list[Any]) -> Any:
        if not isinstance(operation, keras.Layer):
            return operation(*arguments, **keywords)
        if id(operation) not in made:
            names[operation.name] += 1
            number = names[operation.name]
            name = operation.name if number == 1 else f"{operation.name}_{number}"
            rank = len(getattr(arguments[0], "shape", ())) if arguments else 0
            new = steps(operation, name, rank)
            if new is None and number > 1:  # the layer of a nested model, named as another one
                copy = operation.__class__.from_config({**operation.get_config(), "name": name})
                new = [(copy, operation.get_weights())]
            weights.extend(new or [])
            made[id(operation)] = [operation] if new is None else [layer for layer, _ in new]
        if not made[id(operation)]:
            return arguments[0]
        first, *others = made[id(operation)]
        result = first(*arguments, **keywords)
        for layer in others:
            result = layer(result)
        return result

    new = retraced(model, call, lambda tensor: tensor)
    for layer, values in weights:
        if values:
            layer.set_weights(values)
    return new


def flattened(model: keras.Model) -> keras.Model:
    """The same function, of single steps.

    Nested models are inlined, separable convolutions become a depthwise and a pointwise one, and
    activations that a converter does not compute inside a convolution or matrix product become layers.

    Args:
        model: A built Sequential or functional model, channels last.
    """
    return replaced(model, lambda layer, name, rank: _single_steps(layer, name))


def _single_steps(layer: Any, name: str) -> Steps | None:
    kind = type(layer).__name__
    separable = kind in ("SeparableConv1D", "SeparableConv2D")
    if not separable and kind not in FOLDABLE:
        return None
    config, values = {**layer.get_config(), "name": name}, layer.get_weights()
    apart = config["activation"] not in FUSED_ACTIVATIONS
    after: Steps = []
    if apart:
        after = [(keras.layers.Activation(config["activation"], name=f"{name}_activation"), [])]
        config["activation"] = "linear"
    if separable:
        shared = {key: config[key] for key in ("strides", "padding", "dilation_rate", "depth_multiplier")}
        depthwise = getattr(keras.layers, kind.replace("Separable", "Depthwise"))(
            config["kernel_size"], use_bias=False, name=f"{name}_depthwise", **shared
        )
        pointwise = getattr(keras.layers, kind.replace("Separable", ""))(
            config["filters"], 1, use_bias=config["use_bias"], activation=config["activation"], name=name
        )
        return [(depthwise, values[:1]), (pointwise, values[1:]), *after]
    return [(layer.__class__.from_config(config), values), *after] if apart else None


def folded(model: keras.Model) -> tuple[keras.Model, list[str], list[str]]:
    """A model without batch normalization that computes the same in inference.

    Args:
        model: What :func:`flattened` returns.

    Returns:
        The model; the names of the normalizations that were folded, and of those that could not be.
    """
    pairs = _pairs(model)
    into = {id(layer): _scale_and_shift(normalization) for layer, normalization in pairs}
    gone = {id(normalization) for _, normalization in pairs}
    done = [normalization.name for _, normalization in pairs]
    left: list[str] = []

    def steps(layer: Any, name: str, rank: int) -> Steps | None:
        if id(layer) in gone:
            return []
        if id(layer) in into:
            copy = layer.__class__.from_config({**layer.get_config(), "use_bias": True})
            return [(copy, _scaled(layer, *into[id(layer)]))]
        if type(layer).__name__ != "BatchNormalization":
            return None
        if rank != 4 or not _over_last_axis(layer):
            left.append(layer.name)
            return None
        done.append(layer.name)
        scale, shift = _scale_and_shift(layer)
        copy = keras.layers.DepthwiseConv2D(1, name=name)
        return [(copy, [scale.reshape(1, 1, -1, 1), shift])]

    return replaced(model, steps), done, left


def _over_last_axis(layer: Any) -> bool:
    return layer.axis in (-1, layer.input_spec.ndim - 1)


def _pairs(model: keras.Model) -> list[tuple[Any, Any]]:
    """The layers whose only use is a normalization behind them."""
    nodes = [node for nodes in model._nodes_by_depth.values() for node in nodes if not node.is_input]
    times = Counter(id(node.operation) for node in nodes)
    users: dict[int, list[Any]] = {}
    for node in nodes:
        for tensor in node.input_tensors:
            users.setdefault(id(tensor), []).append(node.operation)
    outputs = {id(tensor) for tensor in model.outputs}
    found = []
    for node in nodes:
        layer, tensor = node.operation, node.output_tensors[0]
        if (
            type(layer).__name__ in FOLDABLE
            and layer.activation is keras.activations.linear
            and getattr(layer, "data_format", "channels_last") == "channels_last"
            and times[id(layer)] == 1
            and id(tensor) not in outputs
            and len(users.get(id(tensor), [])) == 1
        ):
            user = users[id(tensor)][0]
            if type(user).__name__ == "BatchNormalization" and times[id(user)] == 1 and _over_last_axis(user):
                found.append((layer, user))
    return found


def _scale_and_shift(layer: Any) -> tuple[Any, Any]:
    mean, variance = (np.asarray(x, np.float64) for x in (layer.moving_mean, layer.moving_variance))
    gamma = np.asarray(layer.gamma, np.float64) if layer.scale else 1.0
    beta = np.asarray(layer.beta, np.float64) if layer.center else 0.0
    scale = gamma / np.sqrt(variance + layer.epsilon)
    return scale, beta - mean * scale


def _scaled(layer: Any, scale: Any, shift: Any) -> list[Any]:
    kernel, *bias = layer.get_weights()
    kind = type(layer).__name__
    if kind.startswith("Depthwise"):
        factor = scale.reshape(kernel.shape[-2:])
    elif kind.endswith("Transpose"):
        factor = scale[:, None]  # its kernel ends in (outputs, inputs)
    else:
        factor = scale
    offset = bias[0] * scale + shift if bias else shift
    return [(kernel * factor).astype(np.float32), offset.astype(np.float32)]
