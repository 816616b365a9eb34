"""Models of Keras 2 with what Keras 3 dropped, renamed or computes otherwise; runs in a process of its own.

Each is saved by tf_keras and read as the workbench's own process for Keras 2 reads it: into ``FOLDER/name``.
"""

import inspect
import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tests.models.zoo_names import ARCHIVES
from workbench.models.intake import legacy
from workbench.models.intake.legacy_graph import described

HARD = "hard_sigmoid"
"""Keras 2 cuts x / 5 + 1/2, Keras 3 x / 6 + 1/2."""


def chain(shape, *parts):
    return tf_keras.Sequential([tf_keras.Input(shape), *parts])


def recurrent():
    return chain(
        (6, 5),
        layers.LSTM(4, return_sequences=True, recurrent_activation=HARD, implementation=1),
        layers.GRU(4, return_sequences=True, recurrent_activation=HARD, reset_after=False),
        layers.GRU(4, return_sequences=True, unroll=True, use_bias=False),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True, recurrent_activation=HARD)),
        layers.Bidirectional(layers.RNN(layers.GRUCell(3), return_sequences=True), merge_mode="sum"),
        layers.RNN([layers.LSTMCell(4), layers.GRUCell(3, recurrent_activation=HARD)], return_sequences=True),
        layers.TimeDistributed(layers.Dense(4, activation=HARD)),
        layers.TimeDistributed(layers.Activation(HARD)),
        layers.SimpleRNN(3, activation=HARD),
    )


def convolutional_lstm():
    inner = tf_keras.Sequential([tf_keras.Input((6, 6, 4)), layers.Conv2D(3, 3), layers.BatchNormalization()])
    return chain(
        (4, 8, 8, 2),
        layers.ConvLSTM2D(2, 3, return_sequences=True),  # its default is the hard sigmoid
        layers.Bidirectional(layers.ConvLSTM2D(2, 1, return_sequences=True)),
        layers.TimeDistributed(inner),
        layers.TimeDistributed(layers.Flatten()),
        layers.Reshape((4, 16, 3)),
        layers.ConvLSTM1D(2, 3),
    )


def volumes():
    return chain((3, 5, 5, 5, 2), layers.ConvLSTM3D(2, 3, return_sequences=True), layers.Flatten())


def pictures():
    return chain(
        (12, 12, 3),
        layers.RandomFlip("horizontal"),
        layers.RandomZoom(0.1),
        layers.RandomHeight(0.2),
        layers.RandomCrop(10, 10),
        layers.Conv2D(4, 3, activation=HARD, kernel_constraint=tf_keras.constraints.RadialConstraint()),
        layers.DepthwiseConv2D(3, activation=HARD),
        layers.SeparableConv2D(4, 3, activation=HARD, padding="same"),
        layers.BatchNormalization(axis=[-1]),
        layers.LeakyReLU(0.1),
        layers.PReLU(shared_axes=[1, 2], alpha_initializer="random_uniform"),
        layers.ThresholdedReLU(0.4),
        layers.Conv2DTranspose(3, 3, strides=2, output_padding=1),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.SpatialDropout2D(0.2),
        layers.Resizing(7, 9, crop_to_aspect_ratio=True),
        layers.Activation(HARD),
        layers.GlobalAveragePooling2D(),
        layers.Dense(4, activation=layers.LeakyReLU(0.2)),
        layers.Dense(2, activation="softmax"),
    )


def words():
    discretization = layers.Discretization(num_bins=4)
    discretization.adapt(np.random.rand(200, 1))
    lookup = layers.IntegerLookup()
    lookup.adapt(np.array([[1], [0], [1]]))
    normalization = layers.Normalization()
    normalization.adapt(np.random.rand(50, 3) * 9)
    number = tf_keras.Input((1,), name="number")
    identifier = tf_keras.Input((1,), dtype="int64", name="identifier")
    values = tf_keras.Input((3,), name="values")
    ids = tf_keras.Input((7,), name="ids")
    sequence = layers.Embedding(9, 4, input_length=7, mask_zero=True)(ids)
    parts = [
        layers.CategoryEncoding(4, output_mode="one_hot")(discretization(number)),
        layers.Flatten()(layers.Embedding(5, 2)(lookup(identifier))),
        layers.Flatten()(layers.Embedding(6, 2)(layers.Hashing(6)(identifier))),
        normalization(values),
        layers.Bidirectional(layers.LSTM(3))(sequence),
    ]
    return tf_keras.Model([number, identifier, values, ids], layers.Concatenate()(parts))


