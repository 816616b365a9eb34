"""What people write on variants: a name of their own, a note, a star. The variants stay as they were made."""

from __future__ import annotations

import sqlite3
import unicodedata
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.records import Record
from workbench.api.text import say

LONGEST_NAME = 80
LONGEST_NOTE = 2000

_NAMESAKE = "SELECT id FROM named_variants WHERE id != ? AND name = ?"
_KEEP = (
    "INSERT INTO labels (variant, name, note, starred) VALUES (?, ?, ?, ?) ON CONFLICT (variant) "
    "DO UPDATE SET name = excluded.name, note = excluded.note, starred = excluded.starred"
)


class Label(Record):
    """What was written on one variant.

    Attributes:
        name: Instead of the name that it was made with; None where nobody has renamed it.
        note: Free text; empty without.
        starred: Whether somebody has marked it.
    """

    name: str | None = None
    note: str = ""
    starred: bool = False


def checked_name(name: object) -> str:
    """A name that somebody gave, without spaces around it.

    Raises:
        InvalidInput: If it is no text on one line of 1 to 80 characters.
    """
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME:
        raise InvalidInput(
            say(
                "A name has 1 to {most} characters. Received: {name}.",
                most=LONGEST_NAME,
                name=repr(name)[: LONGEST_NAME + 2],
            )
        )
    if any(unicodedata.category(letter)[0] == "C" for letter in name.strip()):
        raise InvalidInput(say("A name is one line without control characters."))
    return name.strip()


def checked_note(note: object) -> str:
    """A note that somebody wrote, without spaces around it.

    Raises:
        InvalidInput: If it is no text of up to 2,000 characters.
    """
    if not isinstance(note, str) or len(note.strip()) > LONGEST_NOTE:
        raise InvalidInput(say("A note is text of up to {most} characters.", most=LONGEST_NOTE))
    return note.strip()


def read_labels(connection: sqlite3.Connection) -> dict[str, Label]:
    """All labels by the identifier of their variant."""
    rows = connection.execute("SELECT variant, name, note, starred FROM labels").fetchall()
    return {id_: Label(name=name, note=note, starred=bool(starred)) for id_, name, note, starred in rows}


def change_label(connection: sqlite3.Connection, variant: str, changes: dict[str, Any]) -> None:
    """Changes parts of what is written on a variant, inside a transaction.

    Raises:
        InvalidInput: If another variant has that name, also a deleted one, which may come back.
    """
    name = changes.get("name")
    if name is not None and connection.execute(_NAMESAKE, (variant, name)).fetchone() is not None:
        raise InvalidInput(
            say("Another variant has the name {name}.", name=name),
            say("Names are unique, so that a variant can be found by its name. A deleted one keeps its own."),
        )
    before = read_labels(connection).get(variant, Label())
    label = Label.model_validate({**before.model_dump(), **changes})
    connection.execute(_KEEP, (variant, label.name, label.note, label.starred))
