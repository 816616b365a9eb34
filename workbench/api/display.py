"""How records show themselves in a notebook: by functions that register here.

A record is defined below everything that its table is made of: verdicts, runtimes, results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

Kind = Literal["job", "live job", "technique", "variant"]
F = TypeVar("F", bound=Callable[[Any], Any])

_registered: dict[Kind, Callable[[Any], Any]] = {}


def shows(kind: Kind) -> Callable[[F], F]:
    """Registers a function that shows the records of a kind; usable as a decorator.

    Args:
        kind: "live job" is shown by a widget, everything else as HTML.
    """

    def register(function: F) -> F:
        _registered[kind] = function
        return function

    return register


def shown(kind: Kind, item: object) -> Any:
    """What the registered function makes of an item; None without one, and a notebook prints its ``repr``."""
    function = _registered.get(kind)
    return None if function is None else function(item)
