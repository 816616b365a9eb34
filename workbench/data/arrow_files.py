"""Parquet files, and Arrow data sets as a folder: which files there are, and the tables in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.api.dataset import LARGE_BYTES, SPLITS, SplitName
from workbench.api.errors import InvalidInput, Unavailable
from workbench.api.text import say, verbatim
from workbench.data.raw import Disk, check_kept, check_limit

PARQUET_SUFFIXES = (".parquet", ".pq")
ARROW_SUFFIXES = (".arrow", ".feather")
_STATE, _SPLITS = "state.json", "dataset_dict.json"
"""What ``save_to_disk`` of the package ``datasets`` writes beside the tables."""
_MOST_JSON_BYTES = 10_000_000
_ROWS_AT_ONCE = 1024
_SPLIT_NAMES: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def is_arrow_folder(folder: Path) -> bool:
    """Whether a folder holds an Arrow data set or Parquet files."""
    return any((folder / name).is_file() for name in (_STATE, _SPLITS)) or bool(_parquet_in(folder))


def table_files(path: Path) -> dict[SplitName, list[Path]]:
    """The files of each split.

    Args:
        path: A Parquet or Arrow file; a folder that ``save_to_disk`` wrote; or a folder of Parquet files,
            whose names begin with the split where there are several.

    Raises:
        InvalidInput: If there are none, or none to train on.
    """
    if path.is_file():
        return {"train": [path]}
    if (path / _SPLITS).is_file():
        names = _json(path / _SPLITS).get("splits", [])
        folders = {str(name): path / str(name) for name in names if _is_plain(str(name))}
        found = {
            split: _of_state(folders[name])
            for name, split in _named(list(folders)).items()
            if (folders[name] / _STATE).is_file()
        }
    elif (path / _STATE).is_file():
        found = {"train": _of_state(path)}
    else:
        found = {}
        files = _parquet_in(path)
        of_name = {file: re.split(r"[-_.]", file.name, maxsplit=1)[0] for file in files}
        known = _named(sorted(set(of_name.values())))
        for file, name in of_name.items():
            if name in known or not known:
                found.setdefault(known.get(name, "train"), []).append(file)
    found = {split: found[split] for split in SPLITS if found.get(split)}
    if "train" not in found:
        raise InvalidInput(
            say("{folder} holds no table to train on.", folder=path.name),
            say(
                "Give a Parquet file, a folder that save_to_disk wrote, or a folder of Parquet files whose "
                "names begin with train, validation and test."
            ),
        )
    return found


def require_pyarrow() -> None:
    """Raises where the package that reads tables is missing."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise Unavailable(
            say("Parquet and Arrow files are read with the package pyarrow, which is not installed here."),
            say("Install it with: pip install 'neural-workbench[tables]'"),
        ) from error


def open_table(files: list[Path], source: str, *, limit_bytes: int, disk: Disk | None) -> Any:
    """The table in some files, mapped into memory where it is large.

    Args:
        files: They have the same columns.
        source: As the user knows them.
        limit_bytes: The most that the table may take in memory.
        disk: Where large Parquet files are unpacked.

    Returns:
        A ``pyarrow.Table``.

    Raises:
        InvalidInput: If a file is damaged, or they do not fit each other.
        Refused: If it takes more than the limit.
    """
    import pyarrow

    try:
        tables = [
            _parquet(file, source, limit_bytes, disk)
            if file.suffix.lower() in PARQUET_SUFFIXES
            else _arrow(file)
            for file in files
        ]
        return tables[0] if len(tables) == 1 else pyarrow.concat_tables(tables, promote_options="permissive")
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _unreadable(source, error) from error


@dataclass(frozen=True)
class Glimpse:
    """What is read of tables to show what they are.

    Attributes:
        first: Some rows, with all columns.
        count: Rows in all.
        read: Gives all rows of some columns.
    """

    first: Any
    count: int
    read: Callable[[list[str]], Any]


