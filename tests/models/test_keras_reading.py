"""Files of Keras 2 open by the way that fits, compute the same, and say which way that was."""

import numpy as np
import pytest

from tests.safety.hostile import Quiet
from workbench.api.errors import InvalidInput, Refused
from workbench.models.intake import legacy
from workbench.models.intake.intake import open_model

pytestmark = pytest.mark.slow

ANEW = "Keras 2 read it; it was built anew in Keras 3, layer by layer."
PROVEN = "Checked on random input against Keras 2: largest difference "


def notes(opened):
    return [str(note) for note in opened.notes]


@pytest.mark.parametrize(
    ("name", "way", "parameters"),
    [
        (
            "mobile.h5",
            f"A file of Keras 2.21.0. {ANEW}",
            557,
        ),
        (
            "clicked.h5",
            f"A file of Keras 2.21.0. {ANEW}",
            204,
        ),
        ("sequential.h5", "A file of Keras 2.21.0. Keras 3 reads it directly.", 67),
        (
            "list.h5",
            f"A file of Keras 2.1.6. {ANEW}",
            67,
        ),
        (
            "both.keras",
            f"A file of Keras 2.21.0. {ANEW}",
            50,
        ),
    ],
)
def test_the_way_that_fits(name, way, parameters, old, keras, tmp_path):
    opened = open_model(Quiet(), old / name, tmp_path)
    assert notes(opened)[0] == way
    assert notes(opened)[1].startswith(PROVEN)
    assert float(notes(opened)[1].removeprefix(PROVEN).rstrip(".")) < 1e-5
    assert opened.format == "keras"
    assert opened.needs_tensorflow
    description = opened.description
    assert description.parameters == parameters
    if name == "mobile.h5":
        assert notes(opened)[-1] == "The optimizer's state is not kept: that saves 4.2 KiB."
        assert not description.from_logits
    if name == "both.keras":
        assert [(spec.name, spec.shape) for spec in description.inputs] == [("left", (4,)), ("right", (3,))]
        assert description.layers[0].name == "inner/dense_1"
        assert description.from_logits
    # what is stored is plain Keras 3
    again = keras.saving.load_model(opened.path)
    assert again.count_params() == parameters
    assert all(type(layer).__module__.startswith("keras.") for layer in again.layers)
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


def test_weights_under_other_names(old, keras, tmp_path):
    """Keras 2.13 counted the layers of a kind twice; on Windows, slashes were backslashes."""
    opened = open_model(Quiet(), old / "windows.keras", tmp_path)
    assert notes(opened)[0] == f"A file of Keras 2.13.1. {ANEW}"
    model, expected = keras.saving.load_model(opened.path), np.load(old / "windows.npz")
    assert np.abs(model(expected["x"]).numpy() - expected["y"]).max() < 1e-5


def test_layers_that_remember_are_compared_from_their_first_call(old, tmp_path):
    opened = open_model(Quiet(), old / "stateful.h5", tmp_path)
    assert notes(opened)[0] == f"A file of Keras 2.21.0. {ANEW}"
    assert float(notes(opened)[1].removeprefix(PROVEN).rstrip(".")) < 1e-5
    assert any("kept their state from call to call (stateful)" in note for note in notes(opened))


def test_a_saved_model_of_tensorflow_2_4(old, tmp_path):
    assert not (old / "older" / "keras_metadata.pb").exists()
    opened = open_model(Quiet(), old / "older", tmp_path, trust=True)
    assert notes(opened)[0] == f"A SavedModel of Keras 2. {ANEW}"
    assert opened.description.parameters == 67


def test_nobody_is_asked_to_trust_what_is_refused_anyway(tmp_path):
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "saved_model.pb").write_bytes(b"no model of Keras")
    for trust in (False, True):
        with pytest.raises(Refused, match="is a SavedModel with a graph only"):
            open_model(Quiet(), tmp_path / "graph", tmp_path / "store", trust=trust)


def test_a_trusted_lambda_of_keras_2(old, tmp_path):
    opened = open_model(Quiet(), old / "named.h5", tmp_path, trust=True)
    assert opened.trusted
    assert [layer.kind for layer in opened.description.layers] == ["Lambda"]


def test_a_trusted_saved_model(old, tmp_path):
    opened = open_model(Quiet(), old / "saved", tmp_path, trust=True)
    assert notes(opened)[0] == (f"A SavedModel of Keras 2. {ANEW}")
    assert opened.description.parameters == 557


def test_a_saved_model_without_keras_in_it_says_what_would_work(keras, tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.export(tmp_path / "graph", verbose=False)
    with pytest.raises(Refused) as caught:
        open_model(Quiet(), tmp_path / "graph", tmp_path / "store", trust=True)
    assert str(caught.value) == (
        "graph is a SavedModel with a graph only, without the Keras model that made it. "
        "Save that model with model.save('model.keras'), or convert the folder with "
        "tf.lite.TFLiteConverter.from_saved_model and open the .tflite file to measure it."
    )
    assert not (tmp_path / "store").exists()


def test_a_lambda_of_keras_2_is_refused_before_keras_2_sees_it(old, tmp_path, monkeypatch):
    monkeypatch.setattr(legacy, "run_limited", None)
    with pytest.raises(Refused, match=r"lambda\.h5 has Lambda layers, which carry Python code: sneaky"):
        open_model(Quiet(), old / "lambda.h5", tmp_path)


def test_limits_on_keras_2_are_a_clear_error(old, tmp_path, monkeypatch):
    monkeypatch.setattr(legacy, "_BASE_BYTES", 1 << 29)
    with pytest.raises(InvalidInput) as caught:
        open_model(Quiet(), old / "sequential.h5", tmp_path)
    assert str(caught.value).startswith("Keras 2 cannot read sequential.h5: ")
    assert str(caught.value).endswith(
        "Load it with the Keras that wrote it (2.21.0), save it there with model.save('model.keras'), and "
        "open that; or convert it there with tf.lite.TFLiteConverter.from_keras_model and open the .tflite "
        "file."
    )
    assert list(tmp_path.iterdir()) == []
