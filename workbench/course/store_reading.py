"""Reads workbenches that others have made: in a process of its own, under limits, from a copy.

What a foreign database declares may take for ever or all memory, and opening one in place would write to it.
As a program (``python -m workbench.course.store_reading``) it takes ADDRESS_SPACE CPU_SECONDS and pairs of
FOLDER NAME, and writes a line of JSON for each folder: what was handed in, or why it cannot be read.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pydantic import ValidationError

from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.text import Text, current_language, say, use_language, verbatim
from workbench.course.hand_in import HandIn, hand_in
from workbench.course.hand_in_files import DATABASE, parse_hand_in
from workbench.course.keeping import CourseWork
from workbench.jobs.child_process import ChildExit, ChildLimits, limit_this_process, run_limited
from workbench.jobs.reporter import SilentReporter
from workbench.store import Store
from workbench.store.schema import connect

_MODULE = "workbench.course.store_reading"
_ADDRESSES = 4 << 30
_SECONDS = 30
_MOST_AT_ONCE = 50
_LARGEST_BYTES = 500_000_000
_LONGEST_ANSWER = 4_000_000
_DAMAGED = (sqlite3.Error, OSError, ValidationError, ValueError, LookupError, TypeError, MemoryError)


class Home(NamedTuple):
    """A workbench of a learner.

    Attributes:
        folder: Where it is.
        learner: The name to take where the learner has given none.
    """

    folder: Path
    learner: str


def read_stores(homes: Sequence[Home]) -> Iterator[tuple[Home, HandIn | Text]]:
    """What is in workbenches of others, or why it cannot be read.

    Args:
        homes: The workbenches; one that ends its reader does not take the others with it.
    """
    left = list(homes)
    while left:
        batch = left[:_MOST_AT_ONCE]
        answers, ended = _ask(batch)
        yield from zip(batch, answers, strict=False)
        done = len(answers)
        if done < len(batch):
            yield batch[done], _death(ended)
            done += 1
        left = left[done:]


def _ask(homes: Sequence[Home]) -> tuple[list[HandIn | Text], ChildExit]:
    limits = ChildLimits(
        address_space_bytes=_ADDRESSES,
        cpu_seconds=_SECONDS + 5 * len(homes),
        wall_seconds=2 * _SECONDS + 20 * len(homes),
    )
    told = [part for home in homes for part in (str(home.folder.absolute()), home.learner)]
    ended = run_limited(_MODULE, [current_language(), *told], limits, SilentReporter())
    return [_answer(line) for line in ended.answers[: len(homes)]], ended


def _answer(line: str) -> HandIn | Text:
    if len(line) > _LONGEST_ANSWER:
        return say("It holds more than can be handed in.")
    said = json.loads(line)
    if "problem" in said:
        return verbatim(str(said["problem"])[:500])
    try:
        return parse_hand_in(json.dumps(said["handed"]))
    except InvalidInput as error:
        return error.text


def _death(ended: ChildExit) -> Text:
    if ended.out_of_time:
        return say("Reading it took too long.")
    return say(
        "Its reader ended with {how}: {reason}",
        how=ended.signal_name or str(ended.code),
        reason=ended.last_line,
    )


# -- in the process of its own ------------------------------------------------------------------


def read_store(home: Home) -> HandIn:
    """What is in a workbench of somebody else, which is left as it is.

    Args:
        home: The workbench.

    Raises:
        InvalidInput: If it is not what a workbench writes.
    """
    source = home.folder / DATABASE
    if source.stat().st_size > _LARGEST_BYTES:
        raise InvalidInput(say("Its database is larger than {limit} MB.", limit=_LARGEST_BYTES // 1_000_000))
    with tempfile.TemporaryDirectory(prefix="workbench-handed-in-") as temporary:
        copy = Path(temporary) / "copy"
        copy.mkdir()
        _copy(source, copy / DATABASE)
        with closing(connect(copy / DATABASE)) as database, tempfile.TemporaryDirectory() as fresh:
            with closing(connect(Path(fresh) / DATABASE)) as ours:
                if _schema(database) != _schema(ours):
                    raise InvalidInput(say("Its database is not as a workbench makes it."))
            _require_own_paths(database)
        store = Store(copy)
        try:
            told = hand_in(store, CourseWork(store).learner or home.learner)
        finally:
            store.close()
    changed = datetime.fromtimestamp(source.stat().st_mtime, UTC)
    return told.model_copy(update={"written": changed})


def _copy(source: Path, target: Path) -> None:
    """The database as of now, also while its owner writes to it, and where nothing may be written."""
    log, index = (source.with_name(source.name + ending) for ending in ("-wal", "-shm"))
    address = source.absolute().as_uri()
    if not log.exists() or log.stat().st_size == 0:
        _back_up(f"{address}?immutable=1", target)
        return
    if index.exists():
        with suppress(sqlite3.OperationalError):  # where nothing may be written
            _back_up(f"{address}?mode=ro", target)
            return
    # Nobody has it open. SQLite would finish what was begun, beside it: that is done to a copy.
    if log.is_symlink() or log.stat().st_size > _LARGEST_BYTES:
        raise InvalidInput(say("Its database is larger than {limit} MB.", limit=_LARGEST_BYTES // 1_000_000))
    shutil.copyfile(source, target)
    shutil.copyfile(log, target.with_name(target.name + "-wal"))


def _back_up(address: str, target: Path) -> None:
    with (
        closing(sqlite3.connect(address, uri=True, timeout=5)) as theirs,
        closing(sqlite3.connect(target)) as copy,
    ):
        theirs.backup(copy)


def _schema(database: sqlite3.Connection) -> set[tuple[str, ...]]:
    rows = database.execute("SELECT type, name, COALESCE(sql, '') FROM sqlite_master")
    return {(kind, name, " ".join(sql.split())) for kind, name, sql in rows}


def _require_own_paths(database: sqlite3.Connection) -> None:
    """Refuses records that name files outside of their folder."""
    paths = [json.loads(record)["path"] for (record,) in database.execute("SELECT record FROM variants")]
    paths += [
        value for (value,) in database.execute("SELECT value FROM facts WHERE name = 'dataset'").fetchall()
    ]
    for path in paths:
        told = PurePosixPath(path)
        if told.is_absolute() or ".." in told.parts or "\\" in path:
            raise InvalidInput(say("It names a file outside of its folder: {path}", path=repr(path)[:100]))


def main() -> None:
    """Reads the folders named on the command line."""
    language, *told = limit_this_process(sys.argv[1:])
    use_language(language)
    for folder, learner in zip(told[::2], told[1::2], strict=True):
        said: dict[str, object]
        try:
            handed = read_store(Home(Path(folder), learner))
            said = {"handed": handed.model_dump(mode="json")}
        except WorkbenchError as error:
            said = {"problem": str(error)}
        except _DAMAGED as error:
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:200]
            said = {"problem": str(say("It is damaged: {reason}", reason=reason))}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
