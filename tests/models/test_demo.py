import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from workbench.data.prepare import prepare
from workbench.models.demo.architectures import dense, residual_cnn
from workbench.models.demo.demo import DEMO_MODELS, FOLDER
from workbench.models.demo.train import TRAININGS, train

REACHED = {
    "cnn-mnist-5k": 0.988,
    "dense-mnist-5k": 0.942,
    "dense-digits": 0.966,
    "dense-breast-cancer": 0.991,
}


@pytest.mark.parametrize("name", list(DEMO_MODELS))
def test_a_shipped_model_reaches_on_the_test_split_what_training_printed(tmp_path, name):
    import keras

    demo = DEMO_MODELS[name]
    dataset = prepare(demo.dataset, tmp_path / "data")
    model = keras.saving.load_model(demo.path, safe_mode=True)
    predicted = model.predict(np.asarray(dataset.x("test")), batch_size=256, verbose=0)
    np.testing.assert_allclose(predicted.sum(axis=-1), 1, atol=1e-5)
    accuracy = float((predicted.argmax(axis=-1) == dataset.y("test")).mean())
    assert accuracy == pytest.approx(REACHED[name], abs=0.002)
    assert model.output_shape == (None, len(dataset.info.classes))


def test_the_files_are_small_and_carry_no_optimizer():
    files = sorted(FOLDER.glob("*.keras"))
    assert [path.stem for path in files] == sorted(DEMO_MODELS)
    assert sum(path.stat().st_size for path in files) < 2_000_000
    for path in files:
        with zipfile.ZipFile(path) as archive:
            assert "optimizer" not in archive.read("config.json").decode().lower()
            assert not json.loads(archive.read("config.json")).get("compile_config")


def test_every_demo_model_has_its_training():
    assert set(TRAININGS) == set(DEMO_MODELS)


@pytest.mark.slow
def test_training_is_seeded_and_learns(tmp_path, monkeypatch):
    monkeypatch.setitem(
        TRAININGS, "dense-breast-cancer", replace(TRAININGS["dense-breast-cancer"], epochs=10)
    )
    dataset = prepare("breast-cancer", tmp_path / "data")
    first, second = (train("dense-breast-cancer", dataset) for _ in range(2))
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    predicted = first.predict(np.asarray(dataset.x("validation")), verbose=0).argmax(axis=-1)
    assert (predicted == dataset.y("validation")).mean() > 0.9
    assert getattr(first, "optimizer", None) is None


def test_architectures():
    small = dense((28, 28, 1), 10)
    assert small.count_params() == 784 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10
    assert [layer.name for layer in small.layers] == [
        "features",
        "flatten",
        "hidden_1",
        "hidden_2",
        "probabilities",
    ]
    assert "flatten" not in [layer.name for layer in dense((30,), 2).layers]
    residual = residual_cnn((28, 28, 1), 10)
    kinds = {type(layer).__name__ for layer in residual.layers}
    assert {"BatchNormalization", "DepthwiseConv2D", "Add", "Concatenate", "GlobalAveragePooling2D"} <= kinds
    assert 75_000 < residual.count_params() < 90_000
    assert residual_cnn((32, 32, 3), 7, width=16).output_shape == (None, 7)
