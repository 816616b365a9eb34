"""Which live process a job or a half-written file belongs to.

Each open store holds a lock on a file of its own. The operating system drops the lock when the
process ends, however it ends, so a lock that can be taken belongs to a process that is gone.
"""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Waits until no other process is opening or sweeping a store, and lets none begin meanwhile.

    Without it, two processes that open a new folder at once both make its tables, and one takes the
    other's mark, made but not locked yet, for that of a dead process and sweeps what it writes.

    Args:
        folder: Where the lock files lie; made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "opening").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def lives(folder: Path, owner: str = "*") -> bool:
    """Whether any process has a store open.

    Args:
        folder: Where its lock files lie, if there are any.
        owner: The mark of the one that is asked for; by default any.
    """
    for path in folder.glob(f"{owner}.lock"):
        try:
            with path.open("r") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            continue
    return False


class Ownership:
    """This process's mark in a store's folder, to be made and asked :func:`one_at_a_time`.

    Args:
        folder: Where the lock files lie; made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self.id = uuid.uuid4().hex[:12]
        self._path = folder / f"{self.id}.lock"
        self._file: IO[str] | None = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def others_alive(self) -> set[str]:
        """Owners in other processes that still live; the marks of dead ones are removed."""
        alive = set()
        for path in self._folder.glob("*.lock"):
            if path.stem == self.id:
                continue
            try:
                with path.open("r") as file:
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        alive.add(path.stem)
                        continue
                    path.unlink(missing_ok=True)
            except FileNotFoundError:
                continue
        return alive

    def release(self) -> None:
        """Gives up the mark."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None
