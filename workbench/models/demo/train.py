"""Trains the demo models from scratch: ``python -m workbench.models.demo.train [NAME ...]``.

Each model sees the training split alone; validation decides when to stop; the test split is scored once,
at the end, to print what the shipped file reaches.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data import Dataset
from workbench.data.prepare import prepare
from workbench.models.demo.architectures import dense, residual_cnn
from workbench.models.demo.demo import DEMO_MODELS, FOLDER


@dataclass(frozen=True)
class Training:
    """How one demo model is made.

    Attributes:
        build: Makes the untrained model from the shape of a sample and the number of classes.
        learning_rate: Adam's, at the start; it falls to 1 % along a cosine.
        epochs: The most epochs.
        patience: Epochs without a better validation loss before training stops.
        batch: Samples in a step.
    """

    build: Callable[[tuple[int, ...], int], Any]
    learning_rate: float = 1e-3
    epochs: int = 40
    patience: int = 8
    batch: int = 32


def _small_dense(units: tuple[int, ...], name: str) -> Callable[[tuple[int, ...], int], Any]:
    return lambda shape, classes: dense(shape, classes, units=units, name=name)


def _residual(shape: tuple[int, ...], classes: int) -> Any:
    height, width, channels = shape
    return residual_cnn((height, width, channels), classes, name="cnn_mnist_5k")


TRAININGS: dict[str, Training] = {
    "dense-mnist-5k": Training(_small_dense((128, 64), "dense_mnist_5k")),
    "cnn-mnist-5k": Training(_residual, learning_rate=2e-3, epochs=24),
    "dense-digits": Training(_small_dense((64, 32), "dense_digits"), epochs=80),
    "dense-breast-cancer": Training(_small_dense((32, 16), "dense_breast_cancer"), epochs=80),
}
"""How each of the demo models was trained."""


def train(name: str, dataset: Dataset, seed: int = 0) -> Any:
    """Trains one demo model.

    Args:
        name: A key of :data:`TRAININGS`.
        dataset: Its data set, as prepared.
        seed: Seeds weights, order of samples and dropout.

    Returns:
        The trained ``keras.Model``, uncompiled, with the weights of its best epoch.
    """
    import keras

    training = TRAININGS[name]
    keras.utils.set_random_seed(seed)
    shape = next(iter(dataset.info.input_shapes.values()))
    model = training.build(shape, len(dataset.info.classes))
    steps = -(-dataset.info.counts["train"] // training.batch) * training.epochs
    schedule = keras.optimizers.schedules.CosineDecay(training.learning_rate, steps, alpha=0.01)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        np.asarray(dataset.x("train")),
        np.asarray(dataset.y("train")),
        validation_data=(np.asarray(dataset.x("validation")), np.asarray(dataset.y("validation"))),
        batch_size=training.batch,
        epochs=training.epochs,
        callbacks=[
            keras.callbacks.EarlyStopping("val_loss", patience=training.patience, restore_best_weights=True)
        ],
        verbose=2,
    )
    # A model that was never compiled is saved without optimizer state, which would triple the file.
    plain = training.build(shape, len(dataset.info.classes))
    plain.set_weights(model.get_weights())
    return plain


def main(names: list[str]) -> None:
    """Trains, saves and scores the named demo models, or all of them."""
    from sklearn.metrics import accuracy_score, f1_score

    FOLDER.mkdir(exist_ok=True)
    for name in names or list(TRAININGS):
        with tempfile.TemporaryDirectory() as folder:
            dataset = prepare(DEMO_MODELS[name].dataset, Path(folder) / "data", seed=0)
            model = train(name, dataset)
            path = DEMO_MODELS[name].path
            model.save(path)
            predicted = model.predict(np.asarray(dataset.x("test")), verbose=0).argmax(axis=-1)
            labels = np.asarray(dataset.y("test"))
        accuracy = accuracy_score(labels, predicted)
        f1 = f1_score(labels, predicted, average="macro")
        print(  # noqa: T201  the script's result
            f"{name}: {model.count_params():,} parameters, {path.stat().st_size:,} bytes, "
            f"test accuracy {accuracy:.4f}, macro F1 {f1:.4f} ({len(labels)} samples)"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
