"""Handwritten digits as a prepared data set, and a reporter that remembers: fixtures for what trains."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from workbench.api.dataset import SPLITS, Dataset, DatasetInfo
from workbench.api.errors import Cancelled
from workbench.api.text import Text, say


@dataclass
class Recorder:
    """A reporter that keeps what it is told, and cancels at the nth look."""

    cancel_at: int | None = None
    stages: list[str] = field(default_factory=list)
    fractions: list[float] = field(default_factory=list)
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    checks: int = 0

    def stage(self, text: Text) -> None:
        self.stages.append(str(text))

    def progress(self, fraction: float) -> None:
        self.fractions.append(fraction)

    def metric(self, name: str, step: float, value: float, interval: object = None) -> None:
        self.curves.setdefault(name, []).append((step, value))

    def log(self, text: Text) -> None:
        self.lines.append(str(text))

    def check(self) -> None:
        self.checks += 1
        if self.cancel_at is not None and self.checks >= self.cancel_at:
            raise Cancelled


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def write_dataset(folder: Path, x: np.ndarray, y: np.ndarray, classes: int) -> Dataset:
    """Splits 70 / 10 / 20 and writes what the workbench reads."""
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order].astype(np.float32), y[order].astype(np.int64)
    ends = int(len(x) * 0.7), int(len(x) * 0.8)
    folder.mkdir()
    for name, part in zip(SPLITS, (slice(ends[0]), slice(*ends), slice(ends[1], None)), strict=True):
        np.save(folder / f"x_{name}.npy", x[part])
        np.save(folder / f"y_{name}.npy", y[part])
    labels = {name: np.load(folder / f"y_{name}.npy") for name in SPLITS}
    info = DatasetInfo(
        name="digits",
        input_shapes={"": x.shape[1:]},
        classes=tuple(str(label) for label in range(classes)),
        counts={name: len(labels[name]) for name in SPLITS},
        class_counts={name: tuple(np.bincount(labels[name], minlength=classes).tolist()) for name in SPLITS},
        scaling=say("pixels / 16"),
        minimum=float(x.min()),
        maximum=float(x.max()),
        is_image=x.ndim == 4,
        seed=0,
        sha256="0" * 64,
    )
    (folder / "dataset.json").write_text(info.model_dump_json())
    return Dataset(folder)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    x, y = load_digits(return_X_y=True)
    return write_dataset(tmp_path_factory.mktemp("digits") / "data", x / 16, y, 10)


@pytest.fixture(scope="session")
def odd_digits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    x, y = load_digits(return_X_y=True)
    return write_dataset(tmp_path_factory.mktemp("odd") / "data", x / 16, y % 2, 2)
