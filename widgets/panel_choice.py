"""Which panels of a page are shown: for a lesson, or a screen with little room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from widgets.component import Component
from workbench.api.errors import InvalidInput
from workbench.api.technique import FAMILIES
from workbench.api.text import Text, say

NAMED = ("trade-off", "live", "variants", "details", "advisor", "guess", "draw")
"""Panels that have a name of their own; the techniques have those of their families."""


def require_panels(names: Iterable[str]) -> None:
    """Does nothing where all are names of panels.

    Raises:
        InvalidInput: If one is not, with those that are.
    """
    known = (*FAMILIES, *NAMED)
    for name in names:
        if name not in known:
            raise InvalidInput(
                say("There is no panel {name}.", name=repr(name)[:60]),
                say("There are: {names}.", names=known),
            )


class PanelChoice:
    """The panels that can be shown and hidden.

    Args:
        panels: By name: its title, and the widgets that it is or is part of.
    """

    def __init__(self, panels: Mapping[str, tuple[Text, Iterable[Component]]]) -> None:
        self._titles: dict[str, Text] = {name: title for name, (title, _) in panels.items()}
        self._widgets = {name: tuple(widgets) for name, (_, widgets) in panels.items()}
        self._hidden: frozenset[str] = frozenset()
        self.one_at_a_time = False
        """Whether one panel is shown at a time, as on a projector."""
        self.shown: frozenset[str] | None = None
        """Names of those that are shown; None for all that may be."""

    @property
    def titles(self) -> dict[str, Text]:
        """The panels that may be shown, by name."""
        return {name: title for name, title in self._titles.items() if name not in self._hidden}

    def shows(self, name: str) -> bool:
        """Whether a panel is shown."""
        return name not in self._hidden and (self.shown is None or name in self.shown)

    def confine(self, hidden: frozenset[str], *, projector: bool) -> None:
        """Hides panels for good, and shows one at a time if asked to.

        Args:
            hidden: Names of panels; all but one of them at most.
            projector: Whether one panel is shown at a time.
        """
        self._hidden = hidden if frozenset(self._titles) - hidden else frozenset()
        self.one_at_a_time = projector
        self.show(self.shown)

    def show(self, names: frozenset[str] | None) -> None:
        """Shows these panels and hides the others; all of them where there would be none.

        Args:
            names: Of panels; others are passed over. None for all.
        """
        known = frozenset(self.titles)
        chosen = known if names is None else names & known
        if self.one_at_a_time and len(chosen) != 1:
            chosen = frozenset([next(name for name in self.titles if name in (chosen or known))])
        self.shown = None if chosen in (known, frozenset()) else chosen
        # Several panels may be parts of one widget.
        kept = [widget for name, widgets in self._widgets.items() if self.shows(name) for widget in widgets]
        for widget in {widget for widgets in self._widgets.values() for widget in widgets}:
            widget.switch(off=not any(widget is one for one in kept))
