"""The techniques: what makes a variant from a variant. One file each, in a folder by family.

Adding one is one new file in a family's folder. A distribution of its own can offer one under the
entry point group ``workbench.techniques``, a notebook through :func:`register`.
"""

from __future__ import annotations

from typing import Any

from workbench.api.registry import Registry
from workbench.api.technique import FAMILIES, AnyTechnique, Technique
from workbench.api.text import Text, say

_registry: Registry[AnyTechnique] = Registry(
    __name__,
    Technique,
    order=lambda item: (FAMILIES.index(item.family), item.name),
    unknown=lambda name: say("There is no technique {name}.", name=name),
)


def techniques() -> dict[str, AnyTechnique]:
    """Every technique by name, in the order of the families; imports no runtime and no TensorFlow."""
    return _registry.all()


def technique(name: str) -> AnyTechnique:
    """One technique.

    Args:
        name: Such as ``quantization.int8``.

    Raises:
        InvalidInput: If there is none of that name.
    """
    return _registry.one(name)


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
    _registry.registered[technique_class.name] = technique_class()
    return technique_class


def unregister(name: str) -> None:
    """Takes back what :func:`register` added; a discovered technique of that name is there again."""
    _registry.registered.pop(name, None)


def broken() -> dict[str, Text]:
    """Entry points that could not be used, with the reason."""
    return _registry.broken()
