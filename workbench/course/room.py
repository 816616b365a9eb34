"""A room: what all learners have done, gathered from their folders and from what they handed in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.text import Text, say, verbatim
from workbench.course.hand_in import HandIn
from workbench.course.hand_in_files import DATABASE, read_zip
from workbench.course.names import LONGEST_NAME, clean_name
from workbench.course.store_reading import Home, read_stores

_DEEPEST = 5
_MOST_FILES = 20_000
_BESIDE = "model-"
"""Inside a visitor's folder of a shared page lie those of further models."""


class Refusal(NamedTuple):
    """Something that was not gathered.

    Attributes:
        path: What it is.
        reason: Why not.
    """

    path: Path
    reason: Text


class Room(NamedTuple):
    """What was gathered.

    Attributes:
        handed: One for each learner and lesson, by learner.
        refused: What was not taken, each with its reason.
    """

    handed: tuple[HandIn, ...]
    refused: tuple[Refusal, ...]

    @property
    def learners(self) -> tuple[str, ...]:
        """Their names, in the order of the alphabet."""
        return tuple(sorted({one.learner for one in self.handed}, key=str.casefold))

    @property
    def lessons(self) -> tuple[str, ...]:
        """The lessons that somebody has done, in the order of the course."""
        return tuple(sorted({one.lesson for one in self.handed}, key=_place))


def collect_room(folders: Sequence[Path]) -> Room:
    """Gathers a room.

    Args:
        folders: Folders with what was handed in, with learners' own folders, or those of a shared page. They
            are left as they are. What is damaged is refused by its name, and the rest is taken.

    Raises:
        InvalidInput: If one of them is no folder.
    """
    homes: list[Home] = []
    handed: list[HandIn] = []
    refused: list[Refusal] = []
    for folder in folders:
        if not folder.is_dir():
            raise InvalidInput(say("{folder} is no folder.", folder=str(folder)))
        for found in _found(folder):
            if isinstance(found, Refusal):
                refused.append(found)
            elif found.name == DATABASE:
                homes.append(Home(found.parent, _name_of(found.parent, folder)))
            else:
                try:
                    handed += read_zip(found)
                except (WorkbenchError, OSError) as error:
                    refused.append(Refusal(found, _reason(error)))
    for home, answer in read_stores(homes):
        if isinstance(answer, HandIn):
            handed.append(answer)
        else:
            refused.append(Refusal(home.folder, answer))
    return Room(_newest(handed), tuple(refused))


def _found(root: Path) -> Iterator[Path | Refusal]:
    """Databases and zips in a folder; links are not followed, they may lead anywhere."""
    left, seen = [(root, 0)], 0
    while left:
        folder, depth = left.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda one: one.name)
        except OSError as error:
            yield Refusal(folder, _reason(error))
            continue
        names = {entry.name for entry in entries}
        for entry in entries:
            seen += 1
            if seen > _MOST_FILES:
                yield Refusal(root, say("It holds more than {count} files.", count=_MOST_FILES))
                return
            path = Path(entry.path)
            wanted = entry.name == DATABASE or entry.name.lower().endswith(".zip")
            if entry.is_symlink():
                if wanted or path.is_dir():
                    yield Refusal(path, say("It is a link."))
            elif entry.is_dir(follow_symlinks=False):
                inside = DATABASE in names and not entry.name.startswith(_BESIDE)
                if depth < _DEEPEST and not inside and not entry.name.startswith("."):
                    left.append((path, depth + 1))
            elif wanted and entry.is_file(follow_symlinks=False):
                yield path


def _name_of(home: Path, root: Path) -> str:
    """The learner whose folder it is: the one right below the room's, or that itself."""
    parts = home.relative_to(root).parts
    try:
        return clean_name((parts[0] if parts else root.resolve().name)[:LONGEST_NAME])
    except InvalidInput:
        return "?"


def _newest(handed: Sequence[HandIn]) -> tuple[HandIn, ...]:
    """One for each work: who hands in twice is there once, and two of the same name are told apart."""
    works: dict[tuple[str, str, str], HandIn] = {}
    for one in sorted(handed, key=lambda one: one.written):
        if not one.empty:
            works[one.learner, one.lesson, one.work] = one
    found: list[HandIn] = []
    taken: dict[tuple[str, str], int] = {}
    for one in works.values():
        number = taken[one.learner, one.lesson] = taken.get((one.learner, one.lesson), 0) + 1
        name = one.learner if number == 1 else f"{one.learner[: LONGEST_NAME - 5]} ({number})"
        found.append(one.model_copy(update={"learner": name}))
    return tuple(sorted(found, key=lambda one: (one.learner.casefold(), _place(one.lesson))))


def _place(lesson: str) -> tuple[int, str]:
    number = lesson.partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() else 1000, lesson


def _reason(error: Exception) -> Text:
    return error.text if isinstance(error, WorkbenchError) else verbatim(str(error)[:200])
