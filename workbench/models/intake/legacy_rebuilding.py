"""Builds a Keras 2 model anew in Keras 3, from what :mod:`workbench.models.intake.legacy_graph` says of it.

No word of Keras 2's files is read by Keras 3: every layer is made from the arguments that Keras 3 takes, and
called as it was called. What an argument that Keras 3 no longer has would change is refused by name.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from typing import Any

import numpy as np

from workbench.api.errors import InvalidInput, Refused
from workbench.api.text import Text, say
from workbench.models.intake.keras_names import LAYERS
from workbench.models.intake.legacy_arguments import STEEPER, arguments_of, name_of, weights_of
from workbench.models.intake.legacy_operations import OPERATIONS, sliced

_KINDS = {"ThresholdedReLU": "ReLU", "BatchNormalizationV1": "BatchNormalization"}
_RECURRENT = {"RNN", "LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional"}


def rebuilt(keras: Any, graph: dict[str, Any], arrays: dict[str, Any]) -> tuple[Any, tuple[Text, ...]]:
    """The same model in Keras 3, with the same weights, and what was left out.

    Args:
        keras: The module.
        graph: What :func:`workbench.models.intake.legacy_graph.described` gave.
        arrays: The arrays that it names.

    Raises:
        workbench.api.errors.InvalidInput: If Keras 3 lacks a layer, an argument or an operation of it.
    """
    for layer in graph["layers"]:
        _without_slashes(layer)
        _reserve(layer["name"])
    rebuilding = _Rebuilding(keras, graph["layers"], arrays)
    with warnings.catch_warnings():
        # Keras tells the author of the model how to write it today; the reader cannot
        warnings.simplefilter("ignore", UserWarning)
        _name_inputs(graph["layers"][graph["model"]])
        model = rebuilding.layer(graph["model"])
        rebuilding.set_weights()
    return model, tuple(rebuilding.notes)


class _Rebuilding:
    """Layers by their numbers; each is made once.

    Args:
        keras: The module.
        layers: What is known of each.
        arrays: Constants and weights.
    """

    def __init__(self, keras: Any, layers: list[Any], arrays: dict[str, Any]) -> None:
        self._keras, self._layers, self._arrays = keras, layers, arrays
        self._made: dict[int, Any] = {}
        self.notes: list[Text] = []

    def layer(self, number: int) -> Any:
        if number not in self._made:
            spec = self._layers[number]
            make = {"model": self._functional, "sequential": self._sequential}.get(spec["kind"], self._plain)
            self._made[number] = make(spec)
        return self._made[number]

    def set_weights(self) -> None:
        """Gives each layer its weights, once all of them are built."""
        for number, layer in self._made.items():
            spec = self._layers[number]
            if not spec.get("weights"):
                continue
            values = [self._arrays[name] for name in spec["weights"]]
            own = [*layer._trainable_variables, *layer._non_trainable_variables]
            own = [variable for variable in own if "seed_generator" not in variable.path]
            for variable, value in zip(own or layer.weights, weights_of(spec, values), strict=True):
                variable.assign(value)
            if hasattr(layer, "finalize_state"):
                layer.finalize_state()

    def _input(self, spec: dict[str, Any]) -> Any:
        if not spec["dense"]:
            raise InvalidInput(
                say("The input {name} is ragged or sparse, which Keras 3 does not read.", name=spec["name"]),
                say("Build the model with a dense input, and save it again."),
            )
        return self._keras.Input(batch_shape=spec["shape"], dtype=spec["dtype"], name=spec["name"])

    def _sequential(self, spec: dict[str, Any]) -> Any:
        layers = [self.layer(number) for number in spec["layers"]]
        inputs = [self._input(tensor) for tensor in spec["inputs"]]
        if all(isinstance(layer, self._keras.Layer) for layer in layers):
            return _frozen(self._keras.Sequential([*inputs, *layers], name=spec["name"]), spec)
        tensor = inputs[0]
        for layer in layers:
            tensor = layer(tensor)
        return _frozen(self._keras.Model(inputs[0], tensor, name=spec["name"]), spec)

    def _functional(self, spec: dict[str, Any]) -> Any:
        tensors = {tensor["tensor"]: self._input(tensor) for tensor in spec["inputs"]}
        for call in spec["calls"]:
            layer = self.layer(call["layer"])
            arguments = [self._value(value, tensors) for value in call["args"]]
            named = {key: self._value(value, tensors) for key, value in call["kwargs"].items()}
            kind = self._layers[call["layer"]]["kind"]
            arguments, named = _as_called(kind, arguments, named)
            made = self._keras.tree.flatten(layer(*arguments, **named))
            tensors.update(zip(call["outputs"], made, strict=True))
        model = self._keras.Model(
            _single(self._value(spec["input"], tensors)),
            _single(self._value(spec["output"], tensors)),
            name=spec["name"],
        )
        return _frozen(model, spec)

    def _plain(self, spec: dict[str, Any]) -> Any:
        kind, config = spec["kind"], dict(self._value(spec["config"], {}))
        if kind == "TFOpLambda":
            return OPERATIONS[config["function"]](self._keras)
        if kind == "SlicingOpLambda":
            return sliced
        if kind != "Lambda" and kind not in LAYERS:
            raise _missing(spec)
        if (replaced := self._replaced(kind, config)) is not None:
            return replaced
        made = getattr(self._keras.layers, _KINDS.get(kind, kind), None)
        if made is None:
            raise _missing(spec)
        inside = {key: [self.layer(number) for number in value] for key, value in spec["inside"].items()}
        if kind == "Lambda":
            layer = made.from_config(_lambda(config))
            # Keras 2 carried the code of any function; Keras 3 that of a lambda, and of others the name only.
            layer.function.__code__ = layer.function.__code__.replace(co_name="<lambda>")
            layer.function.__name__ = "<lambda>"
            return layer
        activation = config.get("activation")
        if isinstance(activation, dict) and activation.get("class_name") in LAYERS:
            inner = getattr(self._keras.layers, activation["class_name"])
            own = arguments_of(inner, activation["class_name"], activation["config"], spec["name"])
            config["activation"] = inner.from_config(own)
        given = arguments_of(made, kind, config, spec["name"])
        self._drop_constraints(given, spec["name"])
        if not inside:
            return _frozen(made.from_config(given), spec)
        # What is inside is there already: from_config would read it as configuration.
        for key, parts in inside.items():
            given["layer" if key == "forward_layer" else key] = parts if key == "cells" else parts[0]
        layer = made(**given)
        self._found(spec, layer)
        return layer

    def _found(self, spec: dict[str, Any], layer: Any) -> None:
        """Keras 3 copies what some wrappers are given: the copies get the weights."""
        for attribute, numbers in spec["inside"].items():
            value = getattr(layer, attribute)
            for number, part in zip(numbers, value if attribute == "cells" else [value], strict=True):
                self._made[number] = part
                if self._layers[number].get("inside"):
                    self._found(self._layers[number], part)

    def _replaced(self, kind: str, config: dict[str, Any]) -> Any:
        """What computes the same for layers that Keras 3 lacks, or has with another meaning; else None."""
        layers = self._keras.layers
        base: dict[str, Any] = {key: config.get(key) for key in ("name", "trainable", "dtype")}
        if kind == "Activation" and name_of(config.get("activation")) == "hard_sigmoid":
            # a layer again, since it may stand in a wrapper
            steps = (layers.Rescaling(STEEPER, dtype=base["dtype"]), layers.Activation("hard_sigmoid"))
            return self._keras.Sequential(steps, name=base["name"])
        if kind in {"RandomHeight", "RandomWidth"}:
            self._only_training(kind, base["name"])
            return layers.Identity(**base)
        if kind == "RandomCrop":
            self._only_training(kind, base["name"])
            return layers.Resizing(config["height"], config["width"], crop_to_aspect_ratio=True, **base)
        return None

    def _drop_constraints(self, given: dict[str, Any], layer: str) -> None:
        for key, value in given.items():
            kind = value.get("class_name") if isinstance(value, dict) else None
            if key.endswith("constraint") and kind and not hasattr(self._keras.constraints, kind):
                given[key] = None
                self._only_training(kind, layer)

    def _only_training(self, what: str, layer: str) -> None:
        self.notes.append(
            say(
                "{what} of layer {layer} is left out: Keras 3 lacks it, and it changed training only.",
                what=what,
                layer=layer,
            )
        )

    def _value(self, value: Any, tensors: dict[int, Any]) -> Any:
        if isinstance(value, list):
            return [self._value(inner, tensors) for inner in value]
        if not isinstance(value, dict):
            return value
        if "class_name" in value:
            return {key: self._value(inner, tensors) for key, inner in value.items()}
        ((word, inner),) = value.items()
        match word:
            case "tensor":
                return tensors[inner]
            case "tuple":
                return tuple(self._value(part, tensors) for part in inner)
            case "dict":
                return {key: self._value(part, tensors) for key, part in inner.items()}
            case "array":
                return np.asarray(self._arrays[inner])
            case "slice":
                return slice(*(self._value(part, tensors) for part in inner))
            case _:
                return ...


def _reserve(name: str) -> None:
    """Lets Keras number operations after the layers: an ``add`` of its own must not meet a layer ``add``."""
    from keras.src.backend.common import global_state

    taken = global_state.get_global_attribute(
        "object_name_uids", default=defaultdict(int), set_to_default=True
    )
    base, _, number = name.rpartition("_")
    prefix, used = (base, int(number)) if base and number.isdigit() else (name, 0)
    taken[prefix] = max(taken[prefix], used + 1)


def _without_slashes(layer: dict[str, Any]) -> None:
    """Keras 3 takes no slash in a name; Keras 2's own MobileNetV3 has them."""
    for named in (layer, *layer.get("inputs", ()), layer.get("config", {}).get("dict", {})):
        if isinstance(named.get("name"), str):
            named["name"] = named["name"].replace("/", "_")


