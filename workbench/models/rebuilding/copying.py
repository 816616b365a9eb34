"""Weights of one Keras model in another of the same architecture, as plain code."""

from __future__ import annotations

from workbench.api.variant import Variant


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
