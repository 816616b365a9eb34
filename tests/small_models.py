"""Small real models and data for tests of runtimes and techniques; TensorFlow is imported on use."""

import hashlib
import json
from datetime import UTC, datetime

import numpy as np

from workbench.api.dataset import Dataset, DatasetInfo
from workbench.api.text import say
from workbench.api.variant import RuntimeSettings, Variant
from workbench.models.reading.description import describe_keras

CLASSES = 4
KINDS = ("dense", "conv", "two_inputs")
"""What every runtime and converter is tried on; the others are for the grid of techniques and models."""
COUNTS = {"train": 160, "validation": 64, "test": 48}
SHAPES = {
    "dense": {"": (20,)},
    "conv": {"": (12, 12, 3)},
    "two_inputs": {"picture": (8, 8, 1), "numbers": (6,)},
    "pair": {"picture": (8, 8, 1), "numbers": (6,)},
    "series": {"": (32, 3)},
    "transformer": {"": (12, 5)},
}


def features(kind, count, seed=0):
    """Samples for a model, each class around its own pattern."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, count)
    arrays = {}
    for name, shape in SHAPES[kind].items():
        patterns = np.random.default_rng(len(shape)).normal(size=(CLASSES, *shape))
        arrays[name] = (patterns[labels] + 0.5 * rng.normal(size=(count, *shape))).astype(np.float32)
    return (arrays[""] if list(arrays) == [""] else arrays), labels.astype(np.int64)


def build(kind):
    """An untrained model with random weights; BatchNormalization has statistics of its own."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(11)
    if kind == "dense":
        # a Sequential that was only loaded has no ``input`` of its own
        return keras.Sequential(
            [
                keras.Input((20,), name="features"),
                layers.Dense(64, activation="relu", name="wide"),
                layers.Dense(32, activation="relu", name="narrow"),
                layers.Dense(CLASSES, activation="softmax", name="classes"),
            ],
            name=kind,
        )
    if kind == "conv":
        inputs = keras.Input((12, 12, 3), name="image")
        x = layers.Conv2D(16, 3, padding="same", use_bias=False, name="stem")(inputs)
        x = layers.BatchNormalization(name="stem_bn")(x)
        x = short = layers.ReLU(name="stem_relu")(x)
        x = layers.Conv2D(16, 3, padding="same", name="block")(x)
        x = layers.Add(name="add")([short, x])
        x = layers.DepthwiseConv2D(3, strides=2, padding="same", name="depthwise")(x)
        x = layers.BatchNormalization(name="depthwise_bn")(x)
        x = layers.ReLU(6.0, name="relu6")(x)
        x = layers.Flatten(name="flatten")(x)
        outputs = layers.Dense(CLASSES, name="logits")(x)
    elif kind == "series":
        inputs = keras.Input((32, 3), name="series")
        x = layers.Conv1D(16, 5, padding="same", activation="relu", name="smooth")(inputs)
        x = layers.MaxPooling1D(2, name="halve")(x)
        x = layers.Conv1D(32, 3, padding="same", name="wide")(x)
        x = layers.BatchNormalization(name="wide_bn")(x)
        x = layers.ReLU(name="wide_relu")(x)
        x = layers.GlobalAveragePooling1D(name="mean")(x)
        outputs = layers.Dense(CLASSES, name="logits")(x)
    elif kind == "transformer":
        inputs = keras.Input((12, 5), name="steps")
        x = layers.Dense(16, name="embed")(inputs)
        attended = layers.MultiHeadAttention(4, 4, name="attention")(x, x)
        x = layers.LayerNormalization(name="norm_1")(layers.Add(name="add_1")([x, attended]))
        hidden = layers.Dense(32, activation="gelu", name="feed_wide")(x)
        hidden = layers.Dense(16, name="feed_narrow")(hidden)
        x = layers.LayerNormalization(name="norm_2")(layers.Add(name="add_2")([x, hidden]))
        x = layers.GlobalAveragePooling1D(name="mean")(x)
        outputs = layers.Dense(CLASSES, name="logits")(x)
    else:
        # "picture" comes first here and last in the alphabet and in converted files
        inputs = [keras.Input((8, 8, 1), name="picture"), keras.Input((6,), name="numbers")]
        x = layers.Conv2D(8, 3, activation="relu", name="look")(inputs[0])
        x = layers.Flatten(name="flatten")(x)
        y = layers.Dense(8, activation="relu", name="count")(inputs[1])
        x = layers.Concatenate(name="join")([x, y])
        x = layers.Dense(16, activation="relu", name="think")(x)
        outputs = layers.Dense(CLASSES, name="classes")(x)
        if kind == "two_inputs":
            outputs = [outputs, layers.Dense(1, name="extra")(x)]
    model = keras.Model(inputs, outputs, name=kind)
    rng = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, gamma.shape),
                    rng.normal(size=beta.shape) * 0.1,
                    rng.normal(size=mean.shape) * 0.1,
                    rng.uniform(0.5, 1.5, variance.shape),
                ]
            )
    return model


def train(model, kind):
    """A few steps, so that predictions mean something."""
    import keras

    x, y = features(kind, COUNTS["train"])
    target = model if len(model.outputs) == 1 else keras.Model(model.inputs, model.outputs[0])
    from_logits = kind != "dense"
    target.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits))
    target.fit(x, y, epochs=3, batch_size=32, verbose=0)
    return model


def write_dataset(kind, folder):
    """A prepared data set folder, written by hand."""
    folder.mkdir(parents=True)
    class_counts = {}
    for seed, (split, count) in enumerate(COUNTS.items()):
        x, y = features(kind, count, seed)
        np.save(folder / f"y_{split}.npy", y)
        for name, array in (x if isinstance(x, dict) else {"": x}).items():
            np.save(folder / (f"x_{split}.{name}.npy" if name else f"x_{split}.npy"), array)
        class_counts[split] = tuple(int(n) for n in np.bincount(y, minlength=CLASSES))
    info = DatasetInfo(
        name=kind,
        input_shapes=SHAPES[kind],
        classes=tuple(f"class {i}" for i in range(CLASSES)),
        counts=COUNTS,
        class_counts=class_counts,
        scaling=say("none"),
        minimum=-4.0,
        maximum=4.0,
        is_image=False,
        seed=0,
        sha256=hashlib.sha256(kind.encode()).hexdigest(),
    )
    (folder / "dataset.json").write_text(json.dumps(info.model_dump(mode="json")))
    return Dataset(folder)


def baseline(model, file):
    """The model saved, as a variant."""
    model.save(file)
    return Variant(
        id="baseline",
        name=model.name,
        format="keras",
        path=file,
        sha256="",
        runtime="keras.function",
        settings=RuntimeSettings(),
        description=describe_keras(model),
        created=datetime.now(UTC),
        is_reference=True,
    )


def child(applied, parent, technique="inference.runtime"):
    """What a technique made, as a variant."""
    return parent.model_copy(
        update={
            "id": "child",
            "name": "child",
            "format": applied.format,
            "path": applied.path,
            "runtime": applied.runtime,
            "settings": applied.settings,
            "description": applied.description,
            "technique": technique,
            "parent": parent.id,
        }
    )