def _name_inputs(model: dict[str, Any]) -> None:
    """Inputs that were given as a dict become a list whose names are the keys, as data are named by them."""
    structure = model.get("input")
    if not isinstance(structure, dict) or "dict" not in structure:
        return
    keys = {value["tensor"]: key for key, value in structure["dict"].items() if "tensor" in value}
    if len(keys) == len(model["inputs"]):
        for tensor in model["inputs"]:
            tensor["name"] = keys[tensor["tensor"]]
        model["input"] = [{"tensor": tensor["tensor"]} for tensor in model["inputs"]]


def _frozen(layer: Any, spec: dict[str, Any]) -> Any:
    """A layer that is frozen as it was; a model that is not leaves it to its layers which of them are."""
    if not spec["trainable"]:
        layer.trainable = False
    return layer


def _as_called(kind: str, arguments: list[Any], named: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """How Keras 3 is called: states of recurrent layers by name, nothing said that is not meant."""
    if kind == "TFOpLambda":
        named = {key: value for key, value in named.items() if key != "name"}
    elif kind != "SlicingOpLambda":
        named = {
            key: value
            for key, value in named.items()
            if value is not None and (key != "training" or isinstance(value, bool))
        }
    if kind in _RECURRENT and arguments and isinstance(arguments[0], list | tuple):
        first, *states = arguments[0]
        arguments = [first, *arguments[1:]]
        if states:
            named["initial_state"] = states
    return arguments, named


def _single(value: Any) -> Any:
    """A tensor where Keras 2 wrote down a list of one."""
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


def _lambda(config: dict[str, Any]) -> dict[str, Any]:
    """A trusted Lambda layer's configuration; only a lambda is carried in it."""
    if config.get("function_type") != "lambda":
        raise Refused(
            say(
                "The Lambda layer {layer} calls {function}, of which its file keeps the name only.",
                layer=config["name"],
                function=str(config.get("function")),
            ),
            say("Write it as a lambda that imports what it needs, or use built-in layers and keras.ops."),
        )
    code, defaults, closure = config["function"]
    given = {key: config[key] for key in ("name", "trainable", "dtype")}
    given["function"] = {
        "class_name": "__lambda__",
        "config": {"code": code, "defaults": defaults, "closure": closure},
    }
    if config.get("output_shape_type") == "raw" and config.get("output_shape") is not None:
        given["output_shape"] = config["output_shape"]
    return {**given, "arguments": config.get("arguments") or {}}


def _missing(spec: dict[str, Any]) -> InvalidInput:
    return InvalidInput(
        say("Layer {layer} is a {kind}, which Keras 3 does not have.", layer=spec["name"], kind=spec["kind"]),
        say("Build it from other layers, and save the model again."),
    )
