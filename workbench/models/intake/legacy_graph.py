"""Describes a Keras 2 model as plain data: its layers, how they call each other, and their weights.

Runs beside tf_keras, in the process of :mod:`workbench.models.intake.legacy`; imports none of the two.
What it writes is read by :mod:`workbench.models.intake.legacy_rebuilding`.

A model is ``{"kind": "model", "name", "trainable", "inputs": [{"tensor", "shape", "dtype", "name"}],
"calls": [{"layer", "args", "kwargs", "outputs": [tensor]}], "input", "output"}`` or
``{"kind": "sequential", "name", "trainable", "inputs": [...], "layers": [...]}``; a layer is
``{"kind": class, "name", "config", "weights": [array], "inside": {argument: layer}}``. ``layer`` is a number
in ``layers`` of the whole, so that what is shared stays shared. Values inside arguments that JSON has no
word for are objects with one key: ``tensor``, ``tuple``, ``dict``, ``array``, ``slice``, ``ellipsis``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, Any]

_INSIDE = {
    "TimeDistributed": ("layer",),
    "SpectralNormalization": ("layer",),
    "Bidirectional": ("forward_layer", "backward_layer"),
    "RNN": ("cell",),
    "StackedRNNCells": ("cells",),
}
_LOOKUPS = {"StringLookup", "IntegerLookup", "TextVectorization"}


def described(model: Any) -> tuple[dict[str, Any], Arrays]:
    """A model as plain data.

    Args:
        model: A built tf_keras model with known inputs.

    Returns:
        ``{"model": number, "layers": [...]}``, and the arrays that it names.
    """
    graph = _Graph()
    number = graph.layer(model)
    return {"model": number, "layers": graph.layers}, graph.arrays


class _Graph:
    """Layers in the order in which they were met; each once."""

    def __init__(self) -> None:
        self.layers: list[Any] = []
        self.arrays: Arrays = {}
        self._numbers: dict[int, int] = {}
        self._tensors: dict[tuple[int, int, int], int] = {}

    def layer(self, layer: Any) -> int:
        """The number of a layer or model."""
        if id(layer) not in self._numbers:
            self._numbers[id(layer)] = len(self.layers)
            number = len(self.layers)
            self.layers.append(None)
            self.layers[number] = self._described(layer)
        return self._numbers[id(layer)]

    def _described(self, layer: Any) -> dict[str, Any]:
        named = {"name": layer.name, "trainable": bool(layer.trainable)}
        if hasattr(layer, "layers") and hasattr(layer, "add"):
            return {"kind": "sequential", **named, **self._chain(layer)}
        if hasattr(layer, "_nodes_by_depth"):
            return {"kind": "model", **named, **self._functional(layer)}
        kind = type(layer).__name__
        inside: dict[str, Any] = {}
        for attribute in _INSIDE.get(kind, ()):
            value = getattr(layer, attribute)
            parts = value if isinstance(value, list | tuple) else [value]
            inside[attribute] = [self.layer(part) for part in parts]
        return {
            "kind": kind,
            **named,
            "config": self._config(layer, kind),
            "weights": [self._array(weight.numpy()) for weight in _weights(layer, kind)],
            "inside": inside,
        }

    def _config(self, layer: Any, kind: str) -> Any:
        config = {key: value for key, value in layer.get_config().items() if key not in _INSIDE.get(kind, ())}
        if kind == "Bidirectional":
            del config["layer"]
        policy = layer._dtype_policy.name
        config["dtype"] = layer.dtype if policy.startswith("_infer") else policy
        if kind in _LOOKUPS:
            # one that was adapted to data keeps its words in a table, not in its configuration
            table = layer._lookup_layer if kind == "TextVectorization" else layer
            words = layer.get_vocabulary(include_special_tokens=False)
            config["vocabulary"] = [word.item() if hasattr(word, "item") else word for word in words]
            if table.output_mode == "tf_idf":
                start = len(table.get_vocabulary()) - len(words)
                config["idf_weights"] = table.idf_weights.numpy()[start:].tolist()
        if kind == "Discretization":
            config["bin_boundaries"] = layer.bin_boundaries
        if kind in {"TFOpLambda", "SlicingOpLambda"}:
            config = {"function": layer.get_config()["function"]}
        return self._plain(config)

    def _chain(self, model: Any) -> dict[str, Any]:
        tensors = list(model.inputs or ())
        return {
            "inputs": [self._input(tensor) for tensor in tensors],
            "layers": [self.layer(layer) for layer in model.layers],
        }

    def _functional(self, model: Any) -> dict[str, Any]:
        inputs = [self._input(tensor) for tensor in model.inputs]
        calls = []
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                if node.is_input:
                    continue
                calls.append(
                    {
                        "layer": self.layer(node.layer),
                        "args": self._plain(list(node.call_args)),
                        "kwargs": {key: self._plain(value) for key, value in node.call_kwargs.items()},
                        "outputs": [self._tensor(tensor) for tensor in _flat(node.outputs)],
                    }
                )
        return {
            "inputs": inputs,
            "calls": calls,
            "input": self._plain(model._nested_inputs),
            "output": self._plain(model._nested_outputs),
        }

    def _input(self, tensor: Any) -> dict[str, Any]:
        return {
            "tensor": self._tensor(tensor),
            "shape": list(tensor.shape),
            "dtype": tensor.dtype.name,
            "name": tensor._keras_history.layer.name,
            "dense": type(tensor.type_spec).__name__ == "TensorSpec",
        }

    def _tensor(self, tensor: Any) -> int:
        layer, node, place = tensor._keras_history
        return self._tensors.setdefault((id(layer), node, place), len(self._tensors))

    def _array(self, array: Any) -> str:
        name = f"array_{len(self.arrays)}"
        self.arrays[name] = array
        return name

    def _plain(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if hasattr(value, "_keras_history"):
            return {"tensor": self._tensor(value)}
        if isinstance(value, dict):
            if "class_name" in value:  # an initializer, regularizer or function
                return {key: self._plain(inner) for key, inner in value.items()}
            return {"dict": {str(key): self._plain(inner) for key, inner in value.items()}}
        if isinstance(value, tuple):
            return {"tuple": [self._plain(inner) for inner in value]}
        if isinstance(value, list) or type(value).__name__ == "TensorShape":
            return [self._plain(inner) for inner in value]
        if isinstance(value, slice):
            return {"slice": [self._plain(part) for part in (value.start, value.stop, value.step)]}
        if value is Ellipsis:
            return {"ellipsis": True}
        if type(value).__name__ == "DType":
            return value.name
        if isinstance(value, np.generic):
            return value.item()
        if hasattr(value, "numpy"):
            value = np.asarray(value.numpy())
        if isinstance(value, np.ndarray):
            if value.ndim == 0 and value.dtype.kind in "biuf":
                return value.item()
            return {"array": self._array(value)}
        if callable(value) and hasattr(value, "__name__"):
            return value.__name__
        raise ValueError(f"{type(value).__name__} cannot be passed on to Keras 3.")


def _weights(layer: Any, kind: str) -> list[Any]:
    if kind in _LOOKUPS | {"Discretization", *_INSIDE} - {"SpectralNormalization"}:
        return []
    return [*layer._trainable_weights, *layer._non_trainable_weights] or list(layer.weights)


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [item for key in sorted(value) for item in _flat(value[key])]
    if isinstance(value, list | tuple):
        return [item for inner in value for item in _flat(inner)]
    return [value]
