"""Reads ``.npz`` files from strangers: no pickles, and nothing is read before its size is known."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np

from workbench.api.dataset import LARGE_BYTES
from workbench.api.errors import InvalidInput, Refused
from workbench.api.records import Record
from workbench.api.row_array import BLOCK_BYTES
from workbench.api.text import Text, say, verbatim
from workbench.data.mapping import from_mapping, plan
from workbench.data.raw import Array, Disk, RawData, check_kept, check_limit

HANDED_OVER = "workbench.json"
"""A member that a workbench's own process adds: what it knows beside the arrays."""

_LONGEST_HEADER = 10_000
_MOST_HANDED_BYTES = 1_000_000
_MAGIC = b"\x93NUMPY"
_ENCRYPTED = 0x1
_LOCAL_NAME_AT = 26
_MOST_UNPACKED = 50
"""An array that takes more times what it is packed into has to fit into memory, as one of zeros does."""


class HandedOver(Record):
    """What is known of arrays that were read in another process.

    Attributes:
        notes: What the user should know of how they were read.
        tabular: Whether they were a table.
        numbered: As in :class:`workbench.data.raw.RawData`.
    """

    notes: tuple[Text, ...] = ()
    tabular: bool = False
    numbered: Text | None = None


def read_npz(path: Path, *, limit_bytes: int, disk: Disk | None = None) -> RawData:
    """Reads the arrays that matter from an ``.npz`` file.

    Args:
        path: A regular file.
        limit_bytes: The most that the arrays may take in memory, by their own headers.
        disk: Where large arrays are unpacked, to be read from there; those that are not packed are read from
            the file itself.

    Raises:
        InvalidInput: If the file is damaged or its arrays cannot be used.
        Refused: For pickled objects, encrypted members and arrays above the limit.
    """
    with _explained(path), zipfile.ZipFile(path) as archive:
        members: dict[str, zipfile.ZipInfo] = {}
        known = HandedOver()
        for member in archive.infolist():
            if member.filename == HANDED_OVER and member.file_size <= _MOST_HANDED_BYTES:
                known = HandedOver.model_validate_json(archive.read(member))
                continue
            key = member.filename.removesuffix(".npy")
            if key in members:
                raise Refused(
                    say("{file} holds two arrays called {name}.", file=path.name, name=key[:60]),
                    say("Save it again with numpy.savez."),
                )
            members[key] = member
        found = plan(members, path.name)
        sizes = {key: _declared_bytes(archive, members[key], key, path.name) for key in found.keys}
        mapped = {key for keys in found.x.values() for key in keys.values() if sizes[key] > LARGE_BYTES}
        if disk is None:
            mapped = set()
        else:
            check_kept(sum(sizes.values()), disk.most_bytes, path.name)
        check_limit(_held_bytes(sizes, members, mapped, limit_bytes), limit_bytes, path.name)
        arrays = {
            key: _mapped(path, archive, members[key], disk, number)
            if disk is not None and key in mapped
            else _read(archive, members[key])
            for number, key in enumerate(found.keys)
        }
    raw = from_mapping(arrays, found, path.stem, known.notes)
    return replace(
        raw,
        tabular=known.tabular,
        is_image=False if known.tabular else None,
        numbered=known.numbered,
    )


def _declared_bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo, key: str, file: str) -> int:
    """What an array will take in memory according to its header, which must agree with the archive."""
    if member.flag_bits & _ENCRYPTED or member.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):
        raise Refused(
            say("{name} in {file} is encrypted or packed in an unusual way.", name=key, file=file),
            say("Save it again with numpy.savez or numpy.savez_compressed."),
        )
    with archive.open(member) as stream:
        shape, dtype, start = _header(stream, key, file)
    if dtype.hasobject:
        raise Refused(
            say(
                "{name} in {file} is an object array: it holds pickled Python objects, which can run code.",
                name=key,
                file=file,
            ),
            say("Save it as numbers or strings, for instance with .astype('float32') or .astype(str)."),
        )
    if any(length < 0 for length in shape):
        raise _damaged(key, file)
    count = math.prod(shape)
    if start + count * dtype.itemsize != member.file_size:
        raise InvalidInput(
            say(
                "{name} in {file} declares {declared} bytes of values, shape {shape}, and holds {held}.",
                name=key,
                file=file,
                declared=count * dtype.itemsize,
                shape=str(shape),
                held=max(0, member.file_size - start),
            ),
            say("The file is damaged; save it again."),
        )
    return count * dtype.itemsize


