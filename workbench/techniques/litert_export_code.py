"""The call that writes a LiteRT file, as plain code."""

from __future__ import annotations

from textwrap import indent

from workbench.plain_source import plain_source
from workbench.variant import Variant

_TRACING = "workbench.models.litert_tracing"
_RESHAPING = {"Flatten", "Reshape"}


def tracing_source(variant: Variant) -> str:
    """What a script has to define before :func:`traced` code: nothing, where the model reshapes nothing."""
    return f"{plain_source(_TRACING)}\n\n" if _reshapes(variant) else ""


def traced(variant: Variant, export: str) -> str:
    """An export as :func:`workbench.models.conversion.to_tflite` does it.

    Args:
        variant: The Keras file that is exported.
        export: The statement with ``format="litert"``, whole lines.
    """
    return f"with static_shapes():\n{indent(export, '    ')}" if _reshapes(variant) else export


def _reshapes(variant: Variant) -> bool:
    return any(layer.kind in _RESHAPING for layer in variant.description.layers)
