"""Which panels of a page are shown: for a lesson, or a screen with little room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ipywidgets

from workbench.text import Text

_HIDDEN = "wb-off"


class PanelChoice:
    """The panels that can be shown and hidden.

    Args:
        panels: By name: its title, and the widgets that it consists of.
    """

    def __init__(self, panels: Mapping[str, tuple[Text, Iterable[ipywidgets.Widget]]]) -> None:
        self._panels = {name: (title, tuple(widgets)) for name, (title, widgets) in panels.items()}
        self.shown: frozenset[str] | None = None
        """Names of those that are shown; None for all."""

    @property
    def titles(self) -> dict[str, Text]:
        """Title of each panel by its name."""
        return {name: title for name, (title, _) in self._panels.items()}

    def show(self, names: frozenset[str] | None) -> None:
        """Shows these panels and hides the others; all of them where there would be none.

        Args:
            names: Of panels; others are passed over. None for all.
        """
        known = frozenset(self._panels)
        chosen = known if names is None else names & known
        self.shown = None if chosen in (known, frozenset()) else chosen
        for name, (_, widgets) in self._panels.items():
            for widget in widgets:
                if self.shown is None or name in self.shown:
                    widget.remove_class(_HIDDEN)
                else:
                    widget.add_class(_HIDDEN)
