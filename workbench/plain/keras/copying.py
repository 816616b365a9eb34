"""Weights of one Keras model in another of the same architecture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def copy_weights(source: Any, target: Any) -> None:
    """Gives a layer or model the weights of another.

    ``set_weights`` alone is not enough: a ``Normalization`` that was adapted to data computes with
    copies of its weights, and would go on with those of before, until it is saved and loaded.

    Args:
        source: A built ``keras.Layer`` or ``keras.Model``.
        target: One of the same architecture, built, not yet traced.
    """
    target.set_weights(source.get_weights())
    for layer in _all_layers(target):
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def _all_layers(layer: Any) -> Iterator[Any]:
    yield layer
    for inner in getattr(layer, "layers", ()):
        yield from _all_layers(inner)
