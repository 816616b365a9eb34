import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.local_reporter import LocalReporter
from workbench import runtimes
from workbench.api.dataset import DatasetInfo
from workbench.api.text import say
from workbench.measure.block_plan import SHORT_VARIABLE
from workbench.measure.latency import Candidate

FEATURES, CLASSES = 6, 3


def write_dataset(folder: Path, x: np.ndarray, y: np.ndarray, classes: int) -> Path:
    """A data set whose three splits are all ``x`` and ``y``."""
    folder.mkdir(parents=True)
    for split in ("train", "validation", "test"):
        np.save(folder / f"x_{split}.npy", x.astype(np.float32))
        np.save(folder / f"y_{split}.npy", y.astype(np.int64))
    counts = tuple(int(n) for n in np.bincount(y, minlength=classes))
    info = DatasetInfo(
        name="blobs",
        input_shapes={"": x.shape[1:]},
        classes=tuple(f"class {i}" for i in range(classes)),
        counts={split: len(y) for split in ("train", "validation", "test")},
        class_counts=dict.fromkeys(("train", "validation", "test"), counts),
        scaling=say("none"),
        minimum=float(x.min()),
        maximum=float(x.max()),
        is_image=False,
        seed=0,
        sha256="blobs",
    )
    (folder / "dataset.json").write_text(json.dumps(info.model_dump(mode="json")))
    return folder


@pytest.fixture(scope="session")
def blobs():
    """Features, labels and the weights of a linear classifier that is good, not perfect."""
    rng = np.random.default_rng(7)
    centers = rng.normal(size=(CLASSES, FEATURES))
    labels = rng.integers(0, CLASSES, 300)
    features = (centers[labels] + rng.normal(size=(300, FEATURES))).astype(np.float32)
    weights = centers.T
    bias = -0.5 * (centers**2).sum(axis=1)
    return features, labels, weights, bias


@pytest.fixture
def dataset_folder(tmp_path, blobs):
    return write_dataset(tmp_path / "dataset", blobs[0], blobs[1], CLASSES)


@pytest.fixture
def tiny(monkeypatch, tmp_path, blobs):
    """Registers the small runtime, and makes candidates of it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "plugins"))
    monkeypatch.delitem(sys.modules, "tiny_runtime", raising=False)
    import tiny_runtime

    monkeypatch.setitem(runtimes._registry.registered, "tiny", tiny_runtime.TinyRuntime())

    def candidate(name, *, sleep_s=0.0, fault="", weights=None, bias=None):
        path = tmp_path / f"{name}.npz"
        np.savez(
            path,
            weights=blobs[2] if weights is None else weights,
            bias=blobs[3] if bias is None else bias,
            sleep_s=sleep_s,
            fault=fault,
        )
        return Candidate(variant=name, path=path, runtime="tiny")

    return candidate


@pytest.fixture
def report():
    return LocalReporter()


@pytest.fixture(autouse=True)
def timings_of_full_length(monkeypatch):
    monkeypatch.delenv(SHORT_VARIABLE, raising=False)


@pytest.fixture(autouse=True)
def slot_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_SLOT_FOLDER", str(tmp_path))
