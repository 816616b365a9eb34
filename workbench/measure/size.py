"""The three sizes of a file, and the memory that it takes to run."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.measure.records import SizeMeasurement

_CHUNK = 1 << 20


def measure_size(
    path: Path,
    parameters: int,
    peak_memory_bytes: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> SizeMeasurement:
    """Measures the deployable file.

    Args:
        path: A file, or a folder of which every file counts, each gzipped by itself.
        parameters: Number of weights, for the record.
        peak_memory_bytes: Measured before, by :func:`workbench.measure.child_tasks.peak_memory`.
        check: Called after each megabyte; may raise to stop.

    Raises:
        InvalidInput: If there is no such file.
    """
    files = deployable_files(path)
    return SizeMeasurement(
        parameters=parameters,
        file_bytes=sum(file.stat().st_size for file in files),
        gzip_bytes=sum(gzip_bytes(file, check) for file in files),
        peak_memory_bytes=peak_memory_bytes,
    )


def deployable_files(path: Path) -> list[Path]:
    """The file itself, or every file of a folder in name order.

    Raises:
        InvalidInput: If there is none.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and not file.is_symlink())
    else:
        files = [path] if path.is_file() else []
    if not files:
        raise InvalidInput(say("There is no file {path}.", path=str(path)))
    return files


class _Counter:
    """A file that only counts what is written to it."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, data: bytes) -> int:
        self.count += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def gzip_bytes(path: Path, check: Callable[[], None] = lambda: None) -> int:
    """Bytes of a file after gzip at level 9 with mtime 0, without keeping them."""
    counter = _Counter()
    with (
        path.open("rb") as source,
        gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=counter, mtime=0) as packed,
    ):
        while chunk := source.read(_CHUNK):
            check()
            packed.write(chunk)
    return counter.count
