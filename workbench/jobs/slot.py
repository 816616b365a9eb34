"""The machine's slot: measuring latency excludes everything else that takes the machine's cores.

Training, conversion and evaluation hold the slot together with others (shared); measuring latency
holds it alone (exclusive). Two locked files per host and user carry it, so that it works between
processes that know nothing of each other, and the kernel frees it when a process dies.

Whoever wants the slot alone closes a turnstile first: new shared holders wait in front of it, so
that measuring gets its turn however many trainings come and go.
"""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import Unavailable
from workbench.technique import Reporter
from workbench.text import say

try:
    import fcntl
except ImportError:  # Windows: measuring alone is up to its user there
    _LOCKS = False
else:
    _LOCKS = True

_SECONDS_BETWEEN_TRIES = 0.05


class _Held(threading.local):
    """How this thread holds the slot, so that nested use does not wait for itself."""

    exclusive = False
    depth = 0


_held = _Held()


@contextmanager
def shared_slot(report: Reporter) -> Iterator[None]:
    """Holds the slot together with other work, but not with a latency measurement.

    Inside another slot of the same thread it does nothing.

    Args:
        report: Is told if there is something to wait for; its ``check`` ends the waiting.
    """
    with _slot(report, exclusive=False):
        yield


@contextmanager
def exclusive_slot(report: Reporter) -> Iterator[None]:
    """Holds the slot alone, for measuring latency.

    Inside another exclusive slot of the same thread it does nothing.

    Args:
        report: Is told if there is something to wait for; its ``check`` ends the waiting.

    Raises:
        RuntimeError: Inside a shared slot of the same thread: it would wait for itself.
    """
    if _held.depth and not _held.exclusive:
        raise RuntimeError("exclusive_slot cannot be entered inside shared_slot: it would wait for itself.")
    with _slot(report, exclusive=True):
        yield


@contextmanager
def _slot(report: Reporter, *, exclusive: bool) -> Iterator[None]:
    if _held.depth or not _LOCKS:
        _held.depth += 1
        try:
            yield
        finally:
            _held.depth -= 1
        return
    slot = _wait(report, exclusive=exclusive)
    _held.depth, _held.exclusive = 1, exclusive
    try:
        yield
    finally:
        _held.depth, _held.exclusive = 0, False
        os.close(slot)


def _wait(report: Reporter, *, exclusive: bool) -> int:
    """Polls, because a blocking ``flock`` could not be cancelled. Returns the locked file."""
    folder = slot_folder()
    slot = _open(folder / "slot")
    turnstile = _open(folder / "turnstile")
    how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    passed = told = False
    try:
        while True:
            passed = passed or _locked(turnstile, how)
            if passed and _locked(slot, how):
                return slot
            if passed and not exclusive:
                fcntl.flock(turnstile, fcntl.LOCK_UN)
                passed = False
            if not told:
                told = True
                report.stage(
                    say("Waiting until other work on this machine has ended, to measure undisturbed")
                    if exclusive
                    else say("Waiting until a latency measurement on this machine has ended")
                )
            report.check()
            time.sleep(_SECONDS_BETWEEN_TRIES)
    except BaseException:
        os.close(slot)
        raise
    finally:
        os.close(turnstile)


def _locked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def slot_folder() -> Path:
    """The folder of the lock files: one per host and user, also where ``/tmp`` is shared.

    Raises:
        Unavailable: If somebody else owns a folder of that name.
    """
    root = os.environ.get("WORKBENCH_SLOT_FOLDER") or tempfile.gettempdir()
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(root) / f"workbench-slot-{socket.gethostname()}-{user}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if hasattr(os, "getuid") and (not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid()):
        raise Unavailable(
            say("The folder {folder} belongs to another user.", folder=str(folder)),
            say("Set WORKBENCH_SLOT_FOLDER to a folder of your own."),
        )
    return folder
