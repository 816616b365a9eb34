"""Biases are rounded to few bits, whatever their size."""

import keras
import numpy as np
import pytest
from keras import layers

from workbench.api.variant import RuntimeSettings
from workbench.models.converting.conversion import to_tflite
from workbench.plain.litert.biases import round_biases
from workbench.plain.litert.strip import strip_metadata
from workbench.runtimes import runtime


def outputs(path, x):
    session = runtime("litert").load(path, RuntimeSettings())
    try:
        return session.predict(x)
    finally:
        session.close()


@pytest.fixture(scope="module")
def inverse():
    """One layer that hands on its input, so that a bias can be read from the output."""
    return keras.Sequential([keras.Input((6,)), layers.Dense(6, kernel_initializer="identity")])


@pytest.mark.parametrize("largest", [1e-44, 1e-36, 0.0, 3e-3, 1.0, 1000.0, 1024.0, 3e38])
@pytest.mark.parametrize("slim_first", [False, True])
def test_the_error_is_within_a_128th_of_the_largest(inverse, largest, slim_first, tmp_path):
    biases = (largest * np.array([1, -0.7113, 0.3347, 0.01234, -1e-4, 0])).astype(np.float32)
    inverse.layers[0].bias.assign(biases)
    path = to_tflite(inverse, tmp_path / "model.tflite")
    if slim_first:
        strip_metadata(path)
    round_biases(path)
    strip_metadata(path)
    found = outputs(path, np.zeros((1, 6), np.float32))[0]
    assert np.isfinite(found).all()
    # The runtime takes numbers below the smallest normal one for zero.
    assert np.abs(found - biases).max() <= np.abs(biases).max() / 128 + np.finfo(np.float32).tiny
    if 1e-30 < largest < 1e30:
        steps = found / 2.0 ** (np.ceil(np.log2(largest)) - 7)
        np.testing.assert_array_equal(steps, np.round(steps))
        assert found[-1] == 0


def test_layers_with_one_bias_between_them_are_rounded_once(tmp_path):
    biases = np.array([0.9, 0.41, -0.333], np.float32)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(3, kernel_initializer="identity"),
            layers.Dense(3, kernel_initializer="zeros"),
        ]
    )
    for layer in model.layers:
        layer.bias.assign(biases)
    path = to_tflite(model, tmp_path / "model.tflite")
    strip_metadata(path)
    round_biases(path)
    once = outputs(path, np.zeros((1, 3), np.float32))
    round_biases(path)
    np.testing.assert_array_equal(outputs(path, np.zeros((1, 3), np.float32)), once)
    np.testing.assert_allclose(once[0], biases, atol=0.9 / 128)
