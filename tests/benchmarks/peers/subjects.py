"""The networks and the data that both sides start from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.benchmarks import fashion
from tests.benchmarks.peers import networks
from workbench.api.dataset import Dataset
from workbench.exporting.litert_files import CalibratedParameters, calibration_index
from workbench.models.converting.conversion import import_keras, load_keras
from workbench.models.demo import architectures

_CHECKED = 32


@dataclass(frozen=True)
class Subject:
    """A trained network.

    Attributes:
        name: What the table calls it.
        path: Its ``.keras`` file.
        file: The Python file that has its build function.
        function: The build function, which any Keras can run.
        from_logits: Whether its outputs are raw scores.
    """

    name: str
    path: Path
    file: str
    function: str
    from_logits: bool


def subjects(dataset: Dataset, folder: Path) -> dict[str, Subject]:
    """The network of the toolkit's own tutorial, and a residual one with a depthwise convolution."""
    tutorial = folder / "tutorial.keras"
    _train_tutorial(dataset, tutorial)
    return {
        subject.name: subject
        for subject in (
            Subject("tutorial CNN", tutorial, str(networks.__file__), "tutorial_cnn", True),
            Subject(
                "residual CNN", fashion.MODEL.resolve(), str(architectures.__file__), "residual_cnn", False
            ),
        )
    }


def _train_tutorial(dataset: Dataset, target: Path) -> None:
    keras = import_keras()
    keras.utils.set_random_seed(0)
    model = networks.tutorial_cnn((28, 28, 1), 10)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(np.asarray(dataset.x("train")), np.asarray(dataset.y("train")), epochs=4, verbose=0)
    plain = networks.tutorial_cnn((28, 28, 1), 10)
    plain.set_weights(model.get_weights())
    plain.save(target)


def shortened(dataset: Dataset, count: int, file: Path) -> Path:
    """The same data with only so many samples to train on; the other splits stay whole."""
    arrays = {
        f"{kind}_{split}": np.asarray(getattr(dataset, kind)(split))
        for kind in ("x", "y")
        for split in ("train", "validation", "test")
    }
    chosen = np.random.default_rng(0).choice(len(arrays["y_train"]), count, replace=False)
    arrays |= {name: arrays[name][chosen] for name in ("x_train", "y_train")}
    np.savez(file, allow_pickle=False, **arrays)
    return file


def for_peer(dataset: Dataset, subject: Subject) -> dict[str, npt.NDArray[Any]]:
    """What a peer gets: training samples, the calibration samples that ours uses, and the weights."""
    model = load_keras(subject.path)
    defaults = CalibratedParameters()
    features = dataset.x(defaults.split)
    assert not isinstance(features, dict)
    train = dataset.x("train")
    assert not isinstance(train, dict)
    check = np.asarray(train[:_CHECKED])
    weights = {
        f"weights/{layer.name}/{number}": np.asarray(value)
        for layer in model.layers
        for number, value in enumerate(layer.get_weights())
    }
    return {
        "x_train": np.asarray(train),
        "y_train": np.asarray(dataset.y("train")),
        "x_calibration": np.asarray(features[calibration_index(defaults, len(features))]),
        "x_check": check,
        "y_check": model.predict(check, verbose=0),
        **weights,
    }


def write_job(folder: Path, subject: Subject, settings: dict[str, object]) -> None:
    """Writes what the toolkit's script is asked for."""
    job = {
        "file": subject.file,
        "function": subject.function,
        "from_logits": subject.from_logits,
        **settings,
    }
    (folder / "job.json").write_text(json.dumps(job), "utf-8")
