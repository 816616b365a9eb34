"""Computes factors and offsets into the weights of a Keras model, and leaves their layers out.

Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference, CVPR 2018 (arXiv:1712.05877), section 3.2, for BatchNormalization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import Refused
from workbench.models.conversion import import_keras
from workbench.models.folding import AFFINE, DEPTHWISE, SEPARABLE, TRANSPOSED, Fold, FoldingPlan, Path
from workbench.text import say

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Factors:
    """What a layer does to each channel when the model predicts: ``x * factor + offset``.

    Attributes:
        fold: The layer and where it went.
        factor: Shape ``(channels,)``, or ``()`` where it is one for all.
        offset: The same shape.
    """

    fold: Fold
    factor: Array
    offset: Array


def fold(model: Any, plan: FoldingPlan) -> tuple[Any, list[Factors]]:
    """Builds the model without the layers that are gone.

    Args:
        model: A ``keras.Model``, Sequential or functional; it is not changed.
        plan: What :func:`workbench.models.folding.plan_folding` found in its configuration.

    Returns:
        The new model, with the old names of layers and inputs, and the factors that were folded.

    Raises:
        Refused: If Keras cannot build a layer again from its configuration.
    """
    keras = import_keras()
    biased = {item.into for item in plan.folds}
    made: dict[Path, tuple[Any, Any]] = {}
    new = _rebuilt(keras, model, (), plan.gone, biased, made)
    factors = []
    # Offsets and kernels of one layer build on each other, in the order of the plan.
    weights = {place: _weights(old) for place, (old, _) in made.items() if place in biased}
    for item in plan.folds:
        factor, offset = affine(find(model, item.layer))
        factors.append(Factors(item, factor, offset))
        into = find(model, item.into)
        weights[item.into] = scaled(type(into).__name__, weights[item.into], factor, offset, after=item.after)
    for place, (old, layer) in made.items():
        if place in weights:
            layer.set_weights([array.astype(np.float32) for array in weights[place]])
        elif old.weights:
            layer.set_weights(old.get_weights())
            if hasattr(layer, "finalize_state"):  # Normalization computes with copies of its weights
                layer.finalize_state()
    return new, factors


def find(model: Any, place: Path) -> Any:
    """A layer by its name and the names of the models around it."""
    for name in place:
        model = model.get_layer(name)
    return model


def affine(layer: Any) -> tuple[Array, Array]:
    """Factor and offset per channel of a layer when the model predicts, in float64.

    Args:
        layer: A BatchNormalization, Normalization or Rescaling layer.
    """
    match type(layer).__name__:
        case "BatchNormalization":
            factor = 1 / np.sqrt(_array(layer.moving_variance) + layer.epsilon)
            if layer.scale:
                factor = factor * _array(layer.gamma)
            offset = -_array(layer.moving_mean) * factor
            return factor, offset + (_array(layer.beta) if layer.center else 0.0)
        case "Normalization":
            mean, variance = _array(layer.mean).squeeze(), _array(layer.variance).squeeze()
            # Keras keeps the divisor above its fuzz factor.
            spread = np.maximum(np.sqrt(variance), import_keras().config.epsilon())
            return (spread, -mean) if layer.invert else (1 / spread, -mean / spread)
        case "Rescaling":
            factor, offset = np.broadcast_arrays(_array(layer.scale), _array(layer.offset))
            return np.array(factor), np.array(offset)
        case kind:
            raise ValueError(f"layer must be one of {sorted(AFFINE)}. Received: {kind}")


def scaled(kind: str, weights: list[Array], factor: Array, offset: Array, *, after: bool) -> list[Array]:
    """The weights of a linear layer with a factor and an offset computed into them.

    Args:
        kind: Class of the layer, such as ``Conv2D``.
        weights: Its kernel, or two, and its bias, in Keras' order and shapes.
        factor: Shape ``(channels,)`` or ``()``: of outputs if ``after``, else of inputs.
        offset: The same shape.
        after: Whether they come behind the layer.
    """
    *kernels, bias = weights
    if after:
        return [*kernels[:-1], kernels[-1] * _over_outputs(kind, kernels[-1], factor), bias * factor + offset]
    first = kernels[0]
    if kind in TRANSPOSED:
        return [first * factor, bias]  # only without an offset, which borders would see
    inputs = first.shape[-2]
    shift = first * np.broadcast_to(offset, (inputs,))[:, None]
    shift = shift.sum(axis=tuple(range(first.ndim - 2)))
    if kind in SEPARABLE:
        moved = shift.reshape(-1) @ kernels[1].reshape(-1, kernels[1].shape[-1])
    else:
        moved = shift.reshape(-1) if kind in DEPTHWISE else shift.sum(axis=0)
    return [first * np.broadcast_to(factor, (inputs,))[:, None], *kernels[1:], bias + moved]


def _over_outputs(kind: str, kernel: Array, factor: Array) -> Array:
    """The factor in the shape that multiplies a kernel's output channels."""
    if factor.ndim == 0:
        return factor
    if kind in TRANSPOSED:
        return factor[:, None]
    if kind in DEPTHWISE:
        return factor.reshape(kernel.shape[-2:])
    return factor


def _weights(layer: Any) -> list[Array]:
    """Kernels and bias in float64; a bias of zeros where the layer has none."""
    arrays = [_array(weight) for weight in layer.get_weights()]
    if layer.use_bias:
        return arrays
    kernel, kind = arrays[-1], type(layer).__name__
    if kind in DEPTHWISE:
        count = kernel.shape[-1] * kernel.shape[-2]
    else:
        count = kernel.shape[-2 if kind in TRANSPOSED else -1]
    return [*arrays, np.zeros(count)]


def _array(value: Any) -> Array:
    return np.asarray(value, dtype=np.float64)


def _rebuilt(
    keras: Any,
    model: Any,
    path: Path,
    gone: frozenset[Path],
    biased: set[Path],
    made: dict[Path, tuple[Any, Any]],
) -> Any:
    def clone(layer: Any) -> Any:
        place = (*path, layer.name)
        if place in made:
            return made[place][1]
        if isinstance(layer, keras.Sequential) or type(layer).__name__ in ("Functional", "Model"):
            return _rebuilt(keras, layer, place, gone, biased, made)
        config = layer.get_config()
        if place in biased:
            config["use_bias"] = True
        try:
            new = layer.__class__.from_config(config)
        except (ValueError, TypeError, NotImplementedError) as error:
            raise Refused(
                say(
                    "Layer {name} cannot be built again: {error}",
                    name="/".join(place),
                    error=str(error)[-300:],
                )
            ) from error
        if place not in gone:
            made[place] = layer, new
        return new

    models: dict[str, Any] = {}

    def clone_once(layer: Any) -> Any:
        if layer.name not in models:
            models[layer.name] = clone(layer)
        return models[layer.name]

    def call(layer: Any, *arguments: Any, **named: Any) -> Any:
        if (*path, getattr(layer, "name", "")) in gone:
            return arguments[0]
        return layer(*arguments, **named)

    if isinstance(model, keras.Sequential):
        kept = [layer for layer in model.layers if (*path, layer.name) not in gone]
        start = keras.Input(
            batch_shape=model.inputs[0].shape, dtype=model.inputs[0].dtype, name=_input_name(model.inputs[0])
        )
        return keras.Sequential([start, *map(clone_once, kept)], name=model.name)
    starts = keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=_input_name(x)), model.input
    )
    return keras.models.clone_model(
        model, input_tensors=starts, clone_function=clone_once, call_function=call
    )


def _input_name(tensor: Any) -> str:
    return str(tensor._keras_history.operation.name)
