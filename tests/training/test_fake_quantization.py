import numpy as np
import pytest

keras = pytest.importorskip("keras")
import tensorflow as tf

from workbench.api.variant import RuntimeSettings
from workbench.models.converting.conversion import to_tflite
from workbench.models.reading.tflite import describe_tflite
from workbench.plain.keras.batchnorm_folding import flattened, folded
from workbench.plain.keras.fake_quantization import FakeQuantize, baked, fake_quantized
from workbench.runtimes import runtime

layers = keras.layers


def picture_model():
    """Branches, squeeze-and-excite, transposed and separable convolutions, every kind of activation."""
    inputs = keras.Input((16, 16, 3), name="image")
    x = layers.BatchNormalization()(inputs)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.Activation("swish")(layers.BatchNormalization()(x))
    x = layers.SeparableConv2D(16, 3, padding="same", activation="relu6", depth_multiplier=2)(x)
    s = layers.GlobalAveragePooling2D(keepdims=True)(x)
    s = layers.Conv2D(4, 1, activation="relu")(s)
    x = layers.Multiply()([x, layers.Conv2D(16, 1, activation="sigmoid")(s)])
    y = layers.Conv2DTranspose(8, 3, strides=2, padding="same")(x)
    y = layers.AveragePooling2D(2)(layers.ReLU()(y))
    x = layers.LeakyReLU()(layers.Concatenate()([x, y]) + 1.0)
    inner = keras.Sequential([keras.Input((8, 8, 24)), layers.Conv2D(8, 1), layers.ReLU()], name="inner")
    x = layers.Flatten()(layers.Dropout(0.1)(inner(x)))
    x = layers.Activation("tanh")(layers.Dense(16)(x))
    return keras.Model(inputs, layers.Dense(4)(x))


def series_model():
    inputs = keras.Input((32, 5), name="series")
    x = layers.Conv1D(8, 3, padding="causal", dilation_rate=2)(inputs)
    x = layers.MaxPooling1D(2)(layers.ReLU()(layers.BatchNormalization()(x)))
    x = layers.SeparableConv1D(16, 3, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(4, activation="softmax")(x))


def steps_model():
    """Dense layers over every step of a sequence, as transformers have them."""
    inputs = keras.Input((6, 5), name="series")
    x = layers.Dense(16, activation="relu")(inputs)
    x = layers.Add()([layers.Dense(16)(x), x])
    return keras.Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling1D()(x)))


def samples(model, count=64):
    return np.random.default_rng(1).normal(size=(count, *model.input_shape[1:])).astype(np.float32)


def rounded(model, bits=8):
    """With ranges that a few batches have set; the plain model, and its samples."""
    plain, _, _ = folded(flattened(model))
    x = samples(model)
    trained = fake_quantized(plain, bits)
    for batch in np.split(x, 4):
        trained(batch, training=True)
    return plain, trained, x


@pytest.mark.parametrize("build", [picture_model, series_model, steps_model])
def test_the_converted_file_is_int8_throughout_and_computes_what_the_model_computes(build, tmp_path):
    keras.utils.set_random_seed(3)
    _, trained, x = rounded(build())
    path = to_tflite(trained, tmp_path / "model.tflite", optimizations=[tf.lite.Optimize.DEFAULT])
    description = describe_tflite(path)
    assert description.precision == "int8"
    kinds = {layer.kind for layer in description.layers}
    assert "FAKE_QUANT" not in kinds
    floats = {layer.kind for layer in description.layers if layer.precision == "float32"}
    assert floats <= {"QUANTIZE", "DEQUANTIZE"}

    session = runtime("litert").load(path, RuntimeSettings())
    found, expected = session.predict(x), np.asarray(trained(x, training=False))
    step = float(trained.layers[-1].high - trained.layers[-1].low) / 255
    # Both are whole numbers of steps; a product that falls between two may be rounded either way.
    assert np.abs(found - expected).max() <= 2.01 * step
    assert (found.argmax(-1) == expected.argmax(-1)).mean() > 0.98


def test_rounding_is_that_of_int8():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((8, 8, 3))
    plain, trained, _ = rounded(keras.Model(inputs, layers.Conv2D(4, 3)(inputs)))
    kernel = plain.layers[1].get_weights()[0]
    scale = np.abs(kernel).max((0, 1, 2)) / 127
    expected = np.clip(np.round(kernel / scale), -127, 127) * scale
    layer = next(layer for layer in trained.layers if hasattr(layer, "rounded_kernel"))
    np.testing.assert_allclose(layer.rounded_kernel(), expected, atol=1e-6)
    # the kernel itself is what is trained
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)


def test_ranges_are_the_mean_of_the_first_batches_and_then_move():
    layer = FakeQuantize(momentum=0.75)
    for low, high in ((-1, 2), (-3, 4), (-2, 6)):
        layer(np.array([[low, high]], np.float32), training=True)
    assert (float(layer.low), float(layer.high)) == pytest.approx((-2, 4))
    layer(np.array([[0.0, 8.0]], np.float32), training=True)
    layer(np.array([[0.0, 8.0]], np.float32), training=True)
    assert float(layer.high) == pytest.approx(0.75 * (0.75 * 4 + 0.25 * 8) + 0.25 * 8)
    before = float(layer.high)
    layer(np.array([[-90.0, 90.0]], np.float32), training=False)
    assert float(layer.high) == before


def test_gradients_pass_the_rounding():
    keras.utils.set_random_seed(3)
    _, trained, x = rounded(picture_model())
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(trained(x, training=False) ** 2)
    gradients = tape.gradient(loss, trained.trainable_weights)
    assert all(gradient is not None for gradient in gradients)
    kernels = [g for g, w in zip(gradients, trained.trainable_weights, strict=True) if w.name == "kernel"]
    assert all(np.abs(gradient).max() > 0 for gradient in kernels)


def test_baked_weights_are_on_the_grid_of_4_bits():
    keras.utils.set_random_seed(3)
    plain, trained, x = rounded(picture_model(), bits=4)
    exact = np.asarray(plain(x))
    model = baked(trained, plain)
    for layer in model.layers:
        if type(layer).__name__ in ("Dense", "Conv2D"):
            kernel = layer.get_weights()[0].reshape(-1, layer.get_weights()[0].shape[-1])
            assert max(len(np.unique(column)) for column in kernel.T) <= 15
    assert not any(isinstance(layer, FakeQuantize) for layer in model.layers)
    assert 0 < np.abs(np.asarray(model(x)) - exact).max() < np.abs(exact).max()
