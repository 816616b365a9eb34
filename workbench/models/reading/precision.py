"""Which precision a converted file has, from the element types of its weights and activations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.api.variant import Precision

_SMALL = 1024
"""Converters leave smaller tensors as they are: it would save nothing."""

_WORDS: dict[tuple[str, str], Precision] = {
    ("float32", "float32"): "float32",
    ("float16", "float32"): "float16",
    ("float16", "float16"): "float16",
    ("int8", "float32"): "dynamic int8",
    ("uint8", "float32"): "dynamic int8",
    ("int8", "int8"): "int8",
    ("int8", "uint8"): "int8",
    ("uint8", "uint8"): "int8",
    ("int8", "int16"): "int16x8",
    ("int4", "float32"): "int4",
    ("int4", "int8"): "int4",
}


@dataclass(frozen=True)
class WeightUse:
    """A weight tensor where it is used.

    Attributes:
        weight: Element type that it is stored in.
        activation: Element type of what it is multiplied with.
        elements: Number of its elements.
        widened: Whether an operation before the product turns it into floats, so that a product with
            float activations is one of floats.
    """

    weight: str
    activation: str
    elements: int
    widened: bool = False


def precision_of(uses: Iterable[WeightUse]) -> Precision:
    """The one word for a file.

    Args:
        uses: Every weight tensor of its matrix products and convolutions.

    Returns:
        The word that holds for all of them, small float ones apart; ``mixed`` if there is none.
    """
    found = list(uses)
    words = {_word(use) for use in found}
    if len(words) > 1:
        words = {_word(use) for use in found if use.elements >= _SMALL or not use.weight.startswith("float")}
    if not words:
        return "float32"
    return words.pop() if len(words) == 1 else "mixed"


def _word(use: WeightUse) -> Precision:
    word = _WORDS.get((use.weight, use.activation), "mixed")
    return "int8 weights" if word == "dynamic int8" and use.widened else word
