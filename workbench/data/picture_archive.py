"""A ``.zip`` of pictures in folders by class: unpacked as if a stranger had sent it, read as a folder."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from workbench.api.errors import InvalidInput, Refused
from workbench.api.text import say
from workbench.api.variant import ModelDescription
from workbench.data.image_folder import SUFFIXES, read_images
from workbench.data.raw import Disk, RawData, check_limit
from workbench.data.zip_directory import unsafe_member

MOST_MEMBERS = 200_000
LARGEST_PICTURE_BYTES = 64 * 2**20
"""A packed picture: what it unfolds to is limited by its pixels."""
_BLOCK_BYTES = 2**20
_DEEPEST = 12
_LONGEST_NAME_BYTES = 255


def read_picture_archive(
    path: Path, *, limit_bytes: int, model: ModelDescription | None = None, disk: Disk | None = None
) -> RawData:
    """Reads the pictures of an archive as :func:`workbench.data.image_folder.read_images` does of a folder.

    Args:
        path: The ``.zip`` file.
        limit_bytes: The most memory that the pictures may take; packed they may not take more either.
        model: The model that they are for, where it is known.
        disk: Where they are unpacked and kept.

    Raises:
        InvalidInput: If it is damaged, or holds no pictures in folders.
        Refused: For members that lead out of the folder, links, and more than the limit.
    """
    if disk is not None:
        return _unpacked(path, disk.folder, disk.most_bytes, limit_bytes, model, disk)
    with tempfile.TemporaryDirectory(prefix="workbench-pictures-") as scratch:
        raw = _unpacked(path, Path(scratch), limit_bytes, limit_bytes, model, None)
        splits = {
            split: replace(samples, x={name: np.asarray(array) for name, array in samples.x.items()})
            for split, samples in raw.splits.items()
        }
        return replace(raw, splits=splits)


def _unpacked(
    path: Path,
    scratch: Path,
    most_bytes: int,
    limit_bytes: int,
    model: ModelDescription | None,
    disk: Disk | None,
) -> RawData:
    folder = scratch / path.stem[:100]
    folder.mkdir()
    unpack_pictures(path, folder, most_bytes)
    return read_images(folder, limit_bytes=limit_bytes, model=model, disk=disk)


def unpack_pictures(path: Path, folder: Path, limit_bytes: int) -> None:
    """Writes the pictures of an archive, and nothing else of it, below a folder.

    Raises:
        InvalidInput: If it is damaged, or holds no pictures.
        Refused: For members that lead out of the folder, links, and more than the limit.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in pictures_in(archive.infolist(), path.name, limit_bytes):
                with archive.open(member) as packed:
                    _write(packed, folder / PurePosixPath(member.filename), member, path.name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InvalidInput(
            say("{name} is damaged or cut short.", name=path.name), say("Copy, download or save it again.")
        ) from error


def pictures_in(members: list[zipfile.ZipInfo], name: str, limit_bytes: int) -> list[zipfile.ZipInfo]:
    """The members that are pictures, after a look at what all of them declare.

    Raises:
        InvalidInput: If there are none.
        Refused: As :func:`unpack_pictures`.
    """
    if len(members) > MOST_MEMBERS:
        raise Refused(
            say("{name} holds more than {limit:,} files.", name=name, limit=MOST_MEMBERS),
            say("Leave some of them out."),
        )
    for member in members:
        reason = unsafe_member(member)
        if reason is not None:
            raise Refused(
                say(
                    "The archive {name} is not unpacked because of {member} ({reason}).",
                    name=name,
                    member=repr(member.orig_filename[:80]),
                    reason=reason,
                ),
                say("Pack the folder of pictures again."),
            )
    pictures = [member for member in members if _is_picture(member)]
    if not pictures:
        raise InvalidInput(
            say("{name} holds no pictures.", name=name),
            say(
                "Pack a folder that has one folder of pictures ({suffixes}) for each class.",
                suffixes=tuple(SUFFIXES),
            ),
        )
    for member in pictures:
        if member.file_size > LARGEST_PICTURE_BYTES:
            check_limit(member.file_size, LARGEST_PICTURE_BYTES, member.filename[-100:])
    check_limit(sum(member.file_size for member in pictures), limit_bytes, name)
    return pictures


def _is_picture(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    return (
        not member.is_dir()
        and member.filename.lower().endswith(SUFFIXES)
        and len(parts) <= _DEEPEST
        and all(len(part.encode()) <= _LONGEST_NAME_BYTES for part in parts)
    )


def _write(packed: IO[bytes], target: Path, member: zipfile.ZipInfo, name: str) -> None:
    """Writes one member, and no more of it than it has declared."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("xb")
    except (FileExistsError, NotADirectoryError) as error:
        raise Refused(
            say("The archive {name} holds two files of one name.", name=name), say("Do not open this file.")
        ) from error
    with file:
        left = member.file_size
        while block := packed.read(min(_BLOCK_BYTES, left + 1)):
            left -= len(block)
            if left < 0:
                raise Refused(
                    say("The archive {name} holds more than it declares.", name=name),
                    say("Do not open this file."),
                )
            file.write(block)
