"""When widgets follow what has changed: a few times a second at most, all together."""

from __future__ import annotations

import asyncio
import math
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from widgets.component import Component

REDRAW_SECONDS = 0.15
"""Changes within this time are shown together."""


class Rhythm:
    """Gathers what has changed, and refreshes the widgets that follow it.

    Args:
        is_over: Whether nothing can be read any more: then every widget is refreshed, and says why.
    """

    def __init__(self, is_over: Callable[[], bool]) -> None:
        self._is_over = is_over
        self._components: weakref.WeakSet[Component] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._dirty: set[str] = set()
        self._due = math.inf

    def add(self, component: Component) -> None:
        """Refreshes a widget from now on."""
        self._components.add(component)

    def remove(self, component: Component) -> None:
        """Forgets a widget."""
        self._components.discard(component)

    def touch(self, *what: str, within: float = REDRAW_SECONDS) -> None:
        """Says what has changed.

        Args:
            *what: As widgets name it in ``follows``.
            within: Seconds until it is shown at the latest.
        """
        due = time.monotonic() + within
        with self._lock:
            self._dirty.update(what)
            if self._due <= due:
                return
            self._due = due
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            timer = threading.Timer(within, self._flush_due, (due,))
            timer.daemon = True
            timer.start()
        else:
            loop.call_later(within, self._flush_due, due)

    def _flush_due(self, due: float) -> None:
        if due == self._due:  # else what this was for has been shown with something more urgent
            self.flush()

    def flush(self) -> None:
        """Refreshes now what has changed."""
        with self._lock:
            dirty, self._dirty, self._due = self._dirty, set(), math.inf
        over = self._is_over()
        for component in sorted(self._components, key=lambda one: one.takes_long):
            if over or dirty & (component.follows | {"language", "workbench"}):
                component.refresh()
