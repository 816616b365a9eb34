"""What is said of the zeros and shared values that a training keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.api.text import Text, say
from workbench.api.variant import Variant

if TYPE_CHECKING:
    from workbench.plain.keras.preserving import WeightPreserver


def needs_preserving(variant: Variant) -> bool:
    """Whether there are zeros or shared values in a variant's weights, which training has to keep."""
    return variant.description.sparse or variant.description.clustered


def preserving_notes(preserving: WeightPreserver) -> tuple[Text, ...]:
    """What a report says of it; nothing if there was nothing to keep."""
    notes = []
    if preserving.sparse:
        notes.append(say("Zeros were kept in training: {layers}.", layers=preserving.sparse))
    if preserving.clustered:
        notes.append(
            say(
                "Shared values were kept in training, each trained as one weight: {layers}.",
                layers=preserving.clustered,
            )
        )
    return tuple(notes)
