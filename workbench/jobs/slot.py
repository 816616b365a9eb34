"""The machine's slot: measuring latency excludes everything else that takes the machine's cores.

Training, conversion and evaluation hold the slot together with others (shared); measuring latency
holds it alone (exclusive). Two locked files per host and user carry it, so that it works between
processes that know nothing of each other, and the kernel frees it when a process dies.

Whoever wants the slot alone closes a turnstile first: new shared holders wait in front of it, so
that measuring gets its turn however many trainings come and go.

Not ``filelock``: its ``ReadWriteLock`` is a transaction of SQLite. A try that fails costs 0.2 ms of the
processor instead of a microsecond, twenty times a second for everyone who waits beside a measurement;
and as record locks belong to a process, any code in it that opens and closes the file gives the lock up
unnoticed. Its ``FileLock`` has no shared holders.
"""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from workbench.api.errors import Unavailable
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.jobs.slot_holders import MEASURING, OTHER_WORK, Holder, holders_in, holding

try:
    import fcntl
except ImportError:  # Windows: measuring alone is up to its user there
    _LOCKS = False
else:
    _LOCKS = True

SLOT_VARIABLE = "WORKBENCH_SLOT_FOLDER"

_SECONDS_BETWEEN_TRIES = 0.05


class _Held(threading.local):
    """How this thread holds the slot, so that nested use does not wait for itself."""

    exclusive = False
    alone = True
    depth = 0


_held = _Held()


@runtime_checkable
class CanWait(Protocol):
    """A reporter that knows work which stands still from work that runs."""

    def wait(self, reason: Text | None, may_go_on: bool) -> bool:
        """Says that the work waits, again and again while it does; None: it waits no longer.

        Args:
            reason: For what it waits.
            may_go_on: Whether it could go on without what it waits for.

        Returns:
            Whether the user has said that it should.
        """


@contextmanager
def shared_slot(report: Reporter, what: Text = OTHER_WORK) -> Iterator[None]:
    """Holds the slot together with other work, but not with a latency measurement.

    Inside another slot of the same thread it does nothing.

    Args:
        report: Is told if there is something to wait for; its ``check`` ends the waiting.
        what: What is done with it, for those who wait for it.
    """
    with _slot(report, what, exclusive=False, may_go_on=False):
        yield


@contextmanager
def exclusive_slot(report: Reporter, what: Text = MEASURING, *, may_go_on: bool = False) -> Iterator[bool]:
    """Holds the slot alone, for measuring latency.

    Inside another exclusive slot of the same thread it does nothing.

    Args:
        report: Is told if there is something to wait for; its ``check`` ends the waiting.
        what: What is done with it, for those who wait for it.
        may_go_on: Whether the user may say that it goes on beside other work. Never beside another
            holder that is alone: it would be disturbed without knowing.

    Yields:
        Whether it is alone.

    Raises:
        RuntimeError: Inside a shared slot of the same thread: it would wait for itself.
    """
    if _held.depth and not _held.exclusive:
        raise RuntimeError("exclusive_slot cannot be entered inside shared_slot: it would wait for itself.")
    with _slot(report, what, exclusive=True, may_go_on=may_go_on):
        yield _held.alone


@contextmanager
def _slot(report: Reporter, what: Text, *, exclusive: bool, may_go_on: bool) -> Iterator[None]:
    if _held.depth or not _LOCKS:
        _held.depth += 1
        try:
            yield
        finally:
            _held.depth -= 1
        return
    slot, alone = _wait(report, exclusive=exclusive, may_go_on=may_go_on)
    _held.depth, _held.exclusive, _held.alone = 1, exclusive, alone
    try:
        with holding(slot_folder(), what, alone=exclusive and alone):
            yield
    finally:
        _held.depth, _held.exclusive, _held.alone = 0, False, True
        os.close(slot)


def _wait(report: Reporter, *, exclusive: bool, may_go_on: bool) -> tuple[int, bool]:
    """Polls, because a blocking ``flock`` could not be cancelled.

    Returns:
        The locked file, and whether an exclusive holder has it alone, as it wished.
    """
    folder = slot_folder()
    slot = _open(folder / "slot")
    turnstile = _open(folder / "turnstile")
    how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    passed = told = goes_on = False
    try:
        while True:
            if goes_on and _locked(slot, fcntl.LOCK_SH):
                break
            passed = passed or (not goes_on and _locked(turnstile, how))
            if passed and _locked(slot, how):
                break
            if passed and not exclusive:
                fcntl.flock(turnstile, fcntl.LOCK_UN)
                passed = False
            holders = holders_in(folder)
            reason = _reason(holders, exclusive)
            possible = may_go_on and not goes_on and not any(holder.alone for holder in holders)
            if isinstance(report, CanWait) and report.wait(reason, possible) and possible:
                goes_on = True
                if passed:  # what waits in front of it need not wait for this any more
                    fcntl.flock(turnstile, fcntl.LOCK_UN)
                    passed = False
            if not told:
                told = True
                report.stage(reason)
            report.check()
            time.sleep(_SECONDS_BETWEEN_TRIES)
    except BaseException:
        os.close(slot)
        raise
    finally:
        os.close(turnstile)
        if told and isinstance(report, CanWait):
            report.wait(None, False)
    return slot, not goes_on


def _reason(holders: Sequence[Holder], exclusive: bool) -> Text:
    if not holders:
        return say("Waiting for another measurement on this machine")
    longest, *others = sorted(holders, key=lambda holder: holder.since)
    who = longest.text
    if others:
        who = say("{who}, and {count} more", who=who, count=len(others))
    if exclusive and not any(holder.alone for holder in holders):
        return say(
            "Waiting to measure undisturbed, until other work on this machine has ended: {who}", who=who
        )
    return say("Waiting until a measurement on this machine has ended: {who}", who=who)


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
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(slot_root()) / f"workbench-slot-{socket.gethostname()}-{user}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if hasattr(os, "getuid") and (not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid()):
        raise Unavailable(
            say("The folder {folder} belongs to another user.", folder=str(folder)),
            say("Set WORKBENCH_SLOT_FOLDER to a folder of your own."),
        )
    return folder


def slot_root() -> str:
    """Where :func:`slot_folder` lies: the same for all processes, whatever their own temporary folder is."""
    return os.environ.get(SLOT_VARIABLE) or tempfile.gettempdir()