def operations():
    x = given = tf_keras.Input((6, 5))
    x = (1 - x) * np.arange(1, 6, dtype="float32") / 3 + x**2
    x = tf.concat([x, tf.nn.relu(x - 0.5), tf.abs(-x)], axis=-1)[:, 1:5, ::2]
    x = tf.transpose(tf.reshape(x, [-1, 4, 8]), perm=[0, 2, 1])
    x = tf.matmul(x, x, transpose_b=True) + tf.reduce_mean(x, axis=-1, keepdims=True)
    x = tf.stack(tf.split(x, [2, 6], axis=1)[1:], axis=1)
    x = tf.squeeze(x, 1)[:, :, tf.newaxis]
    x = tf.clip_by_value(tf.math.l2_normalize(x, axis=-1), 0.1, 0.4)
    return tf_keras.Model(given, tf.nn.softmax(tf.cast(x, "float32"), axis=1))


def attention():
    x = given = tf_keras.Input((6, 8))
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(query=x, value=x))
    x = layers.Attention(use_scale=True)([layers.Dense(8)(x), x])
    return tf_keras.Model(given, layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")(x))


def translation():
    """An encoder whose states start a decoder: Keras 2 wrote them down as further inputs."""
    source, target = tf_keras.Input((6, 5)), tf_keras.Input((4, 5))
    _, *states = layers.LSTM(4, return_state=True)(source)
    x = layers.LSTM(4, return_sequences=True)(target, initial_state=states)
    return tf_keras.Model([source, target], layers.Dense(3, activation="softmax")(x))


def transfer():
    given = tf_keras.Input((16, 16, 3))
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3)(layers.Conv2D(4, 3)(given)))
    base = tf_keras.Model(given, x, name="base/trunk")
    base.trainable = False
    given = tf_keras.Input((16, 16, 3))
    x = tf_keras.applications.mobilenet.preprocess_input(given)
    x = tf.nn.bias_add(x, [0.1, 0.2, 0.3])
    x = layers.GlobalAveragePooling2D()(base(x, training=False))
    return tf_keras.Model(given, layers.Dense(2)(x))


def shared():
    """Towers called twice, one of them a Sequential that was not built before."""
    left, right = tf_keras.Input((5,)), tf_keras.Input((5,))
    given = tf_keras.Input((5,))
    tower = tf_keras.Model(given, layers.Dense(3)(given), name="tower")
    head = tf_keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)], name="head")
    parts = [head(tower(left)), head(tower(right)), layers.Dot(1, normalize=True)([left, right])]
    return tf_keras.Model({"left": left, "right": right}, {"b": parts[0], "a": layers.Concatenate()(parts)})


def defaults():
    """Every built-in layer, made with as few arguments as it takes, as plain data."""
    made = {
        "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(3)),
        "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(3)),
        "SpectralNormalization": lambda: layers.SpectralNormalization(layers.Dense(3)),
        "RNN": lambda: layers.RNN(layers.LSTMCell(3)),
        "StackedRNNCells": lambda: layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(3)]),
        "Activation": lambda: layers.Activation("relu"),
        "EinsumDense": lambda: layers.EinsumDense("ab,bc->ac", 3),
        "StringLookup": lambda: layers.StringLookup(vocabulary=["a", "b"]),
        "IntegerLookup": lambda: layers.IntegerLookup(vocabulary=[1, 2]),
        "TextVectorization": lambda: layers.TextVectorization(vocabulary=["a", "b"]),
        "Discretization": lambda: layers.Discretization([0.0, 1.0]),
        "Permute": lambda: layers.Permute((2, 1)),
        "Reshape": lambda: layers.Reshape((2, 2)),
        **{name: lambda part=name: getattr(layers, part)(0.3) for name in ("Dropout", "AlphaDropout")},
        **{
            name: lambda part=name: getattr(layers, part)(0.3)
            for name in dir(layers)
            if "Gaussian" in name or name in {"RandomRotation", "RandomZoom", "RandomContrast"}
        },
    }
    # DenseFeatures holds code, InputLayer is a tensor here
    left = {"Layer", "Wrapper", "AbstractRNNCell", "Lambda", "DenseFeatures", "InputLayer", "InputSpec"}
    for name in sorted(set(dir(layers)) - left):
        kind = getattr(layers, name)
        if not inspect.isclass(kind):
            continue
        for make in (made.get(name), kind, *(partial(kind, *some) for some in ((2,), (2, 2), (0.3,)))):
            try:
                yield described(make())[0]
                break
            except (TypeError, ValueError):
                continue


MODELS = (
    *(recurrent, convolutional_lstm, volumes, pictures, words),
    *(operations, attention, translation, transfer, shared),
)


def main(folder):
    (folder / "defaults.json").write_text(json.dumps(list(defaults())))
    for make in MODELS:
        name = make.__name__
        tf_keras.backend.clear_session()
        tf_keras.utils.set_random_seed(0)
        model = make()
        for weight in model.weights:
            # the table of a lookup is none
            if isinstance(weight, tf.Variable) and (weight.trainable or "moving" in weight.name):
                weight.assign_add(0.3 * tf.random.uniform(weight.shape, dtype=weight.dtype))
        file = folder / (f"{name}.keras" if name in ARCHIVES else f"{name}.h5")
        model.save(file)
        (folder / name).mkdir()
        legacy._read(file, folder / name, trust=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
