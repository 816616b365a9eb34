"""Classes and functions of the user's own in a model, as far as a file keeps their names only."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from workbench.api.errors import Refused
from workbench.api.text import say

_WRAPPED = ("layer", "forward_layer", "backward_layer", "cell", "cells")


def is_own(kind: Any) -> bool:
    """Whether a class or function is none of Keras'."""
    return str(kind.__module__).split(".")[0] != "keras"


def own_kinds(model: Any) -> set[Any]:
    """Own classes of layers in a model, those of the model itself aside, and own functions that they call.

    Raises:
        Refused: For a function that no other process can have.
    """
    layers = every_layer(model)
    kinds = {type(layer) for layer in layers if is_own(type(layer))} | own_functions(layers)
    return kinds if is_own(type(model)) else kinds - {type(model)}


def every_layer(model: Any) -> list[Any]:
    """A model and every layer inside, wrapped and nested ones included."""
    found = {id(layer): layer for layer in (*model._flatten_layers(), *flat(model))}
    return list(found.values())


def own_functions(layers: Iterable[Any]) -> set[Any]:
    """Functions of the user's own that layers call: activations, for the most part.

    Raises:
        Refused: For one that no other process can have.
    """
    activations = sys.modules["keras"].activations
    found = set()
    for layer in layers:
        if type(layer).__name__ == "Lambda":
            continue
        for role, function in vars(layer).items():
            # tf.nn.relu and the like have the names of Keras' own
            if not inspect.isfunction(function) or not is_own(function):
                continue
            if is_own(type(layer)) and role not in {"activation", "recurrent_activation"}:
                continue  # its class knows what it is for
            if hasattr(activations, function.__name__):
                continue
            if function.__name__ == "<lambda>":
                raise Refused(
                    say(
                        "The {role} of the layer {layer} is a lambda, of which a file keeps no name.",
                        role=role.strip("_"),
                        layer=layer.name,
                    ),
                    say("Give it a name: def my_activation(x): ..."),
                )
            found.add(function)
    return found


def flat(model: Any) -> Iterator[Any]:
    """Every layer inside, wrapped and nested ones included."""
    for layer in getattr(model, "layers", ()):
        yield layer
        yield from flat(layer)
        wrapped = [getattr(layer, name, None) for name in _WRAPPED]
        for inner in (one for some in wrapped for one in (some if isinstance(some, list) else [some])):
            if inner is not None and hasattr(inner, "name"):
                yield inner
                yield from flat(inner)
                yield from _cells(inner)


def _cells(layer: Any) -> Iterator[Any]:
    cell = getattr(layer, "cell", None)
    if cell is not None:
        yield cell
        yield from getattr(cell, "cells", ())