def _header(stream: IO[bytes], key: str, file: str) -> tuple[tuple[int, ...], np.dtype[np.generic], int]:
    """Shape, element type and length of an array's header.

    The header's length is checked first: NumPy itself would read up to 4 GiB of it.
    """
    prefix = stream.read(8)
    if prefix[:6] != _MAGIC or len(prefix) < 8:
        raise InvalidInput(
            say("{name} in {file} is not a NumPy array.", name=key, file=file),
            say("Save it again with numpy.savez."),
        )
    width = 2 if prefix[6] == 1 else 4
    size = stream.read(width)
    length = int.from_bytes(size, "little")
    if prefix[6] not in (1, 2) or len(size) != width or length > _LONGEST_HEADER:
        raise _damaged(key, file)
    text = stream.read(length)
    rebuilt = io.BytesIO(size + text)
    reader = np.lib.format.read_array_header_1_0 if width == 2 else np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            # NumPy warns when it repairs a header of Python 2, by means that hostile ones can upset.
            warnings.simplefilter("error")
            shape, _, dtype = reader(rebuilt, max_header_size=_LONGEST_HEADER)
    except (Warning, ValueError, TypeError, SyntaxError, TokenError, RecursionError, MemoryError) as error:
        raise _damaged(key, file) from error
    return shape, dtype, 8 + width + length


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    with archive.open(member) as stream:
        array: Array = np.lib.format.read_array(stream, allow_pickle=False)
        # Reading to the end makes zipfile compare the checksum.
        stream.read(1)
    return array


def _held_bytes(
    sizes: dict[str, int], members: dict[str, zipfile.ZipInfo], mapped: set[str], limit_bytes: int
) -> int:
    """What has to fit into memory, or is packed so well that it must be a trap."""
    return sum(
        size
        for key, size in sizes.items()
        if key not in mapped or size > max(limit_bytes, _MOST_UNPACKED * members[key].compress_size)
    )


def _mapped(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, disk: Disk, number: int) -> Array:
    """An array that stays on the disk: where it is, or unpacked, after its checksum was compared."""
    packed = member.compress_type != zipfile.ZIP_STORED
    file = disk.folder / f"{number}.npy" if packed else path
    with archive.open(member) as stream, file.open("wb") if packed else nullcontext() as unpacked:
        while block := stream.read(BLOCK_BYTES):
            if unpacked is not None:
                unpacked.write(block)
    with archive.open(member) as stream:
        shape, dtype, start = _header(stream, member.filename, path.name)
        fortran = _is_fortran(archive, member)
    offset = start if packed else start + _content_at(path, member)
    return np.memmap(file, dtype, "r", offset, shape, "F" if fortran else "C")


def _is_fortran(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        reader = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        return bool(reader(stream, max_header_size=_LONGEST_HEADER)[1])


def _content_at(path: Path, member: zipfile.ZipInfo) -> int:
    """Where the content of a member begins: after a header with its name and an extra field."""
    with path.open("rb") as file:
        file.seek(member.header_offset + _LOCAL_NAME_AT)
        name, extra = struct.unpack("<HH", file.read(4))
    return member.header_offset + _LOCAL_NAME_AT + 4 + int(name) + int(extra)


def _damaged(key: str, file: str) -> InvalidInput:
    return InvalidInput(
        say("The header of {name} in {file} is damaged.", name=key, file=file),
        say("Save it again with numpy.savez."),
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turns what zipfile and NumPy raise on damaged files into words."""
    try:
        yield
    except zipfile.BadZipFile as error:
        with path.open("rb") as file:
            start = file.read(6)
        if not start:
            problem = say("{file} is empty.", file=path.name)
        elif start == _MAGIC:
            problem = say("{file} is a single array (.npy), without labels.", file=path.name)
        elif start[:2] == b"PK":
            problem = say("{file} is damaged or incomplete: {reason}.", file=path.name, reason=_reason(error))
        else:
            problem = say("{file} is not an .npz file.", file=path.name)
        raise InvalidInput(
            problem, say("Write it with numpy.savez(file, x_train=..., y_train=..., x_test=..., y_test=...).")
        ) from error
    except (
        zlib.error,
        EOFError,
        ValueError,
        OSError,
        NotImplementedError,
        RuntimeError,
        OverflowError,
    ) as error:
        raise InvalidInput(
            say("{file} is damaged or incomplete: {reason}.", file=path.name, reason=_reason(error)),
            say("Write it with numpy.savez(file, x_train=..., y_train=..., x_test=..., y_test=...)."),
        ) from error


def _reason(error: Exception) -> Text:
    return verbatim((str(error) or type(error).__name__)[:200].rstrip("."))
