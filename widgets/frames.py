"""Back-pressure: the newest state wins, and the next one leaves only when the page has drawn the last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

OVERDUE_SECONDS = 5.0
"""An echo that has not come by then is taken as lost, as after a broken connection."""


class Frames:
    """Sends states to a page, never faster than the page can draw them.

    ::

        idle ──wish──> sent, waiting for its echo ──echo──> idle, or the newest wish is sent
        before the page has rendered, and while nobody looks at it, wishes are kept: only the newest counts

    Args:
        make: Makes the state as it is now; called only when it can be sent.
        send: Sends a state with its ``frame`` number.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        make: Callable[[], dict[str, Any]],
        send: Callable[[dict[str, Any]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._send = send
        self._clock = clock
        # Re-entrant: sending may be answered at once, in tests and in a kernel without a page.
        self._lock = threading.RLock()
        self._frame = 0
        self._last: dict[str, Any] | None = None
        self._rendered = False
        self._unseen = False
        self._waiting_since: float | None = None
        self._wish = False

    def first(self) -> dict[str, Any]:
        """The state that travels with the widget itself."""
        with self._lock:
            self._last = self._make()
            return {**self._last, "frame": self._frame}

    def wish(self) -> None:
        """Asks for the state as it is now to be shown."""
        with self._lock:
            self._wish = True
            self._go()

    def rendered(self) -> None:
        """A page shows the widget from now on; it may have missed every update so far."""
        with self._lock:
            self._rendered = True
            self._unseen = False
            self._waiting_since = None
            self._last = None
            self._wish = True
            self._go()

    def unseen(self) -> None:
        """Nobody looks at the page: what changes meanwhile is shown together when somebody does."""
        with self._lock:
            self._unseen = True

    def seen(self) -> None:
        """Somebody looks at the page, or at another one of the same widget."""
        with self._lock:
            self._unseen = False
            self._go()

    def echo(self, frame: object) -> None:
        """A page has drawn a frame."""
        with self._lock:
            if frame == self._frame:
                self._waiting_since = None
                self._go()

    def _go(self) -> None:
        if not self._wish or not self._rendered or self._unseen:
            return
        now = self._clock()
        if self._waiting_since is not None and now - self._waiting_since < OVERDUE_SECONDS:
            return
        self._wish = False
        state = self._make()
        if state == self._last:
            return
        self._last = state
        self._frame += 1
        self._waiting_since = now
        self._send({**state, "frame": self._frame})
