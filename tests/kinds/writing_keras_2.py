"""Runs in a process of its own, since it imports tf_keras."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tf_keras
from tf_keras import layers


def recurrent() -> Any:
    return tf_keras.Sequential(
        [
            tf_keras.Input((8, 6)),
            layers.LSTM(16, return_sequences=True),
            layers.Bidirectional(layers.GRU(8, return_sequences=True)),
            layers.LSTM(12),
            layers.Dense(16, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def convolutional_lstm() -> Any:
    return tf_keras.Sequential(
        [
            tf_keras.Input((4, 8, 8, 1)),
            layers.ConvLSTM2D(8, 3, padding="same"),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def clicked() -> Any:
    given = tf_keras.Input((16, 16, 3))
    x = layers.Conv2D(16, 3, strides=2, use_bias=False)(given)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    trunk = tf_keras.Model(given, layers.ReLU(6.0)(layers.BatchNormalization()(x)), name="model1")
    head = tf_keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(3, activation="softmax")])
    model = tf_keras.Sequential([tf_keras.Sequential([trunk, layers.GlobalAveragePooling2D()]), head])
    model.build((None, 16, 16, 3))
    return model


def plain() -> Any:
    return tf_keras.Sequential(
        [
            tf_keras.Input((20,)),
            layers.Dense(48, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(32, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def _as_on_windows(file: Path) -> None:
    """Variables under the names and separators that Keras 2.13 wrote there."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    store = io.BytesIO()
    with h5py.File(io.BytesIO(members["model.weights.h5"])) as before, h5py.File(store, "w") as after:

        def move(path: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                place, _, number = path.replace("layers", "_layer_checkpoint_dependencies").rpartition(
                    "/vars/"
                )
                place = place.replace("/", "\\")
                after[f"{place}/vars/{number}"] = item[()]

        before.visititems(move)
    members["model.weights.h5"] = store.getvalue()
    members["metadata.json"] = json.dumps({"keras_version": "2.13.1"}).encode()
    members["config.json"] = members["config.json"].replace(b"tf_keras.src", b"keras.src")
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def write(name: str, file: str, folder: str) -> None:
    tf_keras.utils.set_random_seed(0)
    kind = "plain" if name == "windows" else name
    model = globals()[kind]()
    data = np.load(Path(folder) / "data.npz")
    model.compile(tf_keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(data["x"], data["y"], epochs=3, verbose=0)
    model.save(Path(folder) / file)
    if name == "windows":
        _as_on_windows(Path(folder) / file)
