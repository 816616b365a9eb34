import numpy as np
import pytest

from workbench.api.variant import RuntimeSettings
from workbench.models.converting.conversion import to_onnx
from workbench.runtimes import runtime

keras = pytest.importorskip("keras")
L = keras.layers


def same_in_onnx(model, x, path):
    session = runtime("onnxruntime").load(to_onnx(model, path), RuntimeSettings())
    np.testing.assert_allclose(session.predict(x), np.asarray(model(x)), rtol=1e-4, atol=1e-5)
    session.close()


def test_an_adapted_normalization_brings_no_inputs_of_its_own(tmp_path):
    rng = np.random.default_rng(0)
    norm = L.Normalization()
    norm.adapt(rng.normal(3, 2, (50, 6)))
    inner = keras.Sequential([keras.Input((6,)), norm, L.Dense(4)])
    model = keras.Sequential([keras.Input((6,)), inner, L.Dense(3)])
    same_in_onnx(model, rng.normal(3, 2, (5, 6)).astype(np.float32), tmp_path / "model.onnx")


@pytest.mark.parametrize("width", [4, 32])
def test_positions_from_outside_of_the_graph_bring_no_inputs(width, tmp_path):
    """TensorFlow captures small tensors and large ones in two ways."""
    tokens = keras.Input((20,), dtype="int32", name="tokens")
    x = L.Embedding(50, width)(tokens) + L.Embedding(20, width)(keras.ops.arange(20))
    model = keras.Model(tokens, L.Dense(3)(L.GlobalAveragePooling1D()(x)))
    words = np.random.default_rng(0).integers(0, 50, (3, 20)).astype(np.int32)
    same_in_onnx(model, words, tmp_path / "model.onnx")


def test_grouped_convolutions(tmp_path):
    i = keras.Input((8, 8, 6))
    x = L.Conv2D(12, 3, groups=6, padding="same")(L.Conv2D(6, 3, groups=3)(i))
    model = keras.Model(i, L.Dense(3)(L.GlobalAveragePooling2D()(x)))
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 6)).astype(np.float32)
    same_in_onnx(model, x, tmp_path / "model.onnx")
