"""Which panels of a page are shown: for a lesson, or a screen with little room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ipywidgets

from workbench.api.text import Text

_HIDDEN = "wb-off"


class PanelChoice:
    """The panels that can be shown and hidden.

    Args:
        panels: By name: its title, and the widgets that it is or is part of.
    """

    def __init__(self, panels: Mapping[str, tuple[Text, Iterable[ipywidgets.Widget]]]) -> None:
        self.titles: dict[str, Text] = {name: title for name, (title, _) in panels.items()}
        self._widgets = {name: tuple(widgets) for name, (_, widgets) in panels.items()}
        self.shown: frozenset[str] | None = None
        """Names of those that are shown; None for all."""

    def shows(self, name: str) -> bool:
        """Whether a panel is shown."""
        return self.shown is None or name in self.shown

    def show(self, names: frozenset[str] | None) -> None:
        """Shows these panels and hides the others; all of them where there would be none.

        Args:
            names: Of panels; others are passed over. None for all.
        """
        known = frozenset(self.titles)
        chosen = known if names is None else names & known
        self.shown = None if chosen in (known, frozenset()) else chosen
        # Several panels may be parts of one widget.
        kept = [widget for name, widgets in self._widgets.items() if self.shows(name) for widget in widgets]
        for widget in {widget for widgets in self._widgets.values() for widget in widgets}:
            if any(widget is one for one in kept):
                widget.remove_class(_HIDDEN)
            else:
                widget.add_class(_HIDDEN)
