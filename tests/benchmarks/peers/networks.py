"""The networks that both sides start from; the peer's side builds them in tf_keras from this file."""

from __future__ import annotations

from typing import Any


def tutorial_cnn(input_shape: tuple[int, int, int], classes: int) -> Any:
    """The network of the pruning tutorial: www.tensorflow.org/model_optimization/guide/pruning."""
    import keras
    from keras import layers

    inputs = keras.Input(input_shape, name="image")
    x = layers.Conv2D(12, 3, activation="relu", name="conv")(inputs)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="tutorial_cnn")
