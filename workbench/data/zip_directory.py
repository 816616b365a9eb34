"""What the directory of a zip archive says, where reading it costs next to nothing."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path, PureWindowsPath

from workbench.api.text import Text, say

_HARD_LINK_FIELD = 0x000D
_END = b"PK\x05\x06"
_LARGE_ARCHIVE = b"PK\x06\x07"
_END_BYTES = 22
_LONGEST_COMMENT = 2**16
_LARGEST_DIRECTORY_BYTES = 4 * 2**20


def members_at_once(path: Path) -> list[zipfile.ZipInfo] | None:
    """The members that an archive declares; None where finding out is work for another process.

    A directory of hundreds of megabytes can be written by anybody, and is not read here.

    Args:
        path: A regular file.

    Raises:
        zipfile.BadZipFile: If it is no archive, or is damaged.
    """
    with path.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(max(0, length - _END_BYTES - _LONGEST_COMMENT))
        tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_BYTES:
        raise zipfile.BadZipFile("no directory")
    (directory_bytes,) = struct.unpack_from("<L", tail, end + 12)
    if _LARGE_ARCHIVE in tail or directory_bytes > _LARGEST_DIRECTORY_BYTES:
        return None
    with zipfile.ZipFile(path) as archive:
        return archive.infolist()


def unsafe_member(member: zipfile.ZipInfo) -> Text | None:
    """Why a member of an archive from a stranger is refused, or None."""
    # zipfile turns backslashes and cuts at NUL: the name as written decides
    written = member.orig_filename
    if "\\" in written or "\0" in written:
        return say("a backslash in its name")
    if written.startswith("/") or PureWindowsPath(written).drive:
        return say("an absolute path")
    if ".." in written.split("/"):
        return say("a path out of the archive")
    if member.flag_bits & 0x1:
        return say("encrypted")
    mode = member.external_attr >> 16
    if stat.S_ISLNK(mode):
        return say("a symbolic link")
    if stat.S_IFMT(mode) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return say("no regular file")
    if _has_field(member.extra, _HARD_LINK_FIELD):
        return say("a hard link")
    return None


def _has_field(extra: bytes, wanted: int) -> bool:
    while len(extra) >= 4:
        field, length = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        if field == wanted:
            return True
        extra = extra[4 + length :]
    return False
