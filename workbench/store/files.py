"""Files that are either whole or absent: digest, flush, rename."""

from __future__ import annotations

import hashlib
from pathlib import Path

from workbench.data.durable import sync_file, sync_folder


def digest(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder with their relative names, in name order."""
    total = hashlib.sha256()
    if path.is_file():
        _feed(total, path)
    else:
        for file in sorted(file for file in path.rglob("*") if file.is_file()):
            total.update(file.relative_to(path).as_posix().encode() + b"\0")
            _feed(total, file)
    return total.hexdigest()


def _feed(total: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            total.update(chunk)


def flush(path: Path) -> None:
    """Writes a file, or a folder with everything in it, through to the disk."""
    if path.is_dir():
        for child in path.iterdir():
            flush(child)
        sync_folder(path)
    else:
        with path.open("rb") as file:
            sync_file(file)


def move_durably(source: Path, target: Path) -> None:
    """Renames a flushed file or folder and flushes the rename.

    Args:
        source: On the same file system as ``target``.
        target: Must not exist; its parent must.
    """
    flush(source)
    source.rename(target)
    sync_folder(target.parent)
