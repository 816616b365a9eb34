"""Weights of one Keras model in another of the same architecture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.api.variant import Variant


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


def finalizing_code(model: str, variant: Variant) -> str:
    """The line that plain code needs after ``set_weights``; empty without such a layer.

    Args:
        model: The variable that holds the model.
        variant: What it was made of.
    """
    if all(layer.kind != "Normalization" for layer in variant.description.layers):
        return ""
    return (
        f"for layer in {model}.layers:\n"
        f'    if hasattr(layer, "finalize_state"):  # normalization computes with copies of its weights\n'
        f"        layer.finalize_state()\n"
    )


def _all_layers(layer: Any) -> Iterator[Any]:
    yield layer
    for inner in getattr(layer, "layers", ()):
        yield from _all_layers(inner)
