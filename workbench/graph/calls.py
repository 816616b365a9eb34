"""The calls of a Keras model's layers, read from its configuration without Keras.

The configuration is that of ``model.get_config()``, which a ``.keras`` file holds as JSON.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Tensor = tuple[str, int, int]
"""A tensor in the graph: the layer that gives it, the number of the call, the number of the output."""

Lengths = tuple[int | None, ...]
"""Lengths of a tensor's axes, the batch axis first; None where a length is free or not known."""


@dataclass(frozen=True)
class Call:
    """One call of one layer.

    Attributes:
        kind: The layer's class.
        name: The layer's name.
        config: The layer's own configuration.
        number: Which call of this layer it is, from 0.
        calls: How often this layer is called in all.
        inputs: The tensors that it is called with: positional ones, then those passed by name.
        shapes: Their lengths; empty where not known.
        slots: For each of them the number of the positional argument, or the name.
        arguments: All positional arguments as the configuration has them.
        keywords: All arguments passed by name.
        module: Where the class is from, such as ``keras.layers``.
        is_registered: Whether the class is registered under a name of its own, so not Keras's.
    """

    kind: str
    name: str
    config: dict[str, Any]
    number: int = 0
    calls: int = 1
    inputs: tuple[Tensor, ...] = ()
    shapes: tuple[Lengths, ...] = ()
    slots: tuple[int | str, ...] = ()
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    module: str = "keras.layers"
    is_registered: bool = False

    @property
    def widths(self) -> tuple[int | None, ...]:
        """Lengths of the last axes of the tensors; None where not known."""
        return tuple(shape[-1] if shape else None for shape in self.shapes)

    @property
    def rank(self) -> int:
        """Number of axes of the first tensor, with the batch axis; 0 if not known."""
        return len(self.shapes[0]) if self.shapes else 0

    @property
    def positional(self) -> bool:
        """Whether tensors are only its positional arguments, and there is one."""
        return bool(self.slots) and all(isinstance(slot, int) for slot in self.slots)


def read_config(path: Path) -> dict[str, Any]:
    """The ``get_config()`` of the model in a ``.keras`` file.

    Raises:
        OSError, ValueError, KeyError, zipfile.BadZipFile: If it is not such a file.
    """
    with zipfile.ZipFile(path) as archive:
        config: dict[str, Any] = json.loads(archive.read("config.json"))["config"]
    return config


def calls(config: dict[str, Any]) -> Iterator[Call]:
    """Every call of every layer of a Sequential or functional model, inputs included."""
    if any("inbound_nodes" not in layer for layer in config["layers"]):
        yield from _chain(config)
        return
    for layer in config["layers"]:
        nodes = layer["inbound_nodes"]
        if not nodes:
            yield _call(layer)
        for number, node in enumerate(nodes):
            found = [
                (slot, tensor)
                for slot, value in [*enumerate(node["args"]), *(node.get("kwargs") or {}).items()]
                for tensor in _tensors(value)
            ]
            yield _call(
                layer,
                number=number,
                calls=len(nodes),
                inputs=tuple(_tensor(tensor["keras_history"]) for _, tensor in found),
                shapes=tuple(tuple(tensor["shape"]) for _, tensor in found),
                slots=tuple(slot for slot, _ in found),
                arguments=tuple(node["args"]),
                keywords=dict(node.get("kwargs") or {}),
            )


def inputs(config: dict[str, Any]) -> list[Tensor]:
    """The tensors that a model takes, in its order."""
    if "input_layers" not in config:
        return [(next(iter(_chain(config))).name, 0, 0)]
    return list(_histories(config["input_layers"]))


def outputs(config: dict[str, Any]) -> list[Tensor]:
    """The tensors that a model returns."""
    if "output_layers" not in config:
        return [(config["layers"][-1]["config"]["name"], 0, 0)]
    return list(_histories(config["output_layers"]))


def _call(layer: dict[str, Any], **details: Any) -> Call:
    kind, registered = layer["class_name"], layer.get("registered_name")
    return Call(
        kind,
        layer["config"]["name"],
        layer["config"],
        module=str(layer.get("module") or "keras.layers"),
        is_registered=registered is not None and registered != kind,
        **details,
    )


def _chain(config: dict[str, Any]) -> Iterator[Call]:
    layers = list(config["layers"])
    if layers[0]["class_name"] != "InputLayer":
        shape = config.get("build_input_shape") or _build_shape(layers[0])
        layers.insert(0, {"class_name": "InputLayer", "config": {"name": "", "batch_shape": shape}})
    for before, layer in zip([None, *layers], layers, strict=False):
        if before is None:
            yield _call(layer)
            continue
        yield _call(
            layer,
            inputs=((before["config"]["name"], 0, 0),),
            shapes=(_build_shape(layer),),
            slots=(0,),
        )


def _build_shape(layer: dict[str, Any]) -> Lengths:
    return tuple((layer.get("build_config") or {}).get("input_shape") or ())


def _tensors(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            yield value["config"]
        else:
            for item in value.values():
                yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _histories(value: Any) -> Iterator[Tensor]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _histories(item)
    elif len(value) == 3 and isinstance(value[0], str):
        yield _tensor(value)
    else:
        for item in value:
            yield from _histories(item)


def _tensor(history: Any) -> Tensor:
    name, number, output = history
    return name, number, output
