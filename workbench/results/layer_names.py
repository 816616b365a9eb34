"""Which layers of two files belong together, by what descriptions call them: before the files are opened."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.api.variant import Layer


def counterparts_by_name(after: Sequence[Layer], before: Sequence[Layer]) -> list[Layer | None]:
    """The layer of the other variant that each one comes from.

    By name where names are kept. A converter puts the name of a Keras layer between others and counts it up:
    ``model_1/conv_1/BiasAdd``. What two layers could stand for is put beside neither.

    Args:
        after: Layers of a variant, as described.
        before: Those of another one, of any format.
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
