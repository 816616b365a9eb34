"""Samples that are too many for memory: their rows are read, decoded or scaled when they are asked for."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from functools import lru_cache
from math import prod
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Rows = slice | npt.NDArray[np.integer]
"""Which samples, along axis 0."""

BLOCK_BYTES = 2**24
"""How much of an array is worked on at once."""

_MOST_MAPPED_BYTES = 2**26


class RowArray(np.lib.mixins.NDArrayOperatorsMixin):
    """What looks like an array, and holds none of its values.

    Indexing it along axis 0 gives a NumPy array of these samples. ``numpy.asarray`` gives all of them, which
    is only for arrays that are known to be small.

    Args:
        read: Gives the samples at a slice or at positions.
        shape: Of all samples.
        dtype: The element type of what ``read`` gives.
    """

    def __init__(
        self, read: Callable[[Rows], npt.NDArray[Any]], shape: tuple[int, ...], dtype: npt.DTypeLike
    ) -> None:
        self._read = read
        self.shape = shape
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of values."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """What all values would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._read(index)
        if isinstance(index, tuple):
            return self._along_other_axes(index) if index[:1] == (Ellipsis,) else np.asarray(self)[index]
        positions = np.arange(len(self))[index]
        return self._read(positions) if positions.ndim else self._read(np.asarray([positions]))[0]

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        for block in self.blocks():
            yield from block

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        whole = np.empty(self.shape, self.dtype)
        start = 0
        for block in self.blocks():
            whole[start : start + len(block)] = block
            start += len(block)
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        arrays = [np.asarray(one) if isinstance(one, RowArray) else one for one in inputs]
        return getattr(ufunc, method)(*arrays, **keywords)

    def blocks(self, block_bytes: int = BLOCK_BYTES) -> Iterator[npt.NDArray[Any]]:
        """All samples, a few at a time."""
        step = max(1, block_bytes // max(1, prod(self.shape[1:]) * self.dtype.itemsize))
        for start in range(0, len(self), step):
            yield self._read(slice(start, min(start + step, len(self))))

    def min(self) -> Any:
        """The smallest value."""
        return min(block.min() for block in self.blocks())

    def max(self) -> Any:
        """The largest value."""
        return max(block.max() for block in self.blocks())

    def mean(self) -> float:
        """The mean of all values."""
        return float(sum(block.sum(dtype=np.float64) for block in self.blocks()) / self.size)

    def reshape(self, *shape: int) -> RowArray:
        """The same samples in another shape; the first axis stays."""
        if shape[0] != len(self) or prod(shape) != self.size:
            raise ValueError(f"Samples of shape {self.shape} cannot take the shape {shape}.")
        return RowArray(lambda rows: _reshaped(self._read(rows), shape[1:]), shape, self.dtype)

    def _along_other_axes(self, index: tuple[Any, ...]) -> RowArray:
        shape = np.empty((1, *self.shape[1:]), bool)[index].shape
        return RowArray(lambda rows: self._read(rows)[index], (len(self), *shape[1:]), self.dtype)

    def __repr__(self) -> str:
        return f"RowArray(shape={self.shape}, dtype={self.dtype.name})"


def by_rows(
    read: Callable[[Rows], npt.NDArray[Any]], shape: tuple[int, ...], dtype: npt.DTypeLike
) -> npt.NDArray[Any]:
    """A :class:`RowArray`, to the type checker the array that it stands for."""
    return cast("npt.NDArray[Any]", RowArray(read, shape, dtype))


def is_by_rows(array: object) -> bool:
    """Whether an array is a :class:`RowArray`."""
    return isinstance(array, RowArray)


def _reshaped(values: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    return values.reshape(len(values), *shape)


def scaled_rows(
    kept: npt.NDArray[Any], offset: npt.NDArray[np.float64], divisor: npt.NDArray[np.float64]
) -> npt.NDArray[Any]:
    """Samples that are kept as they came, as float32 in the scaling that the model takes.

    Args:
        kept: The samples, in memory or mapped from a file.
        offset: See :func:`rescaled`.
        divisor: See :func:`rescaled`.
    """
    read = _MappedRows(kept)
    return by_rows(lambda rows: rescaled(read(rows), offset, divisor), kept.shape, np.float32)


def mapped_rows(kept: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Samples of a file that is larger than what is held of it.

    Args:
        kept: Mapped from the file.
    """
    read = _MappedRows(kept)
    return by_rows(lambda rows: np.array(read(rows)), kept.shape, kept.dtype)


class _MappedRows:
    """Reads rows of a mapped file, and lets go of its pages: the system's cache keeps them."""

    def __init__(self, kept: npt.NDArray[Any]) -> None:
        self._kept = kept
        self._row_bytes = kept[:1].nbytes
        self._touched = 0

    def __call__(self, rows: Rows) -> npt.NDArray[Any]:
        mapped = getattr(self._kept, "_mmap", None)
        if mapped is not None and self._touched > _MOST_MAPPED_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)
            self._touched = 0
        found: npt.NDArray[Any] = self._kept[rows]
        # a page at least for each row
        self._touched += max(len(found) * 4096, len(found) * self._row_bytes)
        return found


def rescaled(
    values: npt.NDArray[Any], offset: npt.NDArray[np.float64], divisor: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """``(values - offset) / divisor`` in float64, then float32.

    Args:
        values: Samples, shape ``(n, ...)``, any type of number.
        offset: A number, or one for each column.
        divisor: A number, or one for each column.
    """
    if not offset.any() and (divisor == 1).all():
        return values.astype(np.float32)
    made = np.empty(values.shape, np.float32)
    step = max(1, BLOCK_BYTES // max(1, values[:1].size * 8))
    table, quick = (
        _of_bytes(float(offset), float(divisor))
        if offset.ndim == 0 and values.dtype == np.uint8
        else (None, False)
    )
    for start in range(0, len(values), step):
        part, block = made[start : start + step], values[start : start + step]
        if quick:
            part[...] = block
            part -= np.float32(offset)
            part /= np.float32(divisor)
        elif table is not None:
            np.take(table, block, out=part, mode="clip")
        else:
            part[...] = (block - offset) / divisor
    return made


@lru_cache(maxsize=16)
def _of_bytes(offset: float, divisor: float) -> tuple[npt.NDArray[np.float32], bool]:
    """What each of the 256 bytes becomes, and whether computing in float32 gives the very same."""
    every = np.arange(256)
    table = ((every - offset) / divisor).astype(np.float32)
    computed = (every.astype(np.float32) - np.float32(offset)) / np.float32(divisor)
    return table, bool(np.array_equal(table, computed))
