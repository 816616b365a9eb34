"""Data from a path: which kind of file it is, and whether it can be opened at all."""

from __future__ import annotations

import stat
from pathlib import Path

from workbench.data.builtin import builtin_names
from workbench.data.image_folder import read_images
from workbench.data.npz import read_npz
from workbench.data.raw import RawData
from workbench.data.tables import read_csv
from workbench.errors import InvalidInput
from workbench.text import Text, say, verbatim
from workbench.variant import ModelDescription

TABLE_SUFFIXES = (".csv", ".tsv", ".txt")


def read_path(
    path: Path, *, label: str | None, limit_bytes: int, model: ModelDescription | None = None
) -> RawData:
    """Reads an ``.npz`` file, a CSV file or a folder of pictures.

    Args:
        path: What the user gave.
        label: Label column of a table.
        limit_bytes: The most memory that the values may take.
        model: The model that the data are for, where it is known.

    Raises:
        InvalidInput: If there is nothing there that can be read.
        Refused: For pickled objects, links out of the folder, and data above the limit.
    """
    try:
        path = path.resolve(strict=True)
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return read_images(path, limit_bytes=limit_bytes, model=model)
        if not stat.S_ISREG(mode):
            raise InvalidInput(say("{path} is neither a file nor a folder.", path=_shown(path)), _allowed())
        suffix = path.suffix.lower()
        if suffix == ".npz":
            return read_npz(path, limit_bytes=limit_bytes)
        if suffix in TABLE_SUFFIXES:
            return read_csv(path, label=label, limit_bytes=limit_bytes, model=model)
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


def _allowed() -> Text:
    return say("Use an .npz file, a .csv file, or a folder with one folder of pictures for each class.")


def _shown(path: Path) -> str:
    text = str(path).replace("\0", "�")
    return text if len(text) <= 200 else text[:199] + "…"
