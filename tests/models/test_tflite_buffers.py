"""Constants behind the tables of a LiteRT file are read, counted and brought back, wherever they lie."""

import shutil

import keras
import numpy as np
import pytest
from keras import layers

from workbench.api.errors import InvalidInput
from workbench.api.variant import RuntimeSettings
from workbench.measure.weight_files import stored_tensors
from workbench.models.converting.conversion import to_tflite
from workbench.models.reading.tflite import describe_tflite
from workbench.plain.litert.activation_ranges import observed_ranges
from workbench.plain.litert.biases import round_biases
from workbench.plain.litert.buffers import read_tables
from workbench.plain.litert.strip import strip_metadata
from workbench.runtimes import runtime

WIDE, TOKENS = 512, 8


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A float32 file, and what the quantizer makes of it: it puts the constants behind the tables."""
    from litert_quantizer.qtyping import TFLOperationName
    from litert_quantizer.quantizer import Quantizer

    folder = tmp_path_factory.mktemp("large")
    keras.utils.set_random_seed(3)
    inputs = keras.Input((TOKENS, 24), name="x")
    x = layers.EinsumDense("abc,bcd->abd", (TOKENS, 64), name="own_of_each")(inputs)
    x = layers.Dense(WIDE, activation="relu", bias_initializer="normal", name="tokens")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(64, bias_initializer="normal", name="wide")(x)
    model = keras.Model(inputs, layers.Dense(3, name="classes")(x))
    source = to_tflite(model, folder / "float32.tflite")
    worker = Quantizer(str(source))
    worker.add_weight_only_config(".*", TFLOperationName.ALL_SUPPORTED, 8)
    target = folder / "int8.tflite"
    worker.quantize(enable_progress_report=False).export_model(str(target), overwrite=True)
    return model, source, target


def behind(path):
    from ai_edge_litert import schema_py_generated as schema

    buffers = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0).buffers
    return sum(buffer.size for buffer in buffers if buffer.offset > 1)


def predicted(path):
    session = runtime("litert").load(path, RuntimeSettings())
    x = np.random.default_rng(0).normal(size=(4, TOKENS, 24)).astype(np.float32)
    try:
        return session.predict(x)
    finally:
        session.close()


def test_what_lies_behind_the_tables_is_described_like_what_lies_in_them(files):
    model, source, target = files
    assert behind(source) == 0
    assert behind(target) > 256 << 10
    exact, found = describe_tflite(source), describe_tflite(target)
    biases = 3  # of the last layer; the converter leaves zeros out
    assert exact.parameters == found.parameters == model.count_params() - biases
    assert (exact.precision, found.precision) == ("float32", "int8 weights")
    kernels = TOKENS * 24 * 64 + 64 * WIDE + TOKENS * WIDE * 64 + 64 * 3
    rounded = [layer for layer in found.layers if layer.precision == "int8"]
    # The last but one has its biases with it; those of the tokens are added after a reshape.
    assert sum(layer.size_bytes for layer in rounded) == kernels + 4 * 64
    assert [layer.kind for layer in rounded] == ["BATCH_MATMUL", *3 * ["FULLY_CONNECTED"]]
    # A dense layer over tokens multiplies once for each of them.
    macs = TOKENS * 24 * 64 + TOKENS * 64 * WIDE + TOKENS * WIDE * 64 + 64 * 3
    assert exact.macs == found.macs == macs


def test_slimming_brings_them_back_and_computes_the_same(files, tmp_path):
    _, _, target = files
    path = tmp_path / "slim.tflite"
    shutil.copy(target, path)
    before, described = predicted(path), describe_tflite(path)
    stored = [
        (tensor.shape, tensor.precision, tensor.values.tobytes()) for tensor in stored_tensors(path, "tflite")
    ]
    assert sum(len(values) for _, _, values in stored) > 256 << 10
    strip_metadata(path)
    assert behind(path) == 0
    assert path.stat().st_size < target.stat().st_size
    np.testing.assert_array_equal(predicted(path), before)
    found = describe_tflite(path)
    assert found.model_copy(update={"layers": ()}) == described.model_copy(update={"layers": ()})
    assert stored == [
        (tensor.shape, tensor.precision, tensor.values.tobytes()) for tensor in stored_tensors(path, "tflite")
    ]
    once = path.read_bytes()
    strip_metadata(path)
    assert path.read_bytes() == once


def test_biases_are_rounded_in_such_a_file_too(files, tmp_path):
    _, _, target = files
    path = tmp_path / "rounded.tflite"
    shutil.copy(target, path)
    round_biases(path)
    assert behind(path) == 0
    moved = np.abs(predicted(path) - predicted(target))
    assert 0 < moved.max() < 0.1


def test_constants_are_no_activations(files):
    _, source, target = files
    x = np.ones((1, TOKENS, 24), np.float32)
    ranges = [set(observed_ranges(path, lambda: [{"x": x}])) for path in (source, target)]
    assert len(ranges[0]) > 5
    # Between them are the weights, widened to float32 when the file is loaded.
    assert {name for name in ranges[1] - ranges[0] if not name.endswith("_dequant")} == set()


def test_a_constant_outside_of_the_file_is_damage(files, tmp_path):
    _, _, target = files
    path = tmp_path / "cut.tflite"
    path.write_bytes(target.read_bytes()[: -(64 << 10)])
    with pytest.raises(ValueError, match="a constant of"):
        read_tables(path.read_bytes())
    with pytest.raises(InvalidInput, match="damaged"):
        describe_tflite(path)
    with pytest.raises(InvalidInput, match="damaged"):
        list(stored_tensors(path, "tflite"))
