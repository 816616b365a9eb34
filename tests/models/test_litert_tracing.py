"""Reshaping in LiteRT files: constants, and still for any batch."""

import numpy as np
import pytest

from workbench.api.variant import RuntimeSettings
from workbench.models.converting.conversion import to_tflite
from workbench.models.reading.description import describe
from workbench.runtimes.litert import LiteRT


@pytest.fixture(scope="module")
def model():
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((6, 8)),
            layers.Reshape((6, 8, 1)),
            layers.Conv2D(3, 3, activation="relu"),
            layers.Reshape((-1, 3)),
            layers.Flatten(),
            layers.Dense(4),
        ]
    )


def test_shapes_are_not_computed_while_predicting(model, tmp_path):
    path = to_tflite(model, tmp_path / "model.tflite")
    kinds = {layer.kind for layer in describe(path, "tflite").layers}
    assert "RESHAPE" in kinds
    assert not kinds & {"SHAPE", "STRIDED_SLICE", "PACK"}


@pytest.mark.parametrize("batch", [1, 5])
def test_any_batch_is_predicted(model, tmp_path, batch):
    path = to_tflite(model, tmp_path / "model.tflite")
    samples = np.random.default_rng(0).random((batch, 6, 8), np.float32)
    session = LiteRT().load(path, RuntimeSettings())
    np.testing.assert_allclose(session.predict(samples), model(samples), atol=1e-5)
    session.close()


def test_lengths_that_are_not_known_are_computed(tmp_path):
    import keras
    from keras import layers

    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, layers.Reshape((-1, 2))(inputs))
    path = to_tflite(model, tmp_path / "model.tflite")
    assert "SHAPE" in {layer.kind for layer in describe(path, "tflite").layers}


def test_keras_is_as_before_afterwards(model, tmp_path):
    from keras import layers

    before = layers.Flatten.call, layers.Reshape.call
    to_tflite(model, tmp_path / "model.tflite")
    assert (layers.Flatten.call, layers.Reshape.call) == before


@pytest.mark.parametrize("steps", [7, None])
@pytest.mark.parametrize("kind", ["lstm", "both ways"])
def test_recurrent_layers_take_one_sample_at_a_time(kind, steps, tmp_path):
    import keras
    from keras import layers

    inner = layers.LSTM(5) if kind == "lstm" else layers.Bidirectional(layers.GRU(4))
    recurrent = keras.Sequential([keras.Input((steps, 3), name="steps"), inner, layers.Dense(2)])
    path = to_tflite(recurrent, tmp_path / "model.tflite")
    samples = np.random.default_rng(0).random((3, 7, 3), np.float32)
    session = LiteRT().load(path, RuntimeSettings(batch=8))
    np.testing.assert_allclose(session.predict(samples), recurrent.predict(samples, verbose=0), atol=1e-5)


def test_lengths_that_are_free_come_with_the_samples(tmp_path):
    import keras
    from keras import layers

    free = keras.Sequential(
        [keras.Input((None, None, 3)), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()]
    )
    session = LiteRT().load(to_tflite(free, tmp_path / "model.tflite"), RuntimeSettings())
    for size in (9, 6):
        samples = np.random.default_rng(size).random((4, size, size, 3), np.float32)
        np.testing.assert_allclose(session.predict(samples), free.predict(samples, verbose=0), atol=1e-5)
