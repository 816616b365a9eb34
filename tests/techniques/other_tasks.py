"""Small models and data of the tasks besides classification; TensorFlow is imported on use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes, load_digits

from tests.techniques.structure.changing import parent_of
from workbench.api.dataset import SPLITS, Dataset, DatasetInfo
from workbench.api.task import Task
from workbench.api.text import say
from workbench.api.variant import Variant

TASKS: tuple[Task, ...] = ("regression", "multi-label", "per position", "agreement")
KINDS = (*TASKS, "binary positions", "steps")
"""What is built here: of a class for each position three kinds."""
WEIGHTED = ("regression", "steps")
"""Those whose samples count differently."""


def task_of(kind: str) -> Task:
    """The task of a kind."""
    return "per position" if kind in ("binary positions", "steps") else kind  # type: ignore[return-value]


def _samples(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels as a prepared data set has them."""
    pixels, digit = load_digits(return_X_y=True)
    pictures = (pixels / 16).reshape(-1, 8, 8, 1)[:300]
    ink = pictures[..., 0]
    if kind == "regression":
        x, y = load_diabetes(return_X_y=True)
        return 20 * x, np.stack([y, y[::-1]], axis=1).astype(np.float32)
    if kind == "multi-label":
        return pixels[:300] / 16, np.stack([digit % 2, digit > 4], axis=1)[:300].astype(np.uint8)
    if kind == "per position":  # nothing, some ink, much ink; the last row does not count
        labels = np.digitize(ink, [0.1, 0.6]).astype(np.int64)
        labels[:, -1] = -1
        return pictures, labels
    if kind == "binary positions":
        labels = (ink > 0.4).astype(np.int64)
        labels[:, 0] = -1
        return pictures, labels
    if kind == "steps":  # how dark a row of the picture is so far
        return ink, np.digitize(np.cumsum(ink.mean(-1), axis=1), [1.0, 2.0]).astype(np.int64)
    return pixels[:300] / 16, np.zeros((300, 0), np.float32)


def dataset_of(kind: str, folder: Path) -> Dataset:
    """A prepared data set of a kind, written by hand."""
    x, y = _samples(kind)
    x, task = x.astype(np.float32), task_of(kind)
    order = np.random.default_rng(0).permutation(len(x))
    x, y, folder = x[order], y[order], folder / kind
    folder.mkdir(parents=True)
    ends = int(0.7 * len(x)), int(0.85 * len(x))
    counts, class_counts = {}, {}
    classes = {"per position": int(y.max(initial=0)) + 1, "multi-label": y.shape[-1]}.get(task, 0)
    for split, part in zip(SPLITS, (slice(ends[0]), slice(*ends), slice(ends[1], None)), strict=True):
        np.save(folder / f"x_{split}.npy", x[part])
        np.save(folder / f"y_{split}.npy", y[part])
        np.save(folder / f"w_{split}.npy", np.linspace(0.1, 2, len(y[part])).astype(np.float32))
        counts[split] = len(x[part])
        class_counts[split] = (1,) * classes
    info = DatasetInfo(
        name=kind.replace(" ", "-"),
        input_shapes={"": x.shape[1:]},
        classes=tuple(f"class {number}" for number in range(classes)),
        counts=counts,
        class_counts=class_counts,
        scaling=say("none"),
        minimum=float(x.min()),
        maximum=float(x.max()),
        is_image=x.ndim == 4,
        seed=0,
        sha256="1" * 64,
        task=task,
        targets=("progress", "other") if task == "regression" else (),
        ignored_label=255 if task == "per position" else None,
        weighted=SPLITS if kind in WEIGHTED else (),
    )
    (folder / "dataset.json").write_text(json.dumps(info.model_dump(mode="json")))
    return Dataset(folder)


def model_of(kind: str):
    """An untrained model of a kind, with a residual block and a normalization where it is dense."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(4)
    if kind in ("per position", "binary positions"):
        inputs = keras.Input((8, 8, 1), name="picture")
        x = layers.Conv2D(8, 3, padding="same", activation="relu", name="look")(inputs)
        x = layers.Conv2D(8, 3, padding="same", activation="relu", name="again")(x)
        units, activation = (1, "sigmoid") if kind == "binary positions" else (3, "softmax")
        outputs = layers.Conv2D(units, 1, activation=activation, name="classes")(x)
        return keras.Model(inputs, outputs, name="positions")
    if kind == "steps":
        inputs = keras.Input((8, 8), name="rows")
        x = layers.LSTM(8, return_sequences=True, name="memory")(inputs)
        return keras.Model(inputs, layers.Dense(3, name="classes")(x), name="steps")
    inputs = keras.Input((10 if kind == "regression" else 64,), name="features")
    x = short = layers.Dense(16, activation="relu", name="wide")(inputs)
    x = layers.Dense(16, activation="relu", name="block")(x)
    x = layers.Add(name="add")([short, x])
    x = layers.Dense(12, use_bias=False, name="narrow")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    outputs = layers.Dense(2, activation="sigmoid" if kind == "multi-label" else None, name="answers")(x)
    return keras.Model(inputs, outputs, name=kind.replace("-", "_"))


def variant_of(kind: str, dataset: Dataset, folder: Path, epochs: int = 12) -> Variant:
    """A model of a kind that has learned a little, saved, as a variant."""
    import keras

    from workbench.training.losses import Objective

    model = model_of(kind)
    task, from_logits = task_of(kind), kind == "steps"
    if task != "agreement":
        objective = Objective(task, int(model.output_shape[-1]), from_logits)
        keras.utils.set_random_seed(4)
        model.compile(keras.optimizers.Adam(3e-3), objective.loss())
        model.fit(np.array(dataset.x("train")), np.array(dataset.y("train")), epochs=epochs, verbose=0)
    parent = parent_of(model, folder / kind)
    description = parent.description.model_copy(
        update={"task": task, "from_logits": from_logits, "weighted": dataset.info.weighted}
    )
    return parent.model_copy(update={"description": description})
