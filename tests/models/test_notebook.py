"""A model object from a notebook becomes a file, or one clear error."""

import numpy as np
import pytest

from tests.kinds import graphs
from tests.safety.hostile import Quiet
from workbench.api.errors import InvalidInput, Refused
from workbench.api.variant import RuntimeSettings
from workbench.models.converting.conversion import load_keras, to_tflite
from workbench.models.intake.intake import open_model, save_from_notebook
from workbench.models.intake.opening_words import opening_notes
from workbench.runtimes import runtime


def test_a_model_is_handed_over(keras, tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="last")])
    save_from_notebook(model, tmp_path / "staging" / "model.keras")
    opened = open_model(Quiet(), tmp_path / "staging" / "model.keras", tmp_path / "store")
    assert [layer.name for layer in opened.description.layers] == ["last"]
    assert [path.name for path in (tmp_path / "staging").iterdir()] == ["model.keras"]


def test_lambda_layers_are_named(keras, tmp_path):
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x + 1, name="plus_one")])
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(2)])
    with pytest.raises(Refused) as caught:
        save_from_notebook(model, tmp_path / "model.keras")
    assert str(caught.value) == (
        "The model has Lambda layers, which carry Python code: plus_one. "
        "If the code is yours, open the model again with trust=True."
    )
    assert list(tmp_path.iterdir()) == []
    save_from_notebook(model, tmp_path / "model.keras", trust=True)
    opened = open_model(Quiet(), tmp_path / "model.keras", tmp_path / "store", trust=True)
    assert opened.trusted
    with pytest.raises(Refused, match="has Lambda layers"):
        open_model(Quiet(), tmp_path / "model.keras", tmp_path / "shared", trust=True, shared=True)


def doubled(x):
    return x * 2


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: pytest.approx(x), "uses pytest from around it, which its file cannot carry."),
        (lambda x: (lambda y: doubled(y))(x), "uses doubled from around it, which its file cannot carry."),
        (doubled, "calls doubled, of which its file keeps the name only."),
    ],
)
def test_a_lambda_that_a_file_cannot_carry_is_refused_where_it_was_written(function, said, keras, tmp_path):
    layer = keras.layers.Lambda(function, output_shape=(4,), name="own")
    model = keras.Sequential([layer])
    with pytest.raises(Refused) as caught:
        save_from_notebook(model, tmp_path / "model.keras", trust=True)
    assert str(caught.value).startswith(f"The Lambda layer own {said} ")


def test_a_lambda_inside_a_wrapper_is_found(keras, tmp_path):
    wrapped = keras.layers.TimeDistributed(keras.layers.Lambda(lambda x: x + 1, name="plus_one"))
    with pytest.raises(Refused, match="plus_one"):
        save_from_notebook(keras.Sequential([keras.Input((3, 4)), wrapped]), tmp_path / "model.keras")


def test_activations_of_the_users_own_go_by_value(keras, tmp_path):
    layers = keras.layers
    given = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    for own in (layers.Dense(2, doubled, name="own"), layers.Activation(doubled, name="own")):
        folder = tmp_path / type(own).__name__
        model = keras.Sequential([keras.Input((4,)), own])
        save_from_notebook(model, folder / "model.keras")
        code = folder / "own_classes.pkl"
        opened = open_model(Quiet(), folder / "model.keras", folder / "store", code=code)
        again = load_keras(opened.path)
        assert np.array_equal(again(given).numpy(), model(given).numpy())
        assert again.layers[-1].activation is not doubled
    sneaky = keras.Sequential([keras.Input((4,)), layers.Dense(2, lambda x: x * 2, name="own")])
    with pytest.raises(Refused, match="The activation of the layer own is a lambda, of which a file keeps"):
        save_from_notebook(sneaky, tmp_path / "model.keras")
    assert not (tmp_path / "model.keras").exists()
    known = [layers.Dense(2, keras.ops.relu), layers.Dense(2, layers.LeakyReLU()), layers.Dense(2, "gelu")]
    save_from_notebook(keras.Sequential([keras.Input((4,)), *known]), tmp_path / "model.keras")
    assert not (tmp_path / "own_classes.pkl").exists()
    open_model(Quiet(), tmp_path / "model.keras", tmp_path / "store")


def test_what_no_file_can_describe_is_kept_as_a_graph(keras, tmp_path):
    brought = graphs.graph_only(tmp_path)
    x = brought.data[0]
    found = save_from_notebook(brought.model, tmp_path / "model.keras", samples=x[:8])
    assert found.graph_only is not None
    assert "must override `get_config()`" in str(found.graph_only)
    said = "".join(str(note) for note in opening_notes(found))
    assert said.startswith("Only the graph of Repeated is left, with its weights as constants: ")
    code = tmp_path / "own_classes.pkl"
    opened = open_model(Quiet(), tmp_path / "model.keras", tmp_path / "store", code=code)
    assert opened.description.parameters == brought.model.count_params()
    expected = brought.model(x).numpy()
    assert np.allclose(load_keras(opened.path)(x).numpy(), expected, atol=1e-6)
    file = to_tflite(load_keras(opened.path), tmp_path / "graph.tflite")
    session = runtime("litert").load(file, RuntimeSettings())
    assert np.allclose(session.predict(x), expected, atol=1e-5)
    session.close()


def test_a_model_without_shape(keras, tmp_path):
    with pytest.raises(InvalidInput) as caught:
        save_from_notebook(keras.Sequential([keras.layers.Dense(2)]), tmp_path / "model.keras")
    assert str(caught.value) == (
        "The model has no input shape yet. "
        "Add keras.Input(shape) in front, or call the model once on a batch."
    )


def test_operations_of_keras_are_no_code_of_the_user(keras, tmp_path):
    given = keras.Input((4,))
    model = keras.Model(given, keras.ops.softmax(keras.ops.relu(given * 2.0 + 1.0)))
    save_from_notebook(model, tmp_path / "model.keras")
    opened = open_model(Quiet(), tmp_path / "model.keras", tmp_path / "store")
    assert not opened.description.from_logits
