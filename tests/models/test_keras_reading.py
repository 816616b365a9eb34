"""Files of Keras 2 open by the way that fits, compute the same, and say which way that was."""

import pytest

from tests.safety.hostile import Quiet
from workbench.errors import InvalidInput, Refused
from workbench.models import legacy
from workbench.models.intake import open_model

pytestmark = pytest.mark.slow

PROVEN = "Checked on random input against Keras 2: largest difference "


def notes(opened):
    return [str(note) for note in opened.notes]


@pytest.mark.parametrize(
    ("name", "way", "parameters"),
    [
        (
            "mobile.h5",
            "A file of Keras 2.21.0. Keras 2 read it; it was built anew in Keras 3, layer by layer.",
            557,
        ),
        (
            "transfer.h5",
            "A file of Keras 2.21.0. Keras 2 read it; it was built anew in Keras 3, layer by layer.",
            540,
        ),
        ("sequential.h5", "A file of Keras 2.21.0. Keras 3 reads it directly.", 67),
        (
            "list.h5",
            "A file of Keras 2.1.6. Keras 2 read it; it was built anew in Keras 3, layer by layer.",
            67,
        ),
        (
            "both.keras",
            "A file of Keras 2.21.0. Keras 2 read it; it was built anew in Keras 3, layer by layer.",
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


def test_a_trusted_saved_model(old, tmp_path):
    opened = open_model(Quiet(), old / "saved", tmp_path, trust=True)
    assert notes(opened)[0] == (
        "A SavedModel of Keras 2. Keras 2 read it; it was built anew in Keras 3, layer by layer."
    )
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
    monkeypatch.setattr(legacy, "run_confined", None)
    with pytest.raises(Refused, match=r"lambda\.h5 has Lambda layers, which carry Python code: sneaky"):
        open_model(Quiet(), old / "lambda.h5", tmp_path)


def test_limits_on_keras_2_are_a_clear_error(old, tmp_path, monkeypatch):
    monkeypatch.setattr(legacy, "_BASE_BYTES", 1 << 29)
    with pytest.raises(InvalidInput) as caught:
        open_model(Quiet(), old / "sequential.h5", tmp_path)
    assert str(caught.value).startswith("Keras 2 cannot read sequential.h5 either: ")
    assert str(caught.value).endswith(
        "Save the model as a .keras file with the Keras that made it, and open that."
    )
    assert list(tmp_path.iterdir()) == []
