"""Small data sets for the tests of this folder."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from workbench.api.variant import ModelDescription, TensorSpec


def labelled(count: int = 120, classes: int = 3, shape: tuple[int, ...] = (4,), seed: int = 0):
    """Samples whose first value is their own number, and labels that go round."""
    x = np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32)
    x.reshape(count, -1)[:, 0] = np.arange(count)
    return x, np.arange(count) % classes


def npz(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def npy_header(shape: object, dtype: str = "<f4", *, version: int = 1) -> bytes:
    """The first bytes of an array file, with any shape that one likes to declare."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 if version == 1 else 4, "little") + text


def npz_of_bytes(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """An archive whose members are exactly these bytes."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def described(
    *inputs: tuple[int | None, ...], outputs: dict[str, int] | None = None, **names
) -> ModelDescription:
    """A model with inputs ``a``, ``b``, … of these shapes (or by name) and outputs of these widths."""
    shapes = dict(zip("abcdef", inputs, strict=False)) | names
    return ModelDescription(
        inputs=tuple(TensorSpec(name=name, shape=shape) for name, shape in shapes.items()),
        outputs=tuple(
            TensorSpec(name=name, shape=(width,)) for name, width in (outputs or {"classes": 3}).items()
        ),
    )
