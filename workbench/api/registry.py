"""What can be added by one file, by name: found below a package, installed, or registered at run time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from workbench.api.discovery import classes_below, classes_of_entry_points
from workbench.api.errors import InvalidInput
from workbench.api.suggestions import with_suggestion
from workbench.api.text import Text, say

T = TypeVar("T")


class Registry(Generic[T]):
    """One object of each class; a class of the same name that is registered takes the place.

    Args:
        package: Full name of the package that holds them, one file each; it is imported already.
        base: What each is a concrete subclass of.
        order: What they are listed by.
        unknown: Says that there is none of a name.

    Attributes:
        registered: Those that were added while the program runs.
    """

    def __init__(
        self,
        package: str,
        base: type[Any],
        order: Callable[[T], Any],
        unknown: Callable[[str], Text],
    ) -> None:
        self._package, self._base, self._order, self._unknown = package, base, order, unknown
        self.registered: dict[str, T] = {}

    def all(self) -> dict[str, T]:
        """Every one by name, in order."""
        known = {**self._discovered[0], **self.registered}
        return dict(sorted(known.items(), key=lambda item: self._order(item[1])))

    def one(self, name: str) -> T:
        """The one of a name.

        Raises:
            InvalidInput: If there is none.
        """
        known = self.all()
        if name not in known:
            raise InvalidInput(
                self._unknown(repr(name)),
                with_suggestion(name, known, say("Choose one of: {names}.", names=tuple(known))),
            )
        return known[name]

    def broken(self) -> dict[str, Text]:
        """Entry points that could not be used, with the reason."""
        return dict(self._discovered[1])

    @cached_property
    def _discovered(self) -> tuple[dict[str, T], dict[str, Text]]:
        own = classes_below(sys.modules[self._package], self._base)
        foreign, unusable = classes_of_entry_points(self._package, self._base)
        return {item.name: item() for item in [*foreign, *own]}, unusable
