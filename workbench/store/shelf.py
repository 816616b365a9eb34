"""What was made and measured once on this machine, for everybody who asks the same.

::

    <folder>/entries/<key>/entry.json  the variant, what was measured of it, and the digests of its files
    <folder>/entries/<key>/model/...   its file
    <folder>/entries/<key>/data/...    of a baseline, the prepared data
    <folder>/entries/<key>/arrays/...  raw samples and predictions
    <folder>/drafts/...                what is being written, or taken away
    <folder>/turns/<key>               held by whoever makes what is not there yet

An entry appears by a rename, so it is whole or not there, whenever a process is killed. Files are linked, not
copied, and cannot be written to from then on. What does not have its digest any more is not handed out.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from workbench.api.errors import Unavailable
from workbench.api.records import Record
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.data.durable import write_file
from workbench.measure.records import Environment
from workbench.store.files import digest, flush
from workbench.store.measured import Stored

LIMIT_BYTES = 1_000_000_000
_SHARE_OF_FREE = 0.1
_ABANDONED_SECONDS = 3600.0
"""A draft that is older was left by a process that was killed: writing one takes seconds."""


class ShelfRow(Record):
    """A measurement as it stands in the entry's file.

    Attributes:
        kind: Such as ``latency``.
        record: The measurement, as JSON.
        environment: Identifier of the machine's environment.
        arrays: Whether raw samples or predictions are kept with it.
    """

    kind: str
    record: str
    environment: str | None = None
    arrays: bool = False


class ShelfEntry(Record):
    """What is known of an entry.

    Attributes:
        variant: The variant, with the name of its file for a path.
        rows: What was measured of it, in the order of measuring.
        environments: The machines that it was measured on.
        measured: When, UTC.
        data: Digest of the prepared data; None where the entry has none.
    """

    variant: Variant
    rows: tuple[ShelfRow, ...]
    environments: tuple[Environment, ...]
    measured: datetime
    data: str | None = None


@dataclass(frozen=True)
class FromShelf:
    """An entry whose files were linked to a place of the taker's.

    Attributes:
        kept: What is known of it.
        model: The file.
        data: The prepared data, if any.
        measured: What was measured, as a store takes it.
    """

    kept: ShelfEntry
    model: Path
    data: Path | None
    measured: tuple[Stored, ...]


class Turn:
    """The right to make what is not on the shelf yet; others wait until it is released.

    Args:
        path: Of its file.
        file: That file, open and locked.
    """

    def __init__(self, path: Path, file: int) -> None:
        self._path, self._file = path, file

    def release(self) -> None:
        """Lets the next one in."""
        self._path.unlink(missing_ok=True)
        os.close(self._file)


class Shelf:
    """Entries by key; several processes use the folder at once.

    Args:
        folder: Made if missing, for this user alone.
        limit_bytes: The most that all entries take; at most a tenth of what is free. What was not asked for
            longest goes first.

    Raises:
        Unavailable: If the folder is another user's.
    """

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder, self._limit_bytes = folder, limit_bytes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise Unavailable(say("The folder {folder} belongs to another user.", folder=str(folder)))
        for name in ("entries", "drafts", "turns"):
            (folder / name).mkdir(exist_ok=True)

    def turn(self, key: str) -> Turn | None:
        """The turn to make what belongs to a key; None while another one has it. Never waits."""
        path = self._folder / "turns" / key
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(file).st_ino:  # else its holder has just taken it away
                return Turn(path, file)
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(file)
        return None

    def busy(self) -> bool:
        """Whether anybody makes something now."""
        for path in (self._folder / "turns").iterdir():
            turn = self.turn(path.name)
            if turn is None:
                return True
            turn.release()  # it was left by a process that was killed
        return False

    def put(
        self,
        key: str,
        variant: Variant,
        rows: Sequence[Stored],
        environments: Iterable[Environment],
        measured: datetime,
        data: Path | None = None,
    ) -> None:
        """Puts an entry on the shelf; where there is one already, that stays.

        Args:
            key: Of it.
            variant: Its file is linked.
            rows: What was measured of it.
            environments: On which machines.
            measured: When.
            data: Folder of prepared data that belong to it.
        """
        if self.has(key):
            return
        draft = self._draft()
        try:
            (draft / "arrays").mkdir(parents=True)
            (draft / "model").mkdir()
            _link(variant.path, draft / "model" / variant.path.name)
            if data is not None:
                _link(data, draft / "data")
            for number, row in enumerate(rows):
                if row.arrays is not None:
                    (draft / "arrays" / str(number)).write_bytes(row.arrays)
            kept = ShelfEntry(
                variant=variant.model_copy(update={"path": Path(variant.path.name)}),
                rows=tuple(
                    ShelfRow(
                        kind=row.kind,
                        record=row.record,
                        environment=row.environment,
                        arrays=row.arrays is not None,
                    )
                    for row in rows
                ),
                environments=tuple(environments),
                measured=measured,
                data=None if data is None else digest(draft / "data"),
            )
            write_file(draft / "entry.json", kept.model_dump_json().encode())
            flush(draft)
            with suppress(OSError):  # another one was quicker
                draft.rename(self._folder / "entries" / key)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        self._tidy(key)

    def has(self, key: str) -> bool:
        """Whether there is an entry."""
        return (self._folder / "entries" / key).exists()

    def remove(self, key: str) -> None:
        """Takes an entry away, if there is one."""
        self._remove(self._folder / "entries" / key)

    def take(self, key: str, model_into: Path, data_into: Path) -> FromShelf | None:
        """Links the files of an entry; None if there is none that is whole.

        Args:
            key: Of it.
            model_into: An empty folder for the model's file.
            data_into: A path for the prepared data; what is there is replaced.
        """
        entry = self._folder / "entries" / key
        try:
            kept = ShelfEntry.model_validate_json((entry / "entry.json").read_bytes())
            model, data = model_into / kept.variant.path.name, None
            _link(entry / "model" / model.name, model)
            if kept.data is not None:
                data = data_into
                shutil.rmtree(data, ignore_errors=True)  # of one that was killed at this
                _link(entry / "data", data)
            rows = tuple(
                Stored(row.kind, row.record, _content(entry, number, row), row.environment)
                for number, row in enumerate(kept.rows)
            )
            if digest(model) == kept.variant.sha256 and (data is None or digest(data) == kept.data):
                os.utime(entry)
                return FromShelf(kept=kept, model=model, data=data, measured=rows)
            self._remove(entry)
        except FileNotFoundError:
            if (entry / "entry.json").exists():  # else it is not there, or goes just now
                self._remove(entry)
        except ValidationError:  # damaged, or of another release
            self._remove(entry)
        except OSError:
            pass  # the taker's disk is full
        shutil.rmtree(data_into, ignore_errors=True)
        return None

    def _draft(self) -> Path:
        return self._folder / "drafts" / uuid.uuid4().hex

    def _remove(self, entry: Path) -> None:
        draft = self._draft()
        with suppress(OSError):  # away by one rename: nobody sees half of it
            entry.rename(draft)
        shutil.rmtree(draft, ignore_errors=True)

    def _tidy(self, newest: str) -> None:
        """Removes what killed processes left, and where there is no room what was not asked for longest."""
        for draft in (self._folder / "drafts").iterdir():
            with suppress(OSError):
                if time.time() - draft.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(draft, ignore_errors=True)
        entries = []
        for entry in (self._folder / "entries").iterdir():
            with suppress(OSError):
                entries.append((entry.name == newest, entry.stat().st_mtime, _bytes(entry), entry))
        taken = sum(size for _, _, size, _ in entries)
        most = min(self._limit_bytes, _SHARE_OF_FREE * (shutil.disk_usage(self._folder).free + taken))
        for _, _, size, entry in sorted(entries):
            if taken <= most:
                break
            self._remove(entry)
            taken -= size


def _content(entry: Path, number: int, row: ShelfRow) -> bytes | None:
    return (entry / "arrays" / str(number)).read_bytes() if row.arrays else None


def _link(source: Path, target: Path) -> None:
    """A file, or a folder with its files, under a second name; a copy where the file system has none."""
    if source.is_dir():
        target.mkdir(parents=True)
        for child in source.iterdir():
            _link(child, target / child.name)
        return
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
    target.chmod(0o444)


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
