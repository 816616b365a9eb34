"""Layers that a layer is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def inner_layers(model: Any) -> Iterator[Any]:
    """Layers inside a layer that is no model, such as those of attention.

    Args:
        model: A ``keras.Model``; models inside of it are looked into.
    """
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from inner_layers(layer)
        else:
            yield from layer._flatten_layers(include_self=False)
