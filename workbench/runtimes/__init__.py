"""The runtimes: what runs a model file. One file each; adding one is one new file here.

A distribution of its own can offer one under the entry point group ``workbench.runtimes``.
"""

from __future__ import annotations

import sys
from functools import cache

from workbench.discovery import classes_below, classes_of_entry_points
from workbench.errors import InvalidInput
from workbench.runtime import Runtime
from workbench.text import Text, say

_registered: dict[str, Runtime] = {}


def runtimes() -> dict[str, Runtime]:
    """Every runtime by name, those of TensorFlow first; imports none of their packages."""
    known = {**_discovered()[0], **_registered}
    return dict(sorted(known.items(), key=lambda item: (not item[1].imports_tensorflow, item[0])))


def runtime(name: str) -> Runtime:
    """One runtime.

    Args:
        name: Such as ``litert``.

    Raises:
        InvalidInput: If there is none of that name.
    """
    known = runtimes()
    if name not in known:
        raise InvalidInput(
            say("There is no runtime {name}.", name=repr(name)),
            say("Choose one of: {names}.", names=", ".join(known)),
        )
    return known[name]


def register(runtime_class: type[Runtime]) -> type[Runtime]:
    """Adds a runtime while the program runs; usable as a decorator.

    Args:
        runtime_class: Takes the place of one with the same name.
    """
    _registered[runtime_class.name] = runtime_class()
    return runtime_class


def broken() -> dict[str, Text]:
    """Entry points that could not be used, with the reason."""
    return dict(_discovered()[1])


@cache
def _discovered() -> tuple[dict[str, Runtime], dict[str, Text]]:
    # mypy takes an abstract class for type[Runtime] amiss; it is only compared with, never made.
    own = classes_below(sys.modules[__name__], Runtime)  # type: ignore[type-abstract]
    foreign, unusable = classes_of_entry_points("workbench.runtimes", Runtime)  # type: ignore[type-abstract]
    return {item.name: item() for item in [*foreign, *own]}, unusable
