"""Takes channels out of a Keras model: a new model with narrower layers and the weights that stay."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .channels import Gone, Layer, ModelChannels, layer_at, length
from .copying import copy_assets

_MODELS = ("Functional", "Sequential")


class UnexpectedShapes(ValueError):
    """The weights of a layer are not what its channels say.

    Attributes:
        layer: Its name.
        found: Their shapes.
        expected: What they were expected to be.
    """

    def __init__(self, layer: str, found: str, expected: str) -> None:
        super().__init__(f"The weights of {layer} have shapes {found}, and {expected} was expected.")
        self.layer, self.found, self.expected = layer, found, expected


def remove_channels(
    model: Any, channels: ModelChannels, gone: Gone, before: Gone | None = None, *, trust: bool = False
) -> Any:
    """The model without some channels; every weight that stays keeps its value.

    Args:
        model: A ``keras.Model``; it is not changed.
        channels: Its channels; those it had before earlier removals if there were some.
        gone: The units to remove, those of earlier removals included.
        before: The units that are missing in ``model`` already.
        trust: Whether code inside the model may run.

    Returns:
        A new ``keras.Model``, not compiled.

    Raises:
        UnexpectedShapes: If weights are not what ``channels`` says.
        ValueError, TypeError, ArithmeticError, NotImplementedError: If Keras cannot build it.
    """
    import keras

    before = np.zeros_like(gone) if before is None else before
    description = keras.saving.serialize_keras_object(model)
    description["config"] = narrowed_config(description["config"], channels, gone)
    for key in ("build_config", "compile_config"):
        description.pop(key, None)
    smaller = keras.saving.deserialize_keras_object(description, safe_mode=not trust)
    for name, layer in _layers(model):
        new, parts = layer_at(smaller, name), channels.layers.get(name)
        copy_assets(layer, new)
        if not layer.weights:
            continue
        if parts is None or not parts.weights:
            new.set_weights(layer.get_weights())
        else:
            new.set_weights(_sliced(name, layer.get_weights(), parts, gone, before))
        if hasattr(new, "finalize_state"):
            # A Normalization computes with a copy of its weights.
            new.finalize_state()
    return smaller


def narrowed_config(config: dict[str, Any], channels: ModelChannels, gone: Gone) -> dict[str, Any]:
    """The configuration of the model without some channels.

    Args:
        config: ``get_config()`` of the model; it is not changed.
        channels: Its channels.
        gone: The units to remove.
    """
    result = copy.deepcopy(config)
    _narrow(result, "", channels, gone)
    return result


def _narrow(config: dict[str, Any], prefix: str, channels: ModelChannels, gone: Gone) -> None:
    for layer in config["layers"]:
        name = prefix + layer["config"].get("name", "")
        if name in channels.closed:
            continue
        _forget_build(layer)
        if layer["class_name"] in _MODELS and "layers" in layer["config"]:
            _narrow(layer["config"], f"{name}/", channels, gone)
        parts = channels.layers.get(name)
        if parts is not None and any(gone[axis].any() for axis in parts.axes()):
            for setting in parts.settings:
                place = layer["config"]
                for key in setting.keys[:-1]:
                    if isinstance(place[key], tuple):
                        place[key] = list(place[key])
                    place = place[key]
                place[setting.keys[-1]] = length(setting.axis, gone) // setting.divide
    if prefix:
        # Read again from the tensors that the model is called with.
        config.pop("build_input_shape", None)


def _forget_build(layer: dict[str, Any]) -> None:
    """Forgets the shapes that a layer was built with: the smaller model builds it anew."""
    layer.pop("build_config", None)
    for key in ("layer", "backward_layer"):
        if isinstance(inner := layer["config"].get(key), dict):
            _forget_build(inner)


def _layers(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for layer in model.layers:
        name = prefix + layer.name
        if type(layer).__name__ in _MODELS:
            yield from _layers(layer, f"{name}/")
        else:
            yield name, layer


def _sliced(name: str, values: list[Any], parts: Layer, gone: Gone, before: Gone) -> list[Any]:
    expected = [
        tuple(None if axis is None else length(axis, before) for axis in weight.axes)
        for weight in parts.weights
    ]
    found = [value.shape for value in values]
    if not _fit(expected, found):
        raise UnexpectedShapes(name, str(found), str(expected))
    for number, weight in enumerate(parts.weights):
        for at, axis in enumerate(weight.axes):
            if isinstance(axis, np.ndarray):
                here = axis[~before[axis]]
                values[number] = np.take(values[number], np.flatnonzero(~gone[here]), axis=at)
    for number, axis in parts.rescaled:
        values[number] = values[number] * math.sqrt(length(axis, gone) / length(axis, before))
    return [np.asarray(value) for value in values]


def _fit(expected: list[tuple[int | None, ...]], found: list[tuple[int, ...]]) -> bool:
    return len(expected) == len(found) and all(
        len(one) == len(other) and all(a is None or a == b for a, b in zip(one, other, strict=True))
        for one, other in zip(expected, found, strict=True)
    )
