"""Lengths and batches that are made up when a model is read are no verdict on it."""

import numpy as np
import pytest

from workbench.api.variant import RuntimeSettings, TensorSpec
from workbench.models.converting.conversion import load_keras, to_onnx, to_openvino, to_tflite
from workbench.models.intake.intake import open_model
from workbench.models.intake.parity import tried_inputs
from workbench.runtimes import runtime

keras = pytest.importorskip("keras")
L = keras.layers


class Quiet:
    def stage(self, text):
        pass

    def check(self):
        pass


def opened(model, folder):
    model.save(folder / "given.keras")
    return open_model(Quiet(), folder / "given.keras", folder / "out")


def pictures_of_any_size():
    inputs = keras.Input((None, None, 3))
    x = L.Conv2D(4, 3)(L.Conv2D(4, 3, activation="relu")(inputs))
    return keras.Model(inputs, L.Dense(2)(L.GlobalAveragePooling2D()(x))), (9, 12, 3)


def long_series():
    """No length that is tried fits into the first convolution."""
    inputs = keras.Input((None, 1))
    return keras.Model(inputs, L.Dense(2)(L.GlobalAveragePooling1D()(L.Conv1D(2, 5000)(inputs)))), (6000, 1)


def strided_series():
    """At 64 steps it gives a number that nobody computed."""
    x = inputs = keras.Input((None,))
    x = L.Reshape((-1, 1))(x)
    for _ in range(2):
        x = L.Conv1D(2, 64, strides=16)(x)
    return keras.Model(inputs, L.Dense(2)(L.GlobalAveragePooling1D()(x))), (2000,)


MODELS = [pictures_of_any_size, long_series, strided_series]
CONVERSIONS = {"litert": to_tflite, "onnxruntime": to_onnx, "openvino": to_openvino}


@pytest.mark.parametrize("make", MODELS)
def test_free_lengths_take_the_samples_own_in_every_runtime(make, tmp_path):
    model, shape = make()
    x = np.random.default_rng(0).random((5, *shape), dtype=np.float32)
    expected = np.asarray(model(x))
    path = opened(model, tmp_path).path
    for name in ("keras.eager", "keras.function"):
        np.testing.assert_allclose(
            runtime(name).load(path, RuntimeSettings()).predict(x), expected, atol=1e-5
        )
    for name, convert in CONVERSIONS.items():
        made = convert(load_keras(path), tmp_path / ("model.tflite" if name == "litert" else name))
        session = runtime(name).load(made, RuntimeSettings())
        np.testing.assert_allclose(session.predict(x), expected, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(session.predict(x[:1]), expected[:1], atol=1e-5, err_msg=name)


def test_what_no_made_up_length_fits_is_proven_by_its_weights(tmp_path):
    model, _ = long_series()
    notes = [str(note) for note in opened(model, tmp_path).notes]
    assert notes[-1] == "The stored file was read back: its layers and weights are the same."


def test_a_lookup_that_does_not_know_what_is_made_up_is_no_reason_to_refuse(tmp_path):
    lookup = L.IntegerLookup(vocabulary=[70, 80], num_oov_indices=0)
    inputs = keras.Input((1,), dtype="int64")
    description = opened(
        keras.Model(inputs, L.Dense(2)(L.Flatten()(L.Embedding(2, 3)(lookup(inputs))))), tmp_path
    )
    assert description.description.inputs[0].role == "ids"


def test_lengths_are_tried_until_one_fits():
    inputs = keras.Input((None, 1))
    model = keras.Model(inputs, L.GlobalAveragePooling1D()(L.Conv1D(2, 300)(inputs)))
    (tried,), (outputs,) = tried_inputs(model, [TensorSpec(name="x", shape=(None, 1))])
    assert tried.shape == (4, 1024, 1)
    np.testing.assert_array_equal(outputs, np.asarray(model(tried)))


def test_a_fixed_batch_is_tried_with_its_own_number():
    inputs = keras.Input(batch_shape=(6, 2, 3))
    model = keras.Model(inputs, L.Dense(2)(keras.ops.reshape(inputs, (6, 6))))
    (tried,), _ = tried_inputs(model, [TensorSpec(name="x", shape=(2, 3))], batch=6)
    assert len(tried) == 6


def test_the_description_holds_batch_and_roles(tmp_path):
    inputs = keras.Input(batch_shape=(32, 4))
    found = opened(keras.Model(inputs, L.Dense(2)(L.Rescaling(0.1)(inputs))), tmp_path).description
    assert (found.batch, found.inputs[0].role) == (32, "raw numbers")


@pytest.mark.parametrize(("suffix", "convert"), [(".tflite", to_tflite), (".onnx", to_onnx)])
def test_a_finished_file_of_any_size_is_opened(tmp_path, suffix, convert):
    model, shape = pictures_of_any_size()
    path = convert(model, tmp_path / f"given{suffix}")
    found = open_model(Quiet(), path, tmp_path / "out")
    assert found.description.inputs[0].shape == (None, None, 3)
    x = np.random.default_rng(0).random((5, *shape), dtype=np.float32)
    home = "litert" if suffix == ".tflite" else "onnxruntime"
    session = runtime(home).load(found.path, RuntimeSettings())
    np.testing.assert_allclose(session.predict(x), np.asarray(model(x)), atol=1e-5)
