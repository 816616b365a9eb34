"""Files of Keras 2, written by tf_keras in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.kinds.brought import Brought, patterns


def _written(name: str, file: str, folder: Path, *shape: int) -> Brought:
    x, y = patterns(*shape)
    np.savez(folder / "data.npz", x=x, y=y)
    program = (
        f"from tests.kinds import writing_keras_2; writing_keras_2.write({name!r}, {file!r}, {str(folder)!r})"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return Brought(folder / file, (x, y))


def recurrent(folder: Path) -> Brought:
    return _written("recurrent", "recurrent.h5", folder, 8, 6)


def convolutional_lstm(folder: Path) -> Brought:
    return _written("convolutional_lstm", "pictures.h5", folder, 4, 8, 8, 1)


def clicked(folder: Path) -> Brought:
    return _written("clicked", "keras_model.h5", folder, 16, 16, 3)


def misnamed(folder: Path) -> Brought:
    brought = _written("plain", "plain.h5", folder, 20)
    return Brought(brought.model.rename(folder / "plain.keras"), brought.data)


def archive(folder: Path) -> Brought:
    return _written("plain", "plain.keras", folder, 20)


def windows(folder: Path) -> Brought:
    return _written("windows", "plain.keras", folder, 20)


def saved_model(folder: Path) -> Brought:
    brought = _written("plain", "saved", folder, 20)
    return Brought(brought.model, brought.data, {"trust": True})
