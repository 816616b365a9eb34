"""Who wants to know: callbacks, each called on the event loop that it was registered from."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

E = TypeVar("E")


class Observers(Generic[E]):
    """A list of callbacks, safe to use from several threads.

    A callback registered while an event loop runs in that thread (a notebook's kernel) is called on
    that loop, so that it may touch widgets. Otherwise it is called on the thread that notifies.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[int, tuple[Callable[[E], None], asyncio.AbstractEventLoop | None]] = {}
        self._next = 0

    def add(self, callback: Callable[[E], None]) -> Callable[[], None]:
        """Registers a callback; calling what is returned takes it back."""
        try:
            loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        with self._lock:
            key = self._next
            self._next += 1
            self._callbacks[key] = (callback, loop)

        def remove() -> None:
            with self._lock:
                self._callbacks.pop(key, None)

        return remove

    def notify(self, event: E) -> None:
        """Tells every callback; a loop that has closed is forgotten."""
        with self._lock:
            callbacks = list(self._callbacks.items())
        for key, (callback, loop) in callbacks:
            if loop is None:
                callback(event)
                continue
            try:
                loop.call_soon_threadsafe(callback, event)
            except RuntimeError:  # the loop is closed
                with self._lock:
                    self._callbacks.pop(key, None)
