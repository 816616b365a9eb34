"""Models that take text: words are looked up inside."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from tests.kinds.brought import CLASSES, Brought, patterns, taught

THEMES = (
    ("goal", "team", "match", "league", "coach"),
    ("soup", "salt", "oven", "butter", "spoon"),
    ("cloud", "rain", "storm", "wind", "sun"),
)
FILLING = ("the", "a", "of", "is", "and", "today", "very", "some")


def texts(count: int = 240) -> tuple[list[str], list[int]]:
    """Sentences about three themes."""
    rng = np.random.default_rng(3)
    labels = [int(label) for label in rng.integers(0, CLASSES, count)]
    lines = [
        " ".join(rng.choice(THEMES[label] if rng.random() < 0.4 else FILLING) for _ in range(8))
        for label in labels
    ]
    return lines, labels


def _classifier() -> Any:
    import keras
    import tensorflow as tf

    lines, labels = texts()
    vectorization = keras.layers.TextVectorization(output_sequence_length=8)
    vectorization.adapt(lines)
    model = keras.Sequential(
        [
            keras.Input((), dtype="string", name="text"),
            vectorization,
            keras.layers.Embedding(vectorization.vocabulary_size(), 16),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    return taught(model, tf.constant(lines), np.asarray(labels), epochs=6)


def vectorization(folder: Path) -> Brought:
    return Brought(_classifier(), texts())


def vectorization_csv(folder: Path) -> Brought:
    _classifier().save(folder / "texts.keras")
    with (folder / "texts.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(zip(*texts(), strict=True))
    return Brought(folder / "texts.keras", folder / "texts.csv")


def lookup(folder: Path) -> Brought:
    import keras
    import tensorflow as tf

    x, y = patterns(6)
    towns = np.asarray(["Bern", "Basel", "Chur"])[(y + (np.arange(len(y)) % 5 == 0)) % CLASSES]
    town = keras.Input((1,), dtype="string", name="town")
    numbers = keras.Input((6,), name="numbers")
    found = keras.layers.StringLookup(vocabulary=["Basel", "Bern", "Chur"])(town)
    embedded = keras.layers.Flatten()(keras.layers.Embedding(4, 8)(found))
    hidden = keras.layers.Dense(32, activation="relu")(keras.layers.Concatenate()([embedded, numbers]))
    model = keras.Model(
        {"town": town, "numbers": numbers}, keras.layers.Dense(CLASSES, activation="softmax")(hidden)
    )
    taught(model, {"town": tf.constant(towns[:, None]), "numbers": x}, y)
    return Brought(model, ({"town": towns[:, None], "numbers": x}, y))
