"""Waiting inside a Jupyter kernel without standing still.

A cell that blocks stops the kernel's event loop: no message of a widget is read, and no news of a job are
drawn. So whoever waits in a cell runs the loop meanwhile. Other cells still come after this one: the kernel
itself holds them back.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import sys
import threading
import time
from collections import deque
from typing import Any, cast

_TICK_SECONDS = 0.5


def kernel_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop of the Jupyter kernel that this code runs in the main thread of; None elsewhere."""
    kernelbase = sys.modules.get("ipykernel.kernelbase")
    if kernelbase is None or threading.current_thread() is not threading.main_thread():
        return None
    if not kernelbase.Kernel.initialized():
        return None
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def in_cell() -> bool:
    """Whether a cell of a notebook runs now, so that what is displayed appears below it."""
    if kernel_loop() is None:
        return False
    kernel = sys.modules["ipykernel.kernelbase"].Kernel.instance()
    parent = kernel.get_parent("shell")
    return bool(parent) and parent.get("header", {}).get("msg_type") == "execute_request"


def run_until_done(
    loop: asyncio.AbstractEventLoop, outcome: concurrent.futures.Future[Any], timeout: float | None
) -> bool:
    """Runs a loop that is already running, from inside one of its tasks, until a future is done.

    Args:
        loop: The loop that runs in this thread.
        outcome: What is waited for.
        timeout: Seconds to wait at most; None for ever.

    Returns:
        Whether it is done.
    """
    end = None if timeout is None else time.monotonic() + timeout
    # asyncio has no public way to run a loop inside itself; a loop of another kind is only waited in.
    once, queue = getattr(loop, "_run_once", None), getattr(loop, "_ready", None)
    if once is None or not isinstance(queue, deque):
        return bool(concurrent.futures.wait([outcome], timeout).done)
    ready = _Ready.of(loop)
    outcome.add_done_callback(lambda _: _wake(loop))
    # The round that called us goes on afterwards, with as many callbacks as it has counted.
    promised = len(ready)
    task = asyncio.current_task(loop)
    if task is not None:
        asyncio.tasks._leave_task(loop, task)
    ready.inside += 1
    try:
        while not outcome.done():
            left = _TICK_SECONDS if end is None else min(_TICK_SECONDS, end - time.monotonic())
            if left <= 0:
                break
            tick = loop.call_later(left, _nothing)
            ready.take_late_ones()
            once()
            tick.cancel()
    finally:
        ready.inside -= 1
        if task is not None:
            asyncio.tasks._enter_task(loop, task)
        while len(ready) < promised:
            loop.call_soon(_nothing)
    return outcome.done()


class _Ready(deque[asyncio.Handle]):
    """The callbacks of a loop that are due; while it runs inside itself none in a context that is in use.

    The kernel handles all its messages in one context, which the cell that waits is in already.
    """

    def __init__(self, before: deque[asyncio.Handle]) -> None:
        super().__init__()
        self.inside = 0
        self._before = before
        self.take_late_ones()

    @classmethod
    def of(cls, loop: Any) -> _Ready:
        if not isinstance(loop._ready, cls):
            loop._ready = cls(loop._ready)
        return cast(_Ready, loop._ready)

    def take_late_ones(self) -> None:
        """Another thread may just have held the queue that this one took the place of."""
        while self._before:
            self.append(self._before.popleft())

    def popleft(self) -> asyncio.Handle:
        handle = super().popleft()
        if self.inside:
            context = cast(contextvars.Context, handle._context)  # type: ignore[attr-defined]  # of asyncio.Handle, private
            try:
                context.run(_nothing)
            except RuntimeError:
                handle._context = context.copy()  # type: ignore[attr-defined]  # as above
        return handle


def _wake(loop: asyncio.AbstractEventLoop) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(_nothing)


def _nothing() -> None:
    """Only ends the loop's sleep."""
