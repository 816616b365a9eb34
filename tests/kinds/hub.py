"""Models of keras-hub, built from their configuration: nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.kinds.brought import CLASSES, Brought, patterns, sentences, taught

TRUSTED = {"trust_packages": ["keras_hub"]}
LENGTH, VOCABULARY = 12, 60


def bert() -> Any:
    """A small BertBackbone with random weights."""
    import keras_hub

    return keras_hub.models.BertBackbone(
        vocabulary_size=VOCABULARY,
        num_layers=2,
        num_heads=2,
        hidden_dim=32,
        intermediate_dim=64,
        max_sequence_length=LENGTH,
        dropout=0.0,
    )


def _words() -> tuple[dict[str, Any], Any]:
    import numpy as np

    ids, labels = sentences(LENGTH, VOCABULARY)
    return {
        "token_ids": ids,
        "segment_ids": np.zeros_like(ids),
        "padding_mask": np.ones_like(ids),
    }, labels


def backbone(folder: Path) -> Brought:
    import keras

    x, y = _words()
    inner = bert()
    pooled = inner(inner.input)["pooled_output"]
    hidden = keras.layers.Dense(32, activation="relu")(pooled)
    model = keras.Model(inner.input, keras.layers.Dense(CLASSES, activation="softmax")(hidden))
    return Brought(taught(model, x, y), (x, y), TRUSTED)


def _text_classifier() -> tuple[Any, Any]:
    import keras_hub

    x, y = _words()
    model = keras_hub.models.BertTextClassifier(
        bert(), num_classes=CLASSES, activation="softmax", dropout=0.0, preprocessor=None
    )
    return taught(model, x, y), (x, y)


def text_classifier(folder: Path) -> Brought:
    return Brought(*_text_classifier(), TRUSTED)


def text_classifier_file(folder: Path) -> Brought:
    model, data = _text_classifier()
    model.save(folder / "classifier.keras")
    return Brought(folder / "classifier.keras", data, TRUSTED)


def image_classifier(folder: Path) -> Brought:
    import keras_hub

    trunk = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=(16, 16, 3),
    )
    model = keras_hub.models.ResNetImageClassifier(
        trunk, num_classes=CLASSES, activation="softmax", preprocessor=None
    )
    x, y = patterns(16, 16, 3)
    return Brought(taught(model, x, y), (x, y), TRUSTED)


def mobilenet_file(folder: Path) -> Brought:
    import keras
    import keras_hub

    trunk = keras_hub.models.MobileNetBackbone(
        stackwise_expansion=[[40, 56], [64, 144]],
        stackwise_num_blocks=[2, 2],
        stackwise_num_filters=[[16, 16], [24, 24]],
        stackwise_kernel_size=[[3, 3], [5, 5]],
        stackwise_num_strides=[[2, 1], [1, 1]],
        stackwise_se_ratio=[[None, None], [0.25, 0.25]],
        stackwise_activation=[["relu", "relu"], ["hard_swish", "hard_swish"]],
        stackwise_padding=[[1, 1], [2, 2]],
        output_num_filters=32,
        depthwise_filters=8,
        depthwise_stride=2,
        depthwise_residual=False,
        last_layer_filter=32,
        squeeze_and_excite=0.5,
        image_shape=(16, 16, 3),
    )
    pooled = keras.layers.GlobalAveragePooling2D()(trunk.output)
    model = keras.Model(trunk.input, keras.layers.Dense(CLASSES, activation="softmax")(pooled))
    x, y = patterns(16, 16, 3)
    taught(model, x, y).save(folder / "mobilenet.keras")
    return Brought(folder / "mobilenet.keras", (x, y), TRUSTED)
