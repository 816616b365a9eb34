"""The techniques: what makes a variant from a variant. One file each, in a folder by family.

Adding one is one new file in a family's folder. A distribution of its own can offer one under the
entry point group ``workbench.techniques``, a notebook through :func:`register`.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from workbench.discovery import classes_below, classes_of_entry_points
from workbench.errors import InvalidInput
from workbench.technique import FAMILIES, AnyTechnique, Technique
from workbench.text import Text, say

_registered: dict[str, AnyTechnique] = {}


def techniques() -> dict[str, AnyTechnique]:
    """Every technique by name, in the order of the families; imports no runtime and no TensorFlow."""
    known = {**_discovered()[0], **_registered}
    return dict(sorted(known.items(), key=lambda item: (FAMILIES.index(item[1].family), item[0])))


def technique(name: str) -> AnyTechnique:
    """One technique.

    Args:
        name: Such as ``quantization.int8``.

    Raises:
        InvalidInput: If there is none of that name.
    """
    known = techniques()
    if name not in known:
        raise InvalidInput(
            say("There is no technique {name}.", name=repr(name)),
            say("Choose one of: {names}.", names=", ".join(known)),
        )
    return known[name]


def register(technique_class: type[Technique[Any]]) -> type[Technique[Any]]:
    """Adds a technique while the program runs; usable as a decorator.

    Args:
        technique_class: Takes the place of one with the same name.

    Raises:
        ValueError: If its name does not begin with its family.
    """
    if technique_class.family not in FAMILIES or not technique_class.name.startswith(
        technique_class.family + "."
    ):
        raise ValueError(
            f"a technique's name must be '<family>.<technique>' with a family of {FAMILIES}. "
            f"Received: name={technique_class.name!r}, family={technique_class.family!r}"
        )
    _registered[technique_class.name] = technique_class()
    return technique_class


def unregister(name: str) -> None:
    """Takes back what :func:`register` added; a discovered technique of that name is there again."""
    _registered.pop(name, None)


def broken() -> dict[str, Text]:
    """Entry points that could not be used, with the reason."""
    return dict(_discovered()[1])


@cache
def _discovered() -> tuple[dict[str, AnyTechnique], dict[str, Text]]:
    # mypy takes an abstract class for type[Technique] amiss; it is only compared with, never made.
    own = classes_below(sys.modules[__name__], Technique)  # type: ignore[type-abstract]
    foreign, unusable = classes_of_entry_points("workbench.techniques", Technique)  # type: ignore[type-abstract]
    return {item.name: item() for item in [*foreign, *own]}, unusable
