"""The workbenches that one reader has beside each other: one folder for each model."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from workbench.records import Record
from workbench.shared import shared_mode
from workbench.variant import Variant

_DATABASE = "workbench.sqlite"
_LAST_USED = "last-used.txt"


def default_folder() -> Path:
    """``WORKBENCH_FOLDER``, else a folder of the user's."""
    named = os.environ.get("WORKBENCH_FOLDER")
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return Path(user_data_path("neural-workbench")) / "default"


class Sibling(Record):
    """A workbench as it is listed.

    Attributes:
        folder: Where it is.
        model: Name of its baseline.
        variants: How many variants it has, the baseline included.
    """

    folder: Path
    model: str
    variants: int


def siblings(folder: Path) -> tuple[Sibling, ...]:
    """The workbenches beside a folder that hold a model, itself included, by name of the folder.

    On a shared page, those of this visitor only: what lies beside it is other visitors'.
    """
    candidates = _home(folder).glob("model-*") if shared_mode() else folder.parent.iterdir()
    homes = {_home(folder), *candidates} if shared_mode() else set(candidates)
    found = (_read(home) for home in sorted(homes) if (home / _DATABASE).is_file())
    return tuple(sibling for sibling in found if sibling is not None)


def folder_beside(folder: Path) -> Path:
    """A folder that does not exist yet, for another model.

    On a shared page it lies inside the visitor's own folder, which goes with the visitor.
    """
    home = _home(folder)
    name = home / "model" if shared_mode() else folder
    number = 2
    while (beside := name.with_name(f"{name.name}-{number}")).exists():
        number += 1
    return beside


def remember(folder: Path) -> None:
    """Keeps which workbench was used last, where the reader has not named a folder."""
    if _remembers() and folder.parent == default_folder().resolve().parent:
        (folder.parent / _LAST_USED).write_text(folder.name, encoding="utf-8")


def last_used() -> Path:
    """The folder that was used last; the usual one where the reader has named it, or it is gone."""
    usual = default_folder()
    note = usual.parent / _LAST_USED
    if _remembers() and note.is_file():
        name = note.read_text(encoding="utf-8").strip()
        folder = usual.parent / name
        if folder.parent == usual.parent and Path(name).name == name and (folder / _DATABASE).is_file():
            return folder
    return usual


def _remembers() -> bool:
    return not shared_mode() and not os.environ.get("WORKBENCH_FOLDER")


def _home(folder: Path) -> Path:
    if not shared_mode():
        return folder
    return default_folder().resolve()


def _read(folder: Path) -> Sibling | None:
    try:
        with closing(
            sqlite3.connect(f"{(folder / _DATABASE).as_uri()}?mode=ro", uri=True, timeout=1)
        ) as base:
            rows = base.execute("SELECT record FROM variants WHERE deleted IS NULL ORDER BY rowid").fetchall()
    except sqlite3.Error:  # another program's file, or a workbench of a later version
        return None
    for (record,) in rows:
        variant = Variant.model_validate_json(record)
        if variant.parent is None:
            return Sibling(folder=folder, model=variant.name, variants=len(rows))
    return None