def glimpse(path: Path, rows: int) -> Glimpse:
    """Looks into tables without reading all of them.

    Args:
        path: See :func:`table_files`.
        rows: How many rows are looked at with all columns.

    Raises:
        InvalidInput: If there are none, or a file is damaged.
    """
    import pyarrow
    from pyarrow import parquet

    files = [file for own in table_files(path).values() for file in own]
    if files[0].suffix.lower() not in PARQUET_SUFFIXES:
        table = open_table(files, path.name, limit_bytes=0, disk=None)
        return Glimpse(table.slice(0, rows), len(table), table.select)
    try:
        with parquet.ParquetFile(files[0]) as opened:
            some = [batch for batch, _ in zip(opened.iter_batches(rows), range(1), strict=False)]
            first = pyarrow.Table.from_batches(some, opened.schema_arrow)
        count = sum(parquet.read_metadata(file).num_rows for file in files)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path.name, error) from error

    def read(columns: list[str]) -> Any:
        try:
            parts = [parquet.read_table(file, columns=columns) for file in files]
            return pyarrow.concat_tables(parts, promote_options="permissive")
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise _unreadable(path.name, error) from error

    return Glimpse(first, count, read)


def _unreadable(source: str, error: Exception) -> InvalidInput:
    return InvalidInput(
        say(
            "{source} cannot be read as a table: {reason}",
            source=source,
            reason=verbatim(str(error).partition("\n")[0][:200]),
        ),
        say("Copy, download or save it again."),
    )


def _arrow(file: Path) -> Any:
    import pyarrow

    mapped = pyarrow.memory_map(str(file))
    with suppress(pyarrow.ArrowInvalid):
        return pyarrow.ipc.open_file(mapped).read_all()
    mapped.seek(0)
    return pyarrow.ipc.open_stream(mapped).read_all()


def _parquet(file: Path, source: str, limit_bytes: int, disk: Disk | None) -> Any:
    import pyarrow
    from pyarrow import parquet

    with parquet.ParquetFile(file) as opened:
        groups = (opened.metadata.row_group(number) for number in range(opened.metadata.num_row_groups))
        size = sum(group.total_byte_size for group in groups)
        if size <= LARGE_BYTES or disk is None:
            check_limit(size, limit_bytes, source)
            return opened.read()
        check_kept(size, disk.most_bytes, source)
        unpacked = disk.folder / f"{len(list(disk.folder.iterdir()))}.arrow"
        with (
            pyarrow.OSFile(str(unpacked), "wb") as target,
            pyarrow.ipc.new_stream(target, opened.schema_arrow) as writer,
        ):
            written = 0
            for batch in opened.iter_batches(_ROWS_AT_ONCE):
                written += batch.nbytes  # a dictionary of few values is short in the file
                check_kept(written, disk.most_bytes, source)
                writer.write_batch(batch)
    return _arrow(unpacked)


def _parquet_in(folder: Path) -> list[Path]:
    for place in (folder, folder / "data"):
        with suppress(OSError):
            files = [
                entry
                for entry in sorted(place.iterdir())
                if entry.suffix.lower() in PARQUET_SUFFIXES and entry.is_file() and not entry.is_symlink()
            ]
            if files:
                return files
    return []


def _of_state(folder: Path) -> list[Path]:
    names = [str(entry.get("filename")) for entry in _json(folder / _STATE).get("_data_files", [])]
    files = [folder / name for name in names if _is_plain(name)]
    missing = [file for file in files if not file.is_file() or file.is_symlink()]
    if not names or missing or len(files) < len(names):
        raise InvalidInput(
            say("{folder} lacks tables that {file} names.", folder=folder.name, file=_STATE),
            say("Save it again with save_to_disk."),
        )
    return files


def _named(names: list[str]) -> dict[str, SplitName]:
    """Which name is which split; the first one that means a split is it."""
    found: dict[str, SplitName] = {}
    for name in names:
        split = _SPLIT_NAMES.get(name.casefold())
        if split is not None and split not in found.values():
            found[name] = split
    return found


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and not re.search(r"[/\\\0]", name)


def _json(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _MOST_JSON_BYTES:
            raise ValueError
        content = json.loads(file.read_text("utf-8"))
        if not isinstance(content, dict):
            raise TypeError
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(
            say("{file} in {folder} is damaged.", file=file.name, folder=file.parent.name),
            say("Save it again with save_to_disk."),
        ) from error
    return content
