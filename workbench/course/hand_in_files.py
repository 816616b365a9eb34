"""What is handed in, as a file: a zip with a text for each lesson. Those of others are read with care."""

from __future__ import annotations

import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.text import Text, say
from workbench.course.hand_in import HandIn, hand_in
from workbench.course.names import clean_name, file_name
from workbench.store import Store

DATABASE = "workbench.sqlite"
"""Name of the file that makes a folder a workbench."""

_MEMBER = re.compile(r"[\w\-]{1,80}\.json")
_MOST_MEMBERS = 100
_MOST_BYTES = 20_000_000
_MOST_MEMBER_BYTES = 4_000_000


def hand_in_zip(parts: Iterable[HandIn]) -> tuple[str, bytes]:
    """What a learner hands in, as a file.

    Args:
        parts: One for each lesson.

    Returns:
        The file's name, and its content.
    """
    chosen = sorted(parts, key=lambda one: one.lesson)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for one in chosen:
            packed.writestr(f"{file_name(one.lesson or 'workbench')}.json", one.model_dump_json())
    lessons = f"-{chosen[0].lesson}" if len(chosen) == 1 and chosen[0].lesson else ""
    name = file_name(chosen[0].learner) if chosen else "learner"
    return f"{name}{lessons}.zip", content.getvalue()


def hand_in_all(course: Path, learner: str) -> tuple[str, bytes]:
    """What a learner has done in all lessons, as a file.

    Args:
        course: The folder with a folder for each lesson.
        learner: The learner's name.

    Raises:
        InvalidInput: If there is no work of a lesson, or one cannot be read.
    """
    name = clean_name(learner)
    parts = []
    for home in sorted(course.iterdir()) if course.is_dir() else ():
        if not (home / DATABASE).is_file():
            continue
        store = Store(home)
        try:
            part = hand_in(store, name, home.name)
        finally:
            store.close()
        if not part.empty:
            parts.append(part)
    if not parts:
        raise InvalidInput(
            say("There is no work of a lesson in {folder}.", folder=str(course)),
            say("Name the folder that holds a folder for each lesson."),
        )
    return hand_in_zip(parts)


def keep_in(folder: Path, name: str, content: bytes) -> Path:
    """Puts what is handed in into a folder, whole or not at all.

    Args:
        folder: Such as the room of a class.
        name: Name of the file; one that is there is replaced, so that one can hand in again.
        content: The file.

    Raises:
        InvalidInput: If it cannot be written there.
    """
    file = folder / name
    begun = file.with_name(f".{file.name}-{os.getpid()}")
    try:
        begun.write_bytes(content)
        begun.replace(file)
    except OSError as error:
        raise InvalidInput(
            say("{path} cannot be written: {reason}", path=str(file), reason=error.strerror or str(error))
        ) from error
    return file


def read_zip(file: Path) -> tuple[HandIn, ...]:
    """What a learner has handed in.

    Args:
        file: The zip; whatever it is, nothing of it is unpacked or run.

    Raises:
        InvalidInput: If it is not one, with what is wrong.
    """
    if file.stat().st_size > _MOST_BYTES:
        raise _wrong(say("it is larger than {limit} MB", limit=_MOST_BYTES // 1_000_000))
    try:
        with zipfile.ZipFile(file) as packed:
            members = packed.infolist()
            if len(members) > _MOST_MEMBERS:
                raise _wrong(say("it holds more than {count} files", count=_MOST_MEMBERS))
            found = tuple(_read(packed, member) for member in members if not member.is_dir())
    except WorkbenchError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        # RuntimeError: of a password; NotImplementedError, of another packing, is one
        raise _wrong(say("it is damaged: {reason}", reason=str(error)[:200])) from error
    if not found:
        raise _wrong(say("it is empty"))
    return found


def _read(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> HandIn:
    if not _MEMBER.fullmatch(member.filename):
        raise _wrong(say("it holds {name}", name=repr(member.filename)[:80]))
    with packed.open(member) as stream:
        content = stream.read(_MOST_MEMBER_BYTES + 1)  # what it declares to be may be wrong
    if len(content) > _MOST_MEMBER_BYTES:
        raise _wrong(say("{name} in it is too large", name=member.filename))
    return parse_hand_in(content)


def parse_hand_in(content: bytes | str) -> HandIn:
    """What a text says that somebody has handed in.

    Raises:
        InvalidInput: If it is not one.
    """
    try:
        told = HandIn.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))[:80]
        raise _wrong(say("{where}: {reason}", where=where, reason=first["msg"][:200])) from error
    except RecursionError as error:
        raise _wrong(say("it is damaged: {reason}", reason="nested too deep")) from error
    return told.model_copy(update={"learner": clean_name(told.learner)})


def _wrong(reason: Text) -> InvalidInput:
    return InvalidInput(say("It is nothing that was handed in: {reason}.", reason=reason))
