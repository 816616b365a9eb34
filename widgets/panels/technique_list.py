"""Techniques in the order of their use: what each family is for, search, and filters."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from widgets.wording import short
from workbench.api.technique import FAMILIES, Aim, AnyTechnique, Family
from workbench.api.text import Text, say, say_as
from workbench.api.variant import Variant
from workbench.engine.refusal import Refusal

ABOUT: dict[Family, Text] = {
    "quantization": say(
        "Fewer bits for each number: smaller, often faster. Seconds, mostly without training."
    ),
    "inference": say("The same numbers in another runtime: faster. Seconds, without training."),
    "structure": say("Fewer numbers: smaller, often faster. Most train for minutes."),
    "distillation": say("A small network learns from a large one: smaller and faster. Trains for minutes."),
    "training": say("The same network, trained otherwise: better, as large and as fast. Minutes."),
}
"""What each family is for, in one line."""

AIMS: dict[Aim, tuple[str, Text]] = {
    "smaller": ("↘", say("makes the file smaller")),
    "smaller packed": ("⇲", say("makes the packed file smaller")),
    "faster": ("»", say("makes it faster")),
    "better": ("↑", say("can raise quality")),
}
"""Sign and words of what a technique is used for."""

_FIRST = (
    "quantization.int8",
    "quantization.dynamic_range",
    "quantization.float16",
    "quantization.onnx_int8",
    "quantization.openvino_int8",
    "inference.runtime",
    "inference.grid",
    "structure.pruning",
)
"""What is used most comes first in its family."""

_A_MINUTE = 60.0


@dataclass(frozen=True)
class Filter:
    """A condition that the reader can set.

    Attributes:
        title: Its words.
        sign: A sign before them, as beside the techniques.
    """

    title: Text
    sign: str = ""


FILTERS: dict[str, Filter] = {
    "smaller": Filter(say_as("filter of techniques", "Smaller"), AIMS["smaller"][0]),
    "faster": Filter(say_as("filter of techniques", "Faster"), AIMS["faster"][0]),
    "better": Filter(say_as("filter of techniques", "Better"), AIMS["better"][0]),
    "seconds": Filter(say_as("filter of techniques", "Seconds")),
    "minutes": Filter(say_as("filter of techniques", "Minutes")),
    "untrained": Filter(say_as("filter of techniques", "Without training")),
}
"""By name, in the order in which they are shown."""


@dataclass(frozen=True)
class Wish:
    """What the reader looks for.

    Attributes:
        words: What was typed.
        filters: Names of the filters that are on.
    """

    words: str = ""
    filters: frozenset[str] = field(default_factory=frozenset)

    @property
    def empty(self) -> bool:
        """Whether everything is wanted."""
        return not self.words.strip() and not self.filters


def in_order(techniques: Mapping[str, AnyTechnique]) -> dict[str, AnyTechnique]:
    """Families by use, and in each what is used most before the others."""

    def place(item: tuple[str, AnyTechnique]) -> tuple[int, int, str]:
        name, technique = item
        rank = _FIRST.index(name) if name in _FIRST else len(_FIRST)
        return FAMILIES.index(technique.family), rank, name

    return dict(sorted(techniques.items(), key=place))


def wanted(
    technique: AnyTechnique, wish: Wish, aims: Iterable[Aim], seconds: float | None, family: Text
) -> bool:
    """Whether a technique is among what the reader looks for.

    Args:
        technique: The technique.
        wish: What is looked for.
        aims: What it is used for on this machine.
        seconds: How long it is expected to take; None where that is not known.
        family: The title of its family.
    """
    met = {
        "smaller": "smaller" in aims,
        "faster": "faster" in aims,
        "better": "better" in aims,
        "seconds": seconds is not None and seconds < _A_MINUTE,
        "minutes": seconds is not None and seconds >= _A_MINUTE,
        "untrained": not technique.trains,
    }
    return all(met[name] for name in wish.filters) and _mentions(technique, wish.words, family)


def _mentions(technique: AnyTechnique, words: str, family: Text) -> bool:
    asked = words.casefold().split()
    if not asked:
        return True
    # In the reader's language and in English: papers and forums use the English words.
    texts = (
        Text(template=technique.title),
        Text(template=inspect.cleandoc(type(technique).__doc__ or "")),
        family,
    )
    said = " ".join(
        [technique.name, *(str(text) for text in texts), *(text.translated("en") for text in texts)]
    )
    said = said.casefold()
    return all(word in said for word in asked)


def refusal_word(refusal: Refusal, variants: Mapping[str, Variant]) -> Text:
    """Two or three words that say of which kind a refusal is."""
    if refusal.kind == "software":
        return say("needs software")
    if refusal.kind == "hardware":
        return say("needs a GPU")
    if refusal.kind == "model":
        return say("not for this model")
    name = _name(refusal.after[0], variants, 14)
    return say("before {name}", name=name) if refusal.kind == "order" else say("instead of {name}", name=name)


def refusal_lead(refusal: Refusal) -> Text:
    """What stands before the reason."""
    if refusal.kind in ("software", "hardware"):
        return say("Not on this machine yet:")
    if refusal.kind == "model":
        return say("Not for this model:")
    if refusal.kind == "order":
        return say("Comes earlier:")
    return say("Takes its place:")


def refusal_help(refusal: Refusal, variants: Mapping[str, Variant]) -> Text | None:
    """The words of the click that helps; None where no click does."""
    if refusal.start is None:
        return None
    start = _name(refusal.start, variants, 24)
    if refusal.kind == "instead":
        return say("Apply to {start} instead", start=start)
    steps = tuple(_name(one, variants, 24) for one in refusal.after)
    return say("Apply to {start}, then {steps} again", start=start, steps=steps)


def _name(variant: str, variants: Mapping[str, Variant], longest: int) -> str:
    return short(variants[variant].name, longest) if variant in variants else "?"
