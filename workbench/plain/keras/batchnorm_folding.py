"""A model of single steps without batch normalization, as it is trained with rounding.

A normalization behind a linear layer goes into its weights; one that stands elsewhere becomes a
depthwise 1x1 convolution, which can be rounded. What the model computes in inference stays the same.
``folding`` beside this file folds more, and keeps the structure.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np

from .channel_factors import LINEAR, SEPARABLE, affine, kernels_and_bias, scaled
from .retracing import Steps, replaced

FUSED_ACTIVATIONS = ("linear", "relu", "relu6")
"""What converters compute inside the layer; anything else is an operation of its own."""
FOLDABLE = LINEAR - SEPARABLE
"""What takes a normalization behind it, after :func:`flattened`."""


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
    separable = kind in SEPARABLE
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
    into = {id(layer): normalization for layer, normalization in pairs}
    gone = {id(normalization) for _, normalization in pairs}
    done = [normalization.name for _, normalization in pairs]
    left: list[str] = []

    def steps(layer: Any, name: str, rank: int) -> Steps | None:
        if id(layer) in gone:
            return []
        if id(layer) in into:
            copy = layer.__class__.from_config({**layer.get_config(), "use_bias": True})
            return [(copy, _with(layer, into[id(layer)]))]
        if type(layer).__name__ != "BatchNormalization":
            return None
        if rank != 4 or not _over_last_axis(layer):
            left.append(layer.name)
            return None
        done.append(layer.name)
        factor, offset = affine(layer)
        copy = keras.layers.DepthwiseConv2D(1, name=name)
        return [(copy, [factor.reshape(1, 1, -1, 1), offset])]

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


def _with(layer: Any, normalization: Any) -> list[Any]:
    """The weights of a layer with the normalization behind it."""
    weights = scaled(type(layer).__name__, kernels_and_bias(layer), *affine(normalization), after=True)
    return [array.astype(np.float32) for array in weights]
