"""Exported files predict: layers that train by default do not make the others train."""

import numpy as np
import pytest

from workbench.api.variant import RuntimeSettings
from workbench.models.converting.conversion import to_onnx, to_openvino
from workbench.plain.keras.export import predicting
from workbench.runtimes import runtime

keras = pytest.importorskip("keras")
L = keras.layers
X = np.random.default_rng(0).uniform(0, 255, (6, 12, 12, 3)).astype(np.float32)


def augmented(*first):
    keras.utils.set_random_seed(3)
    norm = L.BatchNormalization()
    model = keras.Sequential(
        [keras.Input((12, 12, 3)), *first, L.Conv2D(4, 3), norm, L.GlobalAveragePooling2D(), L.Dense(3)]
    )
    norm.set_weights([weights + 0.5 for weights in norm.get_weights()])
    return model


@pytest.mark.parametrize(
    "first",
    [
        lambda: [L.Resizing(8, 8), L.Rescaling(1 / 255)],
        lambda: [L.RandomFlip(), L.RandomRotation(0.2), L.RandomCrop(10, 10)],
    ],
    ids=["resizing", "random"],
)
def test_normalization_behind_preprocessing_keeps_its_statistics(first, tmp_path):
    model = augmented(*first())
    expected = np.asarray(model(X, training=False))
    for name, path in (
        ("onnxruntime", to_onnx(model, tmp_path / "model.onnx")),
        ("openvino", to_openvino(model, tmp_path / "model")),
    ):
        session = runtime(name).load(path, RuntimeSettings())
        np.testing.assert_allclose(
            session.predict(X), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max()
        )
        session.close()


def test_the_model_trains_again_afterwards():
    model = augmented(L.RandomFlip())
    before = [layer._call_signature for layer in model._flatten_layers()]
    with predicting(model):
        inside = np.asarray(model(X))
    assert [layer._call_signature for layer in model._flatten_layers()] == before
    np.testing.assert_array_equal(inside, np.asarray(model(X, training=False)))
    assert np.abs(np.asarray(model(X)) - inside).max() > 1e-3
