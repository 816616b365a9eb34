"""What a workbench was opened with, so that the same model and data opened again are recognized."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path
from typing import Any

from pydantic import field_validator

from workbench.api.errors import InvalidInput
from workbench.api.records import Record
from workbench.api.text import say
from workbench.store.files import digest

FACT = "origin"
_MOST_UNFOLDED = 20
"""Archives that unfold to more than so many times their size are taken as they are: nothing is to be learned
from reading gigabytes of zeros."""

_WRITTEN_WHEN = "metadata.json"
"""In a ``.keras`` file: it has the time of saving, and nothing of the model."""

_CONFIGURATION = "config.json"
_ADDRESS = re.compile(rb'("shared_object_id": )(\d+)')
"""In it: where an object lay in memory, to tell which ones are the same; another number at every saving."""


class Origin(Record):
    """What was opened.

    Attributes:
        model: Digest of the model's file.
        data: Name of a built-in data set, or digest of what was read.
        options: How they were read.
    """

    model: str
    data: str
    options: dict[str, Any]

    @field_validator("options")
    @classmethod
    def _without_what_says_nothing(cls, options: dict[str, Any]) -> dict[str, Any]:
        # Folders of earlier releases lack some of these.
        return {name: value for name, value in options.items() if value not in (None, {})}


def already_holds(name: str) -> InvalidInput:
    """Why nothing else can be opened in a workbench.

    Args:
        name: Name of the baseline that it has.
    """
    return InvalidInput(
        say("This workbench already holds the model {name}.", name=name),
        say("Open another folder for another model, for other data or for another way of reading them."),
    )


def origin(model: Path, data: str | Path, options: dict[str, Any]) -> Origin:
    """The origin of an opening, read from its files; takes as long as reading them.

    Args:
        model: The model's file or folder.
        data: Name of a built-in data set, or a file or folder.
        options: What else decides what is opened, as JSON.
    """
    return Origin(model=content_digest(model), data=data_digest(data), options=options)


def data_digest(data: str | Path) -> str:
    """The name of a built-in data set, or the digest of a file or folder."""
    return content_digest(data) if isinstance(data, Path) else f"built-in {data}"


def content_digest(path: Path) -> str:
    """SHA-256 of a file or folder; of an archive, that of what is in it: the times of writing differ."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return digest(path)
    total = hashlib.sha256()
    try:
        with zipfile.ZipFile(path) as archive:
            unfolded = sum(member.file_size for member in archive.infolist())
            if unfolded > _MOST_UNFOLDED * path.stat().st_size:
                return digest(path)
            for member in sorted(archive.infolist(), key=lambda member: member.filename):
                if path.suffix == ".keras" and member.filename == _WRITTEN_WHEN:
                    continue
                if path.suffix == ".keras" and member.filename == _CONFIGURATION:
                    configuration = _numbered(archive.read(member))
                    total.update(f"{member.filename}\0{len(configuration)}\0".encode() + configuration)
                    continue
                total.update(f"{member.filename}\0{member.file_size}\0".encode())
                with archive.open(member) as file:
                    while chunk := file.read(1 << 20):
                        total.update(chunk)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        return digest(path)  # a damaged archive is refused by what reads it
    return total.hexdigest()


def _numbered(configuration: bytes) -> bytes:
    """A configuration in which addresses are numbers in the order of their first occurrence."""
    numbers: dict[bytes, int] = {}
    return _ADDRESS.sub(
        lambda found: found[1] + str(numbers.setdefault(found[2], len(numbers))).encode(), configuration
    )
