"""The layers of a variant beside those of another one: bytes and operations, before and after."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from widgets.charts.chart import column
from widgets.wording import count, short, size
from workbench.api.text import say
from workbench.api.variant import Layer, Variant


def layers_table(variant: Variant, reference: Variant | None) -> dict[str, Any]:
    """The table: a row a layer, with lengths against the largest, of both variants where both have it.

    Args:
        variant: What is looked at.
        reference: What it is compared with; None for nothing.
    """
    after = variant.description.layers
    before = _counterparts(after, reference.description.layers if reference is not None else ())
    pairs = list(zip(after, before, strict=True))
    bytes_most = max((layer.size_bytes for pair in pairs for layer in pair if layer), default=0) or 1
    macs_most = max((layer.macs or 0 for pair in pairs for layer in pair if layer), default=0) or 1
    compared = any(layer is not None for layer in before)
    counted = any(layer.macs for layer in after)
    names = [short(variant.name), short(reference.name) if reference is not None else ""]
    rows = []
    for layer, other in pairs:
        # Activations and reshapes hold nothing: their zeros would hide what matters.
        shape = "×".join("?" if length is None else str(length) for length in layer.output_shape)
        about = [layer.kind, shape, layer.precision if layer.parameters else ""]
        cells: list[Any] = [
            {"title": short(layer.name), "detail": " · ".join(short(one) for one in about if one)},
            count(layer.parameters) if layer.parameters else "",
            _bars(
                [layer.size_bytes, other.size_bytes if other else None],
                bytes_most,
                size,
                compared=compared,
            ),
        ]
        if counted:
            cells.append(
                _bars([layer.macs, other.macs if other else None], macs_most, count, compared=compared)
            )
        rows.append(cells)
    heads = [
        column(say("Layer")),
        column(say("Parameters"), numeric=True),
        column(say("Bytes"), numeric=True),
    ]
    if counted:
        heads.append(column(say("Multiply-accumulates"), numeric=True))
    return {
        "caption": str(say("Layers of {name}", name=names[0])),
        "columns": heads,
        "rows": rows,
        "names": names if compared else names[:1],
        "note": str(
            say("Above: {name}. Below: {other}.", name=names[0], other=names[1])
            if compared
            else say("The layers of the other variant have other names, so they are not put beside these.")
        )
        if reference is not None
        else "",
    }


def _bars(
    values: list[int | None], most: int, write: Callable[[int], str], *, compared: bool
) -> dict[str, Any]:
    mine, theirs = values
    shown = "" if not mine and not theirs else write(mine or 0)
    words = [shown]
    if compared:
        words.append("" if theirs is None or (not mine and not theirs) else write(theirs))
    return {"words": words, "bars": [(value or 0) / most for value in values[: len(words)]]}


def _counterparts(after: tuple[Layer, ...], before: tuple[Layer, ...]) -> list[Layer | None]:
    """The layer of the other variant that each one comes from.

    By name where names are kept. A converter puts the name of a Keras layer between others and counts it up:
    ``model_1/conv_1/BiasAdd``. What two layers could stand for is put beside neither.
    """
    exact = {layer.name: layer for layer in before}
    if any(layer.parameters and layer.name in exact for layer in after):
        return [exact.get(layer.name) for layer in after]
    mine, theirs = ([layer for layer in some if layer.parameters] for some in (after, before))
    found: dict[str, Layer] = {}
    for layer in mine:
        names = _names(layer)
        fitting = [other for other in theirs if names & _names(other)]
        rivals = [one for one in mine if fitting and _names(one) & _names(fitting[0])]
        if len(fitting) == 1 and len(rivals) == 1:
            found[layer.name] = fitting[0]
    return [found.get(layer.name) for layer in after]


def _names(layer: Layer) -> frozenset[str]:
    """The names that may be those of the Keras layer that it was; the first one is the model's."""
    parts = layer.name.split("/")
    if len(parts) > 1:
        parts = parts[1:-1] or parts[1:]
    return frozenset(
        {*parts, *(re.sub(r"_\d+$", "", part) for part in parts if len(layer.name.split("/")) > 1)}
    )
