"""Data from a path: which kind of file it is, and whether it can be opened at all."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import ModelDescription
from workbench.data.arrow_data import read_arrow
from workbench.data.arrow_files import ARROW_SUFFIXES, PARQUET_SUFFIXES, is_arrow_folder, require_pyarrow
from workbench.data.builtin import builtin_names
from workbench.data.csv_files import read_csv
from workbench.data.image_folder import read_images
from workbench.data.mapping import plan
from workbench.data.npz import read_npz
from workbench.data.picture_archive import pictures_in, read_picture_archive
from workbench.data.raw import Disk, RawData, default_limit_bytes
from workbench.data.zip_directory import members_at_once

TABLE_SUFFIXES = (".csv", ".tsv", ".txt")
_FIRST_BYTES = 4096
_STARTS = {
    **dict.fromkeys(PARQUET_SUFFIXES, (b"PAR1",)),
    **dict.fromkeys(ARROW_SUFFIXES, (b"ARROW1", b"\xff\xff\xff\xff")),
}
"""The first bytes of a Parquet file, of an Arrow file and of an Arrow stream."""


def read_path(
    path: Path,
    *,
    label: str | None,
    limit_bytes: int,
    model: ModelDescription | None = None,
    disk: Disk | None = None,
    weights: str | None = None,
) -> RawData:
    """Reads an ``.npz`` file, a CSV, Parquet or Arrow table, or a folder or ``.zip`` of pictures.

    Args:
        path: What the user gave.
        label: Label column of a table.
        limit_bytes: The most memory that the values may take.
        model: The model that the data are for, where it is known.
        disk: Where values go that are too many for memory; without it, all have to fit there.
        weights: Column of sample weights of a table.

    Raises:
        InvalidInput: If there is nothing there that can be read.
        Refused: For pickled objects, links out of the folder, and data above the limit.
    """
    try:
        path = path.resolve(strict=True)
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode) and is_arrow_folder(path):
            return read_arrow(
                path, label=label, limit_bytes=limit_bytes, model=model, disk=disk, weights=weights
            )
        if stat.S_ISDIR(mode):
            return read_images(path, limit_bytes=limit_bytes, model=model, disk=disk)
        if not stat.S_ISREG(mode):
            raise InvalidInput(say("{path} is neither a file nor a folder.", path=_shown(path)), _allowed())
        suffix = path.suffix.lower()
        if suffix == ".npz":
            return read_npz(path, limit_bytes=limit_bytes, disk=disk)
        if suffix == ".zip":
            return read_picture_archive(path, limit_bytes=limit_bytes, model=model, disk=disk)
        if suffix in TABLE_SUFFIXES:
            return read_csv(path, label=label, limit_bytes=limit_bytes, model=model, weights=weights)
        if suffix in (*PARQUET_SUFFIXES, *ARROW_SUFFIXES):
            return read_arrow(
                path, label=label, limit_bytes=limit_bytes, model=model, disk=disk, weights=weights
            )
    except FileNotFoundError as error:
        raise InvalidInput(
            say("There is no file, folder or built-in data set called {path}.", path=_shown(path)),
            say("Built-in data sets are {names}.", names=tuple(builtin_names())),
        ) from error
    except (OSError, ValueError) as error:
        # A path with a zero byte is a ValueError, one that is too long or forbidden an OSError.
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InvalidInput(
            say("{path} cannot be read: {reason}.", path=_shown(path), reason=verbatim(reason[:200]))
        ) from error
    raise InvalidInput(
        say("{path} is not a kind of file that holds data here.", path=_shown(path)),
        _allowed(),
    )


def require_plausible(path: Path) -> None:
    """Refuses at once what can be no data: by size, name, first bytes, and what an archive declares.

    For the process that must answer a click: it reads a few kilobytes, whatever the file holds.

    Args:
        path: Something that exists.

    Raises:
        InvalidInput: If it is no data.
        Refused: If an archive declares more than the limit.
    """
    try:
        status = path.stat()
        suffix = path.suffix.lower()
        if stat.S_ISDIR(status.st_mode):
            return
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInput(say("{path} is neither a file nor a folder.", path=_shown(path)), _allowed())
        if suffix not in (".npz", ".zip", *TABLE_SUFFIXES, *_STARTS):
            raise InvalidInput(
                say("{path} is not a kind of file that holds data here.", path=_shown(path)), _allowed()
            )
        if status.st_size == 0:
            raise InvalidInput(
                say("{name} is empty (0 bytes).", name=path.name), say("Save or download it again.")
            )
        if suffix in (".npz", ".zip"):
            _require_plausible_archive(path, suffix)
            return
        with path.open("rb") as file:
            if suffix in _STARTS:
                _require_start(path, file.read(_FIRST_BYTES), suffix)
                return
            if b"\0" in file.read(_FIRST_BYTES):
                raise InvalidInput(
                    say("{file} is not a text file.", file=path.name), say("Save the table as CSV, in UTF-8.")
                )
    except OSError as error:
        raise InvalidInput(
            say(
                "{path} cannot be read: {reason}.",
                path=_shown(path),
                reason=verbatim(error.strerror or str(error)),
            )
        ) from error


def _require_start(path: Path, start: bytes, suffix: str) -> None:
    require_pyarrow()
    if not start.startswith(_STARTS[suffix]):
        raise InvalidInput(
            say("{name} is damaged, cut short, or no {suffix} file.", name=path.name, suffix=suffix),
            say("Copy, download or save it again."),
        )


def _require_plausible_archive(path: Path, suffix: str) -> None:
    try:
        members = members_at_once(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InvalidInput(
            say("{name} is damaged, cut short, or no {suffix} file.", name=path.name, suffix=suffix),
            say("Copy, download or save it again."),
        ) from error
    if members is None:
        return
    if suffix == ".zip":
        pictures_in(members, path.name, default_limit_bytes())
    else:
        plan({member.filename.removesuffix(".npy"): member for member in members}, path.name)


def _allowed() -> Text:
    return say(
        "Use an .npz file, a .csv, .parquet or .arrow table, a folder that save_to_disk wrote, or a folder "
        "or .zip file with one folder of pictures for each class."
    )


def _shown(path: Path) -> str:
    text = str(path).replace("\0", "�")
    return text if len(text) <= 200 else text[:199] + "…"
