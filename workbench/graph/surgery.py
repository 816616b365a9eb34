"""Takes channels out of a Keras model: a new model with narrower layers and the weights that stay."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.api.errors import Refused
from workbench.api.library_errors import reason_of
from workbench.api.text import say
from workbench.graph.parts import LayerParts, Path
from workbench.graph.units import Removed, Units

_MODELS = ("Functional", "Sequential")


def without_channels(
    model: Any, units: Units, removed: Removed, before: Removed | None = None, *, trust: bool = False
) -> Any:
    """The model without some channels; every weight that stays keeps its value.

    Args:
        model: A ``keras.Model``; it is not changed.
        units: The units of its configuration; of that before earlier removals if there were some.
        removed: The channels to remove, those of earlier removals included.
        before: The channels that are missing in ``model`` already.
        trust: Whether code inside the model may run.

    Returns:
        A new ``keras.Model``, not compiled.

    Raises:
        workbench.api.errors.Refused: If it cannot be built, with the layer that is in the way.
    """
    import keras

    serialized = keras.saving.serialize_keras_object(model)
    serialized["config"] = narrowed_config(serialized["config"], units, removed)
    for key in ("build_config", "compile_config"):
        serialized.pop(key, None)
    try:
        result = keras.saving.deserialize_keras_object(serialized, safe_mode=not trust)
    except (ValueError, TypeError, ArithmeticError, NotImplementedError) as error:
        # Keras puts the whole configuration before what is wrong with it.
        told = reason_of(error)
        raise Refused(say("The smaller model cannot be built: {error}", error=told)) from error
    for path, layer in _layers(model):
        parts = units.graph.layers.get(path)
        new = layer_at(result, path)
        if parts is None or not parts.weights:
            new.set_weights(layer.get_weights())
        else:
            new.set_weights(
                _sliced(layer, parts, units, removed, units.nothing() if before is None else before)
            )
        if hasattr(new, "finalize_state"):
            # A Normalization computes with a copy of its weights.
            new.finalize_state()
    return result


def narrowed_config(config: dict[str, Any], units: Units, removed: Removed) -> dict[str, Any]:
    """The configuration of the model without some channels.

    Args:
        config: ``get_config()`` of the model; it is not changed.
        units: Its units.
        removed: The channels to remove.
    """
    result = copy.deepcopy(config)
    _narrow(result, (), units, removed)
    return result


def _narrow(config: dict[str, Any], path: Path, units: Units, removed: Removed) -> None:
    closed = {skip.name for skip in units.graph.closed}
    for layer in config["layers"]:
        own = (*path, layer["config"].get("name", ""))
        if "/".join(own) in closed:
            continue
        _forget_build(layer)
        if layer["class_name"] in _MODELS and "layers" in layer["config"]:
            _narrow(layer["config"], own, units, removed)
        parts = units.graph.layers.get(own)
        if parts is not None and _changes(parts, units, removed):
            for setting in parts.settings:
                place = layer["config"]
                for key in setting.keys[:-1]:
                    if isinstance(place[key], tuple):
                        place[key] = list(place[key])
                    place = place[key]
                place[setting.keys[-1]] = units.length(setting.axis, removed) // setting.divide
    if path:
        # Read again from the tensors that the model is called with.
        config.pop("build_input_shape", None)


def _forget_build(layer: dict[str, Any]) -> None:
    layer.pop("build_config", None)
    for key in ("layer", "backward_layer"):
        if isinstance(inner := layer["config"].get(key), dict):
            _forget_build(inner)


def _changes(parts: LayerParts, units: Units, removed: Removed) -> bool:
    axes = [axis for weight in parts.weights for axis in weight.axes]
    axes += [setting.axis for setting in parts.settings]
    return any(units.kept(axis, removed) is not None for axis in axes)


def _layers(model: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for layer in model.layers:
        own = (*path, layer.name)
        if type(layer).__name__ in _MODELS:
            yield from _layers(layer, own)
        elif layer.weights:
            yield own, layer


def layer_at(model: Any, path: Path) -> Any:
    """The layer at a path through nested models."""
    for name in path:
        model = model.get_layer(name)
    return model


def _sliced(layer: Any, parts: LayerParts, units: Units, removed: Removed, before: Removed) -> list[Any]:
    values = layer.get_weights()
    expected = [
        tuple(axis.length if axis.channels is None else units.length(axis, before) for axis in weight.axes)
        for weight in parts.weights
    ]
    found = [value.shape for value in values]
    if not _fit(expected, found):
        raise Refused(
            say(
                "The weights of {layer} have shapes {found}, and {expected} was expected.",
                layer=parts.name,
                found=str(found),
                expected=str(expected),
            ),
            say("Please report this layer: its channels are followed wrongly."),
        )
    for number, weight in enumerate(parts.weights):
        for at, axis in enumerate(weight.axes):
            if (kept := units.kept(axis, removed, before)) is not None:
                values[number] = np.take(values[number], kept, axis=at)
    for number, axis in parts.rescaled:
        ratio = units.length(axis, removed) / units.length(axis, before)
        values[number] = values[number] * math.sqrt(ratio)
    return [np.asarray(value) for value in values]


def _fit(expected: list[tuple[int | None, ...]], found: list[tuple[int, ...]]) -> bool:
    return len(expected) == len(found) and all(
        len(one) == len(other) and all(a is None or a == b for a, b in zip(one, other, strict=True))
        for one, other in zip(expected, found, strict=True)
    )
