"""The architectures of the demo models and of the benchmark, built for any input and number of classes."""

from __future__ import annotations

from typing import Any


def dense(
    input_shape: tuple[int, ...], classes: int, *, units: tuple[int, ...] = (128, 64), name: str = "dense"
) -> Any:
    """A fully connected network with ReLU and a softmax, such as 128-64-10.

    Args:
        input_shape: Shape of one sample; pictures are flattened inside the model.
        classes: Number of outputs.
        units: Width of each hidden layer.
        name: Name of the model.

    Returns:
        An uncompiled ``keras.Model``; its input is called ``features``, its output layer ``probabilities``.
    """
    import keras

    inputs = keras.Input(input_shape, name="features")
    x = keras.layers.Flatten(name="flatten")(inputs) if len(input_shape) > 1 else inputs
    for number, width in enumerate(units, start=1):
        x = keras.layers.Dense(width, activation="relu", name=f"hidden_{number}")(x)
    outputs = keras.layers.Dense(classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)


def residual_cnn(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    width: int = 32,
    dropout: float = 0.2,
    name: str = "residual_cnn",
) -> Any:
    """A small residual network with what is hard to optimize in one place.

    A stem, a residual block with an identity shortcut, a depthwise-separable block with a projected
    shortcut, two branches that are concatenated, a last convolution, global average pooling; batch
    normalization after each convolution (He et al. 2016, arXiv:1512.03385; Howard et al. 2017,
    arXiv:1704.04861). About 83,000 parameters at width 32.

    Args:
        input_shape: Height, width and channels of a picture, at least 8x8.
        classes: Number of outputs.
        width: Channels of the first block; the second has twice as many.
        dropout: Share of the last features that is dropped while training.
        name: Name of the model.

    Returns:
        An uncompiled ``keras.Model``; its input is called ``image``, its output layer ``probabilities``.
    """
    import keras
    from keras import layers

    def normalized(x: Any, layer: Any, activation: str | None = "relu") -> Any:
        stem = layer.name.removesuffix("_conv").removesuffix("_depthwise")
        # A short memory: a few hundred steps of training must be enough for the moving statistics.
        x = layers.BatchNormalization(momentum=0.9, name=f"{stem}_norm")(layer(x))
        if activation == "relu6":
            return layers.ReLU(6.0, name=f"{stem}_relu6")(x)
        return x if activation is None else layers.ReLU(name=f"{stem}_relu")(x)

    def conv(filters: int, size: int, name: str, strides: int = 1) -> Any:
        return layers.Conv2D(
            filters, size, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
        )

    inputs = keras.Input(input_shape, name="image")
    x = normalized(inputs, conv(width, 3, "stem"))
    x = layers.MaxPooling2D(name="stem_pool")(x)

    y = normalized(x, conv(width, 3, "block1a"))
    y = normalized(y, conv(width, 3, "block1b"), activation=None)
    x = layers.ReLU(name="block1_relu")(layers.Add(name="block1_add")([x, y]))

    shortcut = normalized(x, conv(2 * width, 1, "block2_shortcut", strides=2), activation=None)
    depthwise = layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False, name="block2a_depthwise")
    y = normalized(x, depthwise, activation="relu6")
    y = normalized(y, conv(2 * width, 1, "block2b"), activation=None)
    x = layers.ReLU(name="block2_relu")(layers.Add(name="block2_add")([shortcut, y]))

    branches = [normalized(x, conv(width, 1, "branch1")), normalized(x, conv(width, 3, "branch3"))]
    x = layers.Concatenate(name="branches")(branches)
    x = normalized(x, conv(2 * width, 3, "last"))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)
