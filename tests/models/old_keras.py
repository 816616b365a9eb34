"""Writes files as Keras 2 wrote them; runs in a process of its own, since it imports tf_keras."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import tf_keras
from tf_keras import layers


def mobile():
    """In the manner of MobileNet: DepthwiseConv2D carries ``groups``, which Keras 3 does not take."""
    given = tf_keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(given)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.Conv2D(16, 1)(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.1)(x)
    return tf_keras.Model(given, layers.Dense(5, activation="softmax")(x), name="mobile")


def two_inputs():
    left, right = tf_keras.Input((4,), name="left"), tf_keras.Input((3,), name="right")
    inner = tf_keras.Sequential([layers.Dense(6, activation="tanh", input_shape=(4,))], name="inner")
    x = layers.Concatenate()([inner(left), right])
    return tf_keras.Model([left, right], layers.Dense(2)(x), name="both")


def transfer(base):
    """A head on a base, as in every tutorial on transfer learning."""
    base = tf_keras.Model(base.inputs, base.layers[-3].output, name="base")
    return tf_keras.Sequential([base, layers.Dense(4, activation="softmax")])


def main(folder):
    tf_keras.utils.set_random_seed(0)
    model = mobile()
    model.compile("adam", "sparse_categorical_crossentropy")
    # statistics of BatchNormalization away from their start values
    model.fit(np.random.rand(32, 16, 16, 3), np.zeros(32), epochs=2, verbose=0)
    model.save(folder / "mobile.h5")
    model.save(folder / "saved")
    two_inputs().save(folder / "both.keras")
    transfer(model).save(folder / "transfer.h5")
    sequential = tf_keras.Sequential(
        [layers.Dense(8, activation="relu", input_shape=(4,)), layers.Dense(3, activation="softmax")]
    )
    sequential.save(folder / "sequential.h5")
    sequential.save(folder / "list.h5")
    with h5py.File(folder / "list.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        # Keras 2.1 and 2.2 wrote the layers alone, without the model's name
        config["config"] = config["config"]["layers"][1:]
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = b"2.1.6"
    hidden = tf_keras.Sequential([layers.Lambda(lambda x: x * 2, input_shape=(4,), name="sneaky")])
    hidden.save(folder / "lambda.h5")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
