"""Blocks of samples that come one after the other, put together: in memory, or on the disk when many."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from workbench.api.dataset import LARGE_BYTES
from workbench.api.errors import InvalidInput
from workbench.api.text import say, verbatim
from workbench.data.raw import Array, Disk


class Spool:
    """Takes blocks of one array.

    Args:
        disk: Where they go when they are many; without it they stay in memory.
        name: Names its file.
    """

    def __init__(self, disk: Disk | None, name: str) -> None:
        self._disk, self._name = disk, name
        self._held: list[Array] = []
        self._held_bytes = 0
        self._file: BinaryIO | None = None
        self._count = 0
        self._shape: tuple[int, ...] = ()
        self._dtype = np.dtype(np.float32)

    def add(self, block: Array) -> None:
        """Takes some more samples.

        Raises:
            InvalidInput: If they have another shape than those before.
        """
        if self._disk is None or block.dtype.kind not in "biuf":
            self._held.append(block)
            return
        if self._file is not None:
            self._write(block)
            return
        self._held.append(block)
        self._held_bytes += block.nbytes
        if self._held_bytes > LARGE_BYTES:
            held, self._held = self._held, []
            self._shape = held[0].shape[1:]
            self._dtype = np.result_type(*{one.dtype for one in held})
            self._file = (self._disk.folder / f"{self._name}.raw").open("w+b")
            for one in held:
                self._write(one)

    def joined(self, most: int | None) -> Array:
        """All of them as one array, up to some number of samples."""
        if self._file is None:
            return _joined(self._held)[:most]
        with self._file:
            self._file.flush()
            shape = (self._count, *self._shape)
            return np.memmap(self._file.name, self._dtype, "r", 0, shape)[:most]

    def close(self) -> None:
        """Lets go of the file of a reading that was stopped."""
        if self._file is not None:
            self._file.close()

    def _write(self, block: Array) -> None:
        assert self._file is not None
        if block.shape[1:] != self._shape:
            raise _different(f"{block.shape[1:]}, {self._shape}")
        if not np.can_cast(block.dtype, self._dtype):
            raise _different(f"{block.dtype}, {self._dtype}")
        self._file.write(np.ascontiguousarray(block, self._dtype).tobytes())
        self._count += len(block)


def _joined(values: list[Array]) -> Array:
    try:
        if values[0].dtype.kind == "O":  # tf.string elements arrive as bytes objects, ragged ones as arrays
            values = [np.asarray(value, "S") for value in values]
        return np.concatenate(values)
    except ValueError as error:
        raise _different(str(error)[:200]) from error


def _different(reason: str) -> InvalidInput:
    return InvalidInput(
        say("Samples of different shapes cannot be one array: {reason}", reason=verbatim(reason)),
        say("Pad or crop them to one shape first."),
    )
