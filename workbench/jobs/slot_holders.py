"""Who holds the machine's slot: one small file for each, so that those who wait can say for what."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from workbench.api.records import Record
from workbench.api.text import Text, say

try:
    import fcntl
except ImportError:  # Windows: nobody waits there
    _LOCKS = False
else:
    _LOCKS = True

OTHER_WORK = say("other work")
MEASURING = say("measuring")

_MINUTE_S = 60.0


class _Note(Record):
    what: Text
    since: float
    alone: bool


@dataclass(frozen=True)
class Holder:
    """Somebody who holds the slot.

    Attributes:
        what: What is done with it.
        since: When that began, seconds since 1970.
        alone: Whether nobody else may hold it now.
    """

    what: Text
    since: float
    alone: bool

    @property
    def text(self) -> Text:
        """What is done, and for how long already."""
        seconds = max(0.0, time.time() - self.since)
        if seconds < _MINUTE_S:
            return say("{what} (for less than a minute)", what=self.what)
        return say("{what} (for {count} min already)", what=self.what, count=int(seconds // _MINUTE_S))


@contextmanager
def holding(folder: Path, what: Text, *, alone: bool) -> Iterator[None]:
    """Tells those who wait what this process does with the slot.

    Args:
        folder: Of the slot.
        what: What is done with it; nothing that others must not read.
        alone: Whether nobody else may hold it.
    """
    if not _LOCKS:
        yield
        return
    home = folder / "holders"
    home.mkdir(mode=0o700, exist_ok=True)
    path = home / f"{uuid.uuid4().hex}.json"
    draft = path.with_suffix(".draft")
    # The lock tells whether its process lives: the system takes it away with the process.
    file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.write(file, _Note(what=what, since=time.time(), alone=alone).model_dump_json().encode())
        draft.rename(path)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


def holders_in(folder: Path) -> list[Holder]:
    """Those who hold the slot now; what dead ones have left is removed."""
    found = []
    for path in (folder / "holders").glob("*.json"):
        with suppress(OSError, ValidationError):  # it ends just now
            if _abandoned(path):
                path.unlink()
                continue
            note = _Note.model_validate_json(path.read_bytes())
            found.append(Holder(note.what, note.since, note.alone))
    return found


def _abandoned(path: Path) -> bool:
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True
