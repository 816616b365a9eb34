"""Layers that only Keras's own runtimes have: tables of words and identifiers, and text itself."""

from __future__ import annotations

from workbench.api.text import Text, say
from workbench.api.variant import Variant

TABLES = frozenset({"IntegerLookup", "StringLookup", "TextVectorization", "Hashing", "HashedCrossing"})


def lookup_obstacle(variant: Variant, *, compiled: bool = False) -> Text | None:
    """Why a variant can be run by Keras only, or None.

    LiteRT and ONNX have no form for a table of words or identifiers. OpenVINO takes some of these layers, and
    what it makes of them gives other predictions.

    Args:
        variant: The model.
        compiled: Whether it is asked for XLA, which has neither tables nor text.
    """
    table = next((layer for layer in variant.description.layers if layer.kind in TABLES), None)
    if table is not None:
        reason = say("{layer} ({kind}) looks its input up in a table.", layer=table.name, kind=table.kind)
    elif any(spec.role == "text" for spec in variant.description.inputs):
        reason = say("The model takes text.")
    else:
        return None
    if compiled:
        return say("{reason} XLA cannot compile that: choose another Keras runtime.", reason=reason)
    return say(
        "{reason} Only Keras runs that. For other runtimes, do it before the model, and open a model that "
        "starts with the numbers.",
        reason=reason,
    )
