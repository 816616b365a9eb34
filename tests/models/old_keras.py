"""Writes files as Keras 2 wrote them; runs in a process of its own, since it imports tf_keras."""

import io
import json
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.core.protobuf import saved_model_pb2
from tf_keras import layers
from tf_keras.protobuf import saved_metadata_pb2


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


def twice(x):
    return x * 2


def clicked():
    """As click-together trainers export it: Sequentials around a functional trunk."""
    given = tf_keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, strides=2, use_bias=False)(given)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    trunk = tf_keras.Model(given, layers.ReLU(6.0)(layers.BatchNormalization()(x)), name="model1")
    head = tf_keras.Sequential([layers.Dense(6, activation="relu"), layers.Dense(2, activation="softmax")])
    model = tf_keras.Sequential([tf_keras.Sequential([trunk, layers.GlobalAveragePooling2D()]), head])
    model.build((None, 16, 16, 3))
    return model


def stateful():
    """Remembers from call to call; a Bidirectional layer holds its two layers inside."""
    return tf_keras.Sequential(
        [
            tf_keras.Input(batch_shape=(4, 6, 3)),
            layers.Bidirectional(layers.GRU(3, stateful=True, return_sequences=True)),
            layers.LSTM(5, stateful=True),
            layers.Dense(2, activation="softmax"),
        ]
    )


def older(model, folder):
    """As TensorFlow 2.0 to 2.4 saved it: what Keras knows lies within the graph's own file."""
    model.save(folder)
    told = saved_metadata_pb2.SavedMetadata()
    told.ParseFromString((folder / "keras_metadata.pb").read_bytes())
    graph = saved_model_pb2.SavedModel()
    graph.ParseFromString((folder / "saved_model.pb").read_bytes())
    nodes = graph.meta_graphs[0].object_graph_def.nodes
    for node in told.nodes:
        nodes[node.node_id].user_object.metadata = node.metadata
    (folder / "saved_model.pb").write_bytes(graph.SerializeToString())
    (folder / "keras_metadata.pb").unlink()


def windows(file):
    """As Keras 2.13 saved it on Windows."""
    given = tf_keras.Input((4,))
    x = layers.Dense(3, activation="tanh")(given)
    inner = tf_keras.Model(given, layers.BatchNormalization()(layers.Dense(5)(x)), name="inner")
    model = tf_keras.Sequential([inner, layers.Dropout(0.1), layers.Dense(4), layers.Dense(2)])
    model.build((None, 4))
    for weight in model.weights:
        weight.assign_add(tf.random.uniform(weight.shape))
    x = np.random.rand(5, 4).astype("float32")
    np.savez(file.with_suffix(".npz"), x=x, y=model.predict(x, verbose=0))
    model.save(file)
    old, new = "layers", "_layer_checkpoint_dependencies"
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    store = io.BytesIO()
    with h5py.File(io.BytesIO(members["model.weights.h5"])) as before, h5py.File(store, "w") as after:

        def move(path, item):
            if isinstance(item, h5py.Dataset):
                place, _, number = path.replace(old, new).rpartition("/vars/")
                place = place.replace("dense_1", "dense_2").replace("/", "\\")
                after[f"{place}/vars/{number}"] = item[()]

        before.visititems(move)
    members["model.weights.h5"] = store.getvalue()
    members["metadata.json"] = json.dumps({"keras_version": "2.13.1"}).encode()
    members["config.json"] = members["config.json"].replace(b"tf_keras.src", b"keras.src")
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def main(folder):
    tf_keras.utils.set_random_seed(0)
    model = mobile()
    model.compile("adam", "sparse_categorical_crossentropy")
    # statistics of BatchNormalization away from their start values
    model.fit(np.random.rand(32, 16, 16, 3), np.zeros(32), epochs=2, verbose=0)
    model.save(folder / "mobile.h5")
    model.save(folder / "saved")
    two_inputs().save(folder / "both.keras")
    clicked().save(folder / "clicked.h5")
    stateful().save(folder / "stateful.h5")
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
    older(sequential, folder / "older")
    windows(folder / "windows.keras")
    named = tf_keras.Sequential([layers.Lambda(twice, input_shape=(4,), name="named")])
    named.save(folder / "named.h5")
    hidden = tf_keras.Sequential([layers.Lambda(lambda x: x * 2, input_shape=(4,), name="sneaky")])
    hidden.save(folder / "lambda.h5")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
