"""Models of the user's own class become graphs that compute the same; they themselves stay as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.safety.hostile import Quiet
from workbench.api.errors import InvalidInput
from workbench.models.converting.conversion import load_keras
from workbench.models.intake.intake import open_model, save_from_notebook
from workbench.models.intake.opening_words import opening_notes
from workbench.models.intake.own_inputs import samples_in


def fingerprint(model: Any) -> list[Any]:
    """What symbolic calls and saving could leave behind."""
    found: list[Any] = [getattr(model, "optimizer", None), model.compiled]
    for layer in model._flatten_layers():
        values = [np.asarray(weight).tobytes() for weight in layer.variables]
        found.append((layer.name, len(layer._inbound_nodes), len(layer._outbound_nodes), values))
    return found


def opened(keras, model, folder, samples=None):
    """The stored model in Keras, and what was found; the user's own is as before."""
    before = fingerprint(model)
    found = save_from_notebook(model, folder / "model.keras", samples=samples)
    assert fingerprint(model) == before
    stored = open_model(Quiet(), folder / "model.keras", folder / "store")
    return keras.saving.load_model(stored.path), found, stored.description


@pytest.fixture(scope="module")
def classes(keras):
    """Classes of a user's own, as somebody writes them."""
    layers, ops = keras.layers, keras.ops

    class Block(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.dense = layers.Dense(units, name="dense")
            self.norm = layers.BatchNormalization(name="norm")
            self.drop = layers.Dropout(0.5)

        def call(self, inputs, training=None):
            x = self.norm(self.dense(inputs), training=training)
            if training:
                x = self.drop(x, training=training)
            return ops.relu(x)

    class Pair(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.blocks = [Block(units), Block(units)]

        def call(self, inputs, training=None):
            x = inputs
            for block in self.blocks:
                x = block(x, training=training)
            return inputs + x

    class Nested(keras.Model):
        def __init__(self):
            super().__init__()
            self.front = keras.Sequential([layers.Dense(6), Pair(6)])
            self.pair = Pair(6)
            self.out = layers.Dense(3, activation="softmax")

        def call(self, inputs, training=None):
            return self.out(self.pair(self.front(inputs, training=training), training=training))

    class Words(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding = layers.Embedding(20, 4, mask_zero=True)
            self.recurrent = layers.LSTM(5)
            self.out = layers.Dense(3)

        def call(self, inputs):
            return self.out(
                ops.concatenate([self.recurrent(self.embedding(inputs["ids"])), inputs["x"]], axis=-1)
            )

    class Tied(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(6)

        def call(self, inputs):
            return ops.matmul(self.dense(inputs), ops.transpose(self.dense.kernel))

    return {"Pair": Pair, "Nested": Nested, "Words": Words, "Tied": Tied}


def test_the_articles_model_is_written_out_and_not_changed(keras, tmp_path):
    class SimpleModel(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense1 = keras.layers.Dense(128, activation="relu")
            self.dense2 = keras.layers.Dense(64, activation="relu")
            self.dense3 = keras.layers.Dense(10, activation="softmax")

        def call(self, inputs, training=None, mask=None):
            return self.dense3(self.dense2(self.dense1(inputs)))

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 12)).astype("float32"), rng.integers(0, 10, 64)
    model = SimpleModel()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    stored, found, description = opened(keras, model, tmp_path, samples_in((x, y)))
    assert np.array_equal(stored(x).numpy(), model(x).numpy())
    assert [type(layer).__name__ for layer in stored.layers] == ["InputLayer", "Dense", "Dense", "Dense"]
    assert (found.name, found.layers, found.closed) == ("SimpleModel", 3, ())
    assert str(opening_notes(found)[0]).startswith("Opened up: 3 layers of SimpleModel.")
    assert not description.from_logits
    model.fit(x, y, verbose=0)  # and can be trained on


def test_compositions_are_written_out_with_what_they_do_in_training(keras, classes, tmp_path):
    x = np.random.default_rng(0).normal(size=(9, 5)).astype("float32")
    model = classes["Nested"]()
    model(x)
    stored, found, _ = opened(keras, model, tmp_path)
    assert np.array_equal(stored(x).numpy(), model(x).numpy())
    kinds = [type(layer).__name__ for layer in stored.layers]
    assert (kinds.count("Dense"), kinds.count("Dropout"), kinds.count("BatchNormalization")) == (6, 4, 4)
    assert found.layers == 14
    assert not found.closed
    assert not found.training_left_out
    assert not np.array_equal(stored(x, training=True).numpy(), stored(x).numpy())


def test_a_composition_inside_a_functional_model_is_written_out(keras, classes, tmp_path):
    inputs = keras.Input((6,), name="given")
    model = keras.Model(inputs, keras.layers.Dense(2)(classes["Pair"](6)(inputs)))
    x = np.ones((3, 6), "float32")
    stored, found, description = opened(keras, model, tmp_path)
    assert np.array_equal(stored(x).numpy(), model(x).numpy())
    assert found.layers == 7
    assert [spec.name for spec in description.inputs] == ["given"]


@pytest.mark.parametrize("known", [True, False])
def test_token_ids_stay_whole_numbers_beside_other_inputs(known, keras, classes, tmp_path):
    rng = np.random.default_rng(0)
    x = {"ids": rng.integers(0, 20, (8, 7)), "x": rng.normal(size=(8, 2)).astype("float32")}
    model = classes["Words"]()
    model(x)
    stored, _, description = opened(keras, model, tmp_path, samples_in((x, None)) if known else None)
    kinds = {spec.name: (spec.dtype, spec.role) for spec in description.inputs}
    assert kinds == {"ids": ("int32", "ids"), "x": ("float32", "numbers")}
    given = [x[spec.name] for spec in description.inputs]
    assert np.array_equal(stored(given).numpy(), model(x).numpy())


def test_weights_that_would_become_constants_leave_the_model_closed(keras, classes, tmp_path):
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    model = classes["Tied"]()
    model(x)
    before = fingerprint(model)
    found = save_from_notebook(model, tmp_path / "model.keras")
    assert fingerprint(model) == before
    assert found.closed == ("tied (Tied)",)
    assert [str(note)[:32] for note in opening_notes(found)] == ["What stays closed: tied (Tied). "]
    opened = open_model(
        Quiet(), tmp_path / "model.keras", tmp_path / "store", code=tmp_path / "own_classes.pkl"
    )
    assert np.array_equal(load_keras(opened.path)(x).numpy(), model(x).numpy())
    assert opened.description.parameters == model.count_params()
    assert load_keras(opened.path).get_config()["layers"][1]["config"]["name"]


def test_a_model_without_weights_or_shapes_is_not_built_by_us(keras, classes, tmp_path):
    model = classes["Nested"]()
    with pytest.raises(InvalidInput, match="no input shape yet"):
        save_from_notebook(model, tmp_path / "model.keras")
    with pytest.raises(InvalidInput, match="no weights yet"):
        save_from_notebook(model, tmp_path / "model.keras", samples=np.ones((2, 5), "float32"))
    assert model.weights == []
