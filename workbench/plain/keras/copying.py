"""Weights of one Keras model in another of the same architecture."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory
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


def copy_assets(source: Any, target: Any) -> None:
    """Gives a layer what another keeps beside its weights, such as the vocabulary that it was adapted to.

    It stands neither in the configuration nor among the weights.
    """
    if hasattr(source, "save_assets") and hasattr(target, "load_assets"):
        with TemporaryDirectory() as folder:
            source.save_assets(folder)
            target.load_assets(folder)


def _all_layers(layer: Any) -> Iterator[Any]:
    yield layer
    for inner in getattr(layer, "layers", ()):
        yield from _all_layers(inner)
