"""The workbenches that one reader has beside each other: one folder for each model."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from workbench.api.lineage import Lineage
from workbench.api.records import Record
from workbench.api.variant import Variant
from workbench.engine.shared_mode import shared_mode
from workbench.jobs.state import PROCESS_ENDED, JobState
from workbench.store.ownership import lives

DATABASE = "workbench.sqlite"
"""Name of the file that makes a folder a workbench."""

_LAST_USED = "last-used.txt"
_FACTS = "SELECT name, value FROM facts WHERE name IN ('seed', 'dataset')"
_COUNTED = re.compile(r"(?P<name>.+)-[0-9]{1,3}")


def default_folder() -> Path:
    """``WORKBENCH_FOLDER``, else a folder of the user's."""
    named = os.environ.get("WORKBENCH_FOLDER")
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return Path(user_data_path("neural-workbench")) / "default"


class WorkbenchFolder(Record):
    """A workbench as it is listed.

    Attributes:
        folder: Where it is.
        model: Name of its model as it was opened.
        name: What its baseline is called now.
        data: Name of its data.
        seed: Its seed.
        variants: How many variants it has, the baseline included.
    """

    folder: Path
    model: str
    name: str
    data: str
    seed: int
    variants: int


def workbench_folders(folder: Path) -> tuple[WorkbenchFolder, ...]:
    """The workbenches beside a folder that hold a model, itself included, by name of the folder.

    On a shared page, those of this visitor only: what lies beside it is other visitors'.
    """
    candidates = _home(folder).glob("model-*") if shared_mode() else folder.parent.iterdir()
    homes = {_home(folder), *candidates} if shared_mode() else set(candidates)
    found = (_read(home) for home in sorted(homes) if (home / DATABASE).is_file())
    return tuple(one for one in found if one is not None)


def folder_beside(folder: Path) -> Path:
    """A folder for another model: a new one, or one that an opening which was cut short left empty.

    On a shared page it lies inside the visitor's own folder, which goes with the visitor.
    """
    home = _home(folder)
    name = home / "model" if shared_mode() else _first_of(folder)
    number = 2
    while (beside := name.with_name(f"{name.name}-{number}")).exists() and not is_vacant(beside):
        number += 1
    return beside


def _first_of(folder: Path) -> Path:
    """``wine`` for ``wine-3``: the workbenches beside each other are counted, not chained."""
    match = _COUNTED.fullmatch(folder.name)
    first = folder if match is None else folder.with_name(match["name"])
    return first if first.is_dir() else folder


def is_vacant(folder: Path) -> bool:
    """Whether a workbench has never held anything, and nobody has it open."""
    if not (folder / DATABASE).is_file() or lives(folder / "owners"):
        return False
    try:
        return not _rows(folder, "SELECT id FROM variants LIMIT 1")
    except sqlite3.Error:
        return False


def cut_short(folder: Path) -> tuple[JobState, ...]:
    """The openings beside a folder whose process ended before there was anything to show."""
    if shared_mode():
        return ()
    found = []
    for beside in folder.parent.iterdir():
        if beside == folder or not is_vacant(beside):
            continue
        with suppress(sqlite3.Error):
            for (record,) in _rows(beside, "SELECT record FROM jobs ORDER BY number DESC LIMIT 1"):
                state = JobState.model_validate_json(record)
                if state.kind == "open" and state.status in ("queued", "running", "interrupted"):
                    change = {"status": "interrupted", "error": PROCESS_ENDED}
                    found.append(state.model_copy(update={"finished": state.created, **change}))
    return tuple(found)


def remember(folder: Path) -> None:
    """Keeps which workbench was shown last; on a shared page nothing is kept."""
    usual = default_folder().resolve()
    if not shared_mode() and folder.parent == usual.parent:
        note = _note(usual)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(folder.name, encoding="utf-8")


def last_used() -> Path:
    """The folder that was shown last; the usual one, or the one that was named, if it is gone."""
    usual = default_folder()
    note = _note(usual)
    if not shared_mode() and note.is_file():
        name = note.read_text(encoding="utf-8").strip()
        folder = usual.parent / name
        if Path(name).name == name and (folder / DATABASE).is_file():
            return folder
    return usual


def _note(usual: Path) -> Path:
    # Beside a folder that somebody has named lies what is theirs, and perhaps another such folder.
    return (usual if os.environ.get("WORKBENCH_FOLDER") else usual.parent) / _LAST_USED


def _home(folder: Path) -> Path:
    if not shared_mode():
        return folder
    return default_folder().resolve()


def _read(folder: Path) -> WorkbenchFolder | None:
    try:
        rows = _variants(folder)
        facts = {row[0]: row[1] for row in _rows(folder, _FACTS)}
        variants = [Variant.model_validate_json(record) for record, _ in rows]
    except (sqlite3.Error, ValueError):  # another program's file, or a workbench of a later version
        return None
    baseline = Lineage(variants).baseline
    if baseline is None:
        return None
    names = {variant.id: name for variant, (_, name) in zip(variants, rows, strict=True)}
    return WorkbenchFolder(
        folder=folder,
        model=baseline.name,
        name=names[baseline.id] or baseline.name,
        data=_data_name(folder, facts.get("dataset")),
        seed=int(facts.get("seed") or 0),
        variants=len(rows),
    )


def _variants(folder: Path) -> list[tuple[str, ...]]:
    """The records of what is there, each with the name that a reader gave it, empty for none."""
    try:
        return _rows(folder, "SELECT record, name FROM named_variants WHERE deleted IS NULL ORDER BY number")
    except sqlite3.OperationalError:  # nobody has opened it since names can be given
        return _rows(folder, "SELECT record, '' FROM variants WHERE deleted IS NULL ORDER BY rowid")


def _data_name(folder: Path, dataset: str | None) -> str:
    if dataset is None:
        return ""
    try:
        return str(json.loads((folder / dataset / "dataset.json").read_text(encoding="utf-8"))["name"])
    except (OSError, ValueError, LookupError, TypeError):  # it is listed all the same
        return ""


def _rows(folder: Path, query: str) -> list[tuple[str, ...]]:
    address = f"{(folder / DATABASE).as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=1)) as base:
        return base.execute(query).fetchall()
