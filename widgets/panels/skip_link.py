"""The first stop of the keyboard: past head and techniques to the results."""

from __future__ import annotations

from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from workbench.api.text import say

_LABELS = {"results": say("To the results")}


class SkipLink(Component):
    """A link that is seen when it has the focus.

    Args:
        workbench: A workbench, or the session of one.
    """

    _esm = esm("skipLink")
    follows: ClassVar[frozenset[str]] = frozenset()

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        return {"labels": words(_LABELS)}
