"""Quantizing models that read word numbers, and recurrent ones."""

import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import apply, predict, run_code
from workbench import techniques
from workbench.data.prepare import prepare

keras = pytest.importorskip("keras")
L = keras.layers
SAMPLES = {"samples": 16}


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    keras.utils.set_random_seed(2)
    y = np.arange(120) % 2
    x = np.random.default_rng(0).integers(0, 20, (120, 6)) + 20 * y[:, None]
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32", name="words"),
            L.Embedding(40, 8),
            L.GlobalAveragePooling1D(),
            L.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=5, verbose=0)
    dataset = prepare({"x": x, "y": y}, folder / "data", name="words", scaling="none")
    dataset.save_npz(folder / "words.npz")
    return small_models.baseline(model, folder / "words.keras"), dataset


@pytest.mark.parametrize("name", ["quantization.int8", "quantization.litert_int8", "quantization.onnx_int8"])
def test_word_numbers_calibrate(name, words, tmp_path):
    parent, dataset = words
    applied = apply(name, parent, dataset, tmp_path / "made", **SAMPLES)
    x = dataset.x("test")
    assert (predict(applied, x).argmax(1) == np.asarray(dataset.y("test"))).mean() > 0.9


def test_the_code_casts_word_numbers(words, tmp_path):
    parent, dataset = words
    names = {"quantization.int8": ".tflite", "quantization.onnx_int8": ".onnx"}
    run_code(
        [(name, parent, dataset, SAMPLES, f"made{end}") for name, end in names.items()],
        tmp_path / "code",
    )
    for name, end in names.items():
        applied = apply(name, parent, dataset, tmp_path / name, **SAMPLES)
        assert applied.path.read_bytes() == (tmp_path / "code" / f"made{end}").read_bytes()


@pytest.mark.parametrize("name", ["quantization.int8", "quantization.int16x8", "quantization.litert_int8"])
def test_loops_are_not_calibrated(name, words, tmp_path):
    _, dataset = words
    model = keras.Sequential([keras.Input((6, 1)), L.LSTM(4), L.Dense(2)])
    variant = small_models.baseline(model, tmp_path / "loop.keras")
    technique = techniques.technique(name)
    reason = technique.fits(variant, dataset.info, technique.parameters_type())
    assert "as a loop, which calibration cannot look into" in str(reason)
    floats = techniques.technique("quantization.float16")
    assert floats.fits(variant, dataset.info, floats.parameters_type()) is None


def test_sixteen_bit_activations_want_float_inputs(words):
    parent, dataset = words
    technique = techniques.technique("quantization.int16x8")
    reason = technique.fits(parent, dataset.info, technique.parameters_type())
    assert "takes whole numbers" in str(reason)
