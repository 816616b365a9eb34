"""Quantizing models that read word numbers, and recurrent ones."""

import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import apply, predict, run_code, run_here, write_bundle
from workbench import runtimes, techniques
from workbench.api.variant import RuntimeSettings
from workbench.data.prepare import prepare
from workbench.deploy.deployment import deployment_code

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
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
    parent = small_models.baseline(model, folder / "words.keras")
    dataset = prepare({"x": x, "y": y}, folder / "data", name="words", model=parent.description)
    assert dataset.x("train").dtype == np.int32
    dataset.save_npz(folder / "words.npz")
    return parent, dataset


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
    reason = technique.obstacle(variant, dataset.info, technique.parameters_type())
    assert "as a loop, which calibration cannot look into" in str(reason)
    floats = techniques.technique("quantization.float16")
    assert floats.obstacle(variant, dataset.info, floats.parameters_type()) is None


def test_sixteen_bit_activations_want_float_inputs(words):
    parent, dataset = words
    technique = techniques.technique("quantization.int16x8")
    reason = technique.obstacle(parent, dataset.info, technique.parameters_type())
    assert "takes whole numbers" in str(reason)


def test_word_numbers_are_deployed_as_they_are(words, tmp_path, monkeypatch):
    parent, dataset = words
    x = np.asarray(dataset.x("test"))
    expected = predict(parent, x)
    for name in ("litert", "onnxruntime", "openvino"):
        applied = apply("inference.runtime", parent, dataset, tmp_path / name, runtime=name)
        variant = small_models.child(applied, parent)
        code = deployment_code(variant, dataset.info)
        assert "Input words: int32, shape (samples, 6)." in code
        script = write_bundle(code, variant.path.parent, "predict.py")
        monkeypatch.chdir(variant.path.parent)
        found = run_here(script)["predict"](x)
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=name)


def test_text_and_tables_stay_in_keras(tmp_path):
    inputs = keras.Input((1,), dtype="string", name="text")
    lookup = L.StringLookup(vocabulary=["good", "bad"], name="table")
    model = keras.Model(inputs, L.Dense(2)(L.Flatten()(L.Embedding(3, 2)(lookup(inputs)))))
    x = np.array(["good", "bad", "other"])[np.arange(120) % 3]
    parent = small_models.baseline(model, tmp_path / "text.keras")
    dataset = prepare((x, np.arange(120) % 2), tmp_path / "data", model=parent.description)
    for name, parameters in (
        *(("inference.runtime", {"runtime": runtime}) for runtime in ("litert", "onnxruntime", "openvino")),
        ("quantization.int8", {}),
        ("quantization.onnx_int8", {}),
        ("quantization.openvino_int8", {}),
        ("quantization.litert_int8", {}),
    ):
        technique = techniques.technique(name)
        reason = technique.obstacle(parent, dataset.info, technique.parameters_type(**parameters))
        assert str(reason) == (
            "table (StringLookup) looks its input up in a table. Only Keras runs that. For other runtimes, "
            "do it before the model, and open a model that starts with the numbers."
        )
    technique = techniques.technique("inference.runtime")
    reason = technique.obstacle(parent, dataset.info, technique.parameters_type(runtime="keras.xla"))
    assert str(reason).endswith("XLA cannot compile that: choose another Keras runtime.")
    texts = dataset.x("test")
    expected = np.asarray(model(tf.constant(texts)))
    for name in ("keras.eager", "keras.function"):
        session = runtimes.runtime(name).load(parent.path, RuntimeSettings())
        np.testing.assert_allclose(session.predict(texts), expected, atol=1e-6)
