"""What a server needs around it: a port, a cluster, a browser, and a clean end."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from types import FrameType

import psutil

from workbench.api.errors import Unavailable
from workbench.api.text import say

_STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_END_SECONDS = 5.0


def listening_socket(host: str, wanted: int | None, usual: int) -> socket.socket:
    """A socket that listens already: a port that is only looked up can be taken before it is used.

    Args:
        host: Address to listen on.
        wanted: The port that the user asked for, if any.
        usual: The port to prefer when the user asked for none, so that bookmarks keep working.

    Raises:
        Unavailable: If the user's port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in [wanted] if wanted is not None else [usual, 0]:
        with contextlib.suppress(OSError):
            listening = socket.create_server((host, port), family=family, backlog=128)
            listening.setblocking(False)  # as tornado expects it
            return listening
    raise Unavailable(
        say("Port {port} of {host} cannot be used: another program has it.", port=wanted, host=host),
        say("Leave out --port to get a free one."),
    )


def open_browser(address: str) -> None:
    """Opens the user's browser without waiting for it; a machine without one is fine."""
    threading.Thread(target=webbrowser.open, args=(address, 2), daemon=True).start()


@contextlib.contextmanager
def stop_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Within it, the signals that end a program call ``stop``; a second Ctrl-C raises as usual.

    Args:
        stop: Called in the main thread.
    """
    before = {}

    def on_signal(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()

    for number in _STOP_SIGNALS:
        before[number] = signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def no_process_left() -> Iterator[None]:
    """At its end, ends every process that was started inside it and still runs."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    try:
        yield
    finally:
        left = [c for c in psutil.Process().children(recursive=True) if c.pid not in before]
        for ask in (psutil.Process.terminate, psutil.Process.kill):
            for child in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    ask(child)
            _, left = psutil.wait_procs(left, timeout=_END_SECONDS)
