"""A small model with two outputs, a class and a number, and its data; TensorFlow is imported on use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tests.techniques.structure.changing import parent_of
from workbench.api.dataset import SPLITS, Dataset, DatasetInfo, FurtherTarget
from workbench.api.text import say
from workbench.api.variant import FurtherOutput, Variant

COUNT = 400


def points() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, the sector that each is in, and how far out it is, in a unit of its own."""
    x = np.random.default_rng(0).normal(size=(COUNT, 6)).astype(np.float32)
    size = 3000 + 800 * np.abs(x[:, :2]).sum(axis=1, keepdims=True)
    return x, x[:, 3:6].argmax(1).astype(np.int64), size.astype(np.float32)


def dataset_of(folder: Path) -> Dataset:
    """The points as a prepared data set, written by hand; the further labels have weights of their own."""
    x, kind, size = points()
    folder.mkdir(parents=True)
    parts = (slice(280), slice(280, 340), slice(340, None))
    counts = {}
    for split, part in zip(SPLITS, parts, strict=True):
        np.save(folder / f"x_{split}.npy", x[part])
        np.save(folder / f"y_{split}.npy", kind[part])
        np.save(folder / f"y_{split}.size.npy", size[part])
        np.save(folder / f"w_{split}.size.npy", np.linspace(0.1, 2, len(x[part])).astype(np.float32))
        counts[split] = len(x[part])
    info = DatasetInfo(
        name="points",
        input_shapes={"": (6,)},
        classes=("a", "b", "c"),
        counts=counts,
        class_counts=dict.fromkeys(SPLITS, (1, 1, 1)),
        scaling=say("none"),
        minimum=float(x.min()),
        maximum=float(x.max()),
        is_image=False,
        seed=0,
        sha256="2" * 64,
        target="kind",
        further=(
            FurtherTarget(output="size", key="size", task="regression", targets=("size",), weighted=SPLITS),
        ),
    )
    (folder / "dataset.json").write_text(json.dumps(info.model_dump(mode="json")))
    return Dataset(folder)


def model_of():
    """Untrained; the number stands before the class, and a residual block and a normalization are inside."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(4)
    inputs = keras.Input((6,), name="point")
    x = short = layers.Dense(16, activation="relu", name="wide")(inputs)
    x = layers.Dense(16, activation="relu", name="block")(x)
    x = layers.Add(name="add")([short, x])
    x = layers.Dense(12, use_bias=False, name="narrow")(x)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))
    size = layers.Dense(1, name="size")(x)
    kind = layers.Dense(3, activation="softmax", name="kind")(x)
    return keras.Model(inputs, [size, kind], name="two")


def variant_of(dataset: Dataset, folder: Path) -> Variant:
    """The model after it has learned a little, saved, as a variant whose outputs are both judged."""
    import keras

    from workbench.plain.keras.output_start import start_at_targets

    model = model_of()
    x, kind, size = (
        np.array(one) for one in (dataset.x("train"), dataset.y("train"), dataset.of("size").y("train"))
    )
    start_at_targets(model, size)
    model.compile(
        keras.optimizers.Adam(3e-3),
        ["mean_squared_error", "sparse_categorical_crossentropy"],
        loss_weights=[1 / size.var(), 1.0],
    )
    model.fit(x, [size, kind], epochs=8, verbose=0)
    parent = parent_of(model, folder)
    further = FurtherOutput(name="size", key="size", position=0, task="regression", weighted=SPLITS)
    description = parent.description.model_copy(
        update={"output": 1, "from_logits": False, "further": (further,)}
    )
    return parent.model_copy(update={"description": description})
