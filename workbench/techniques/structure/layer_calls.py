"""The graph of a Keras model, read from its configuration without Keras.

The configuration is that of ``model.get_config()``, which a ``.keras`` file holds as JSON.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Tensor = tuple[str, int, int]
"""A tensor in the graph: the layer that gives it, the number of the call, the number of the output."""


@dataclass(frozen=True)
class Call:
    """One call of one layer.

    Attributes:
        kind: The layer's class.
        name: The layer's name.
        config: The layer's own configuration.
        number: Which call of this layer it is, from 0.
        calls: How often this layer is called in all.
        inputs: The tensors that it is called with.
        widths: Lengths of their last axes; None where not known.
        rank: Number of axes of the first of them, with the batch axis; 0 if not known.
        positional: Whether tensors are only its positional arguments, and there is one.
    """

    kind: str
    name: str
    config: dict[str, Any]
    number: int = 0
    calls: int = 1
    inputs: tuple[Tensor, ...] = ()
    widths: tuple[int | None, ...] = ()
    rank: int = 0
    positional: bool = True


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
        kind, name, nodes = layer["class_name"], layer["config"]["name"], layer["inbound_nodes"]
        if not nodes:
            yield Call(kind, name, layer["config"])
        for number, node in enumerate(nodes):
            tensors = list(_tensors(node["args"]))
            yield Call(
                kind,
                name,
                layer["config"],
                number,
                len(nodes),
                tuple(_tensor(tensor["keras_history"]) for tensor in tensors),
                tuple(tensor["shape"][-1] if tensor["shape"] else None for tensor in tensors),
                len(tensors[0]["shape"]) if tensors else 0,
                bool(tensors) and not list(_tensors(node.get("kwargs") or {})),
            )


def outputs(config: dict[str, Any]) -> list[Tensor]:
    """The tensors that a model returns."""
    if "output_layers" not in config:
        return [(config["layers"][-1]["config"]["name"], 0, 0)]
    return list(_histories(config["output_layers"]))


def _chain(config: dict[str, Any]) -> Iterator[Call]:
    layers = list(config["layers"])
    if layers[0]["class_name"] != "InputLayer":
        layers.insert(0, {"class_name": "InputLayer", "config": {"name": ""}})
    for before, layer in zip([None, *layers], layers, strict=False):
        kind, own = layer["class_name"], layer["config"]
        if before is None:
            yield Call(kind, own["name"], own)
            continue
        shape = (layer.get("build_config") or {}).get("input_shape") or (None,)
        yield Call(
            kind,
            own["name"],
            own,
            inputs=((before["config"]["name"], 0, 0),),
            widths=(shape[-1],),
            rank=len(shape),
        )


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
