"""Models that come in mixed precision, or with input names that no file can have."""

import numpy as np
import pytest

from workbench.api.variant import RuntimeSettings
from workbench.data.input_names import safe_name
from workbench.data.prepare import prepare
from workbench.models.converting.conversion import to_tflite
from workbench.models.intake.adapting import adapted, fixed_batch, to_float32, with_safe_names
from workbench.models.reading.description import describe_keras
from workbench.runtimes import runtime

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
L = keras.layers


@pytest.mark.parametrize(
    ("name", "safe"),
    [("image", "image"), ("a b.c", "a_b.c"), ("größe:1", "gro_e_1"), ("_x", "x"), ("x-1.y", "x-1.y")],
)
def test_safe_names(name, safe):
    assert safe_name(name) == safe


def test_inputs_with_odd_names_are_exported_and_fed(tmp_path):
    first, second = keras.Input((4,), name="a b.c"), keras.Input((2,), name="meta:1")
    model = keras.Model([first, second], L.Dense(2)(L.Concatenate()([first, second])))
    rng = np.random.default_rng(0)
    x = {"a b.c": rng.normal(size=(120, 4)), "meta:1": rng.normal(size=(120, 2))}
    expected = np.asarray(model([x["a b.c"], x["meta:1"]]))
    notes = [str(note) for note in with_safe_names(model)]
    assert notes[0].startswith("The input a b.c is called a_b.c here")
    dataset = prepare((x, np.arange(120) % 2), tmp_path / "data", scaling="none")
    assert list(dataset.info.input_shapes) == ["a_b.c", "meta_1"]
    assert "Inputs were renamed: a b.c → a_b.c, meta:1 → meta_1." in map(str, dataset.info.notes)
    model.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    session = runtime("litert").load(to_tflite(model, tmp_path / "model.tflite"), RuntimeSettings())
    found = session.predict({"a_b.c": x["a b.c"], "meta_1": x["meta:1"]})
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_mixed_precision_becomes_float32(tmp_path):
    mixed = {"dtype": "mixed_float16"}
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), L.Conv2D(4, 3, **mixed), L.Flatten(**mixed), L.Dense(3, **mixed)]
    )
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype(np.float32)
    before = np.asarray(model(x), np.float32)
    model, (note,) = to_float32(model)
    assert str(note).startswith("3 layers computed in mixed_float16")
    session = runtime("litert").load(to_tflite(model, tmp_path / "model.tflite"), RuntimeSettings())
    np.testing.assert_allclose(session.predict(x), np.asarray(model(x)), atol=1e-5)
    np.testing.assert_allclose(session.predict(x), before, atol=0.02)
    assert to_float32(model) == (model, ())


def small(policy="float32", **shape):
    inputs = keras.Input(**(shape or {"shape": (8, 8, 3)}))
    x = L.BatchNormalization(dtype=policy)(L.Conv2D(4, 3, dtype=policy)(inputs))
    return keras.Model(inputs, L.Dense(3, dtype=policy)(L.GlobalAveragePooling2D(dtype=policy)(x)))


@pytest.mark.parametrize(("policy", "within"), [("float64", 1e-6), ("float16", 0.01), ("bfloat16", 0.05)])
def test_models_of_one_element_type_become_float32(tmp_path, policy, within):
    model = small(policy)
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype(np.float32)
    before = np.asarray(keras.ops.cast(model(x), "float32"))
    changed, (note,) = to_float32(model)
    assert str(note).startswith(f"The model was made in {policy}. It computes in float32 here")
    assert {str(weight.dtype) for weight in changed.weights} == {"float32"}
    assert describe_keras(model).precision == policy
    assert describe_keras(changed).precision == "float32"
    session = runtime("litert").load(to_tflite(changed, tmp_path / "model.tflite"), RuntimeSettings())
    np.testing.assert_allclose(session.predict(x), before, atol=within)
    np.testing.assert_allclose(session.predict(x), np.asarray(changed(x)), atol=1e-5)


def test_an_input_of_64_bits_is_remembered():
    inputs = keras.Input((4,), dtype="float64", name="seconds")
    changed = adapted(keras.Model(inputs, L.Dense(2, dtype="float64")(inputs)))
    assert str(changed.model.inputs[0].dtype) == "float32"
    assert changed.exact_inputs == {"seconds"}


def test_a_fixed_batch_is_freed_where_each_sample_is_its_own_affair():
    model = small(batch_shape=(32, 8, 8, 3))
    changed = adapted(model)
    assert (changed.batch, fixed_batch(changed.model)) == (32, None)
    x = np.random.default_rng(0).normal(size=(32, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(np.asarray(changed.model(x[:5])), np.asarray(model(x))[:5], atol=1e-6)
    assert "It is timed with 32 samples a call; times are compared per sample." in str(changed.notes[0])


def test_a_batch_that_the_layers_need_stays(tmp_path):
    inputs = keras.Input(batch_shape=(8, 2, 3))
    model = keras.Model(inputs, L.Dense(2)(keras.ops.reshape(inputs, (8, 6))))
    changed = adapted(model)
    assert (changed.batch, fixed_batch(changed.model)) == (8, 8)
    assert str(changed.notes[0]).startswith("The model takes 8 samples a call and no other number")
    x = np.random.default_rng(0).normal(size=(20, 2, 3)).astype(np.float32)
    expected = np.concatenate([np.asarray(model(x[[*range(k, k + 8)]])) for k in (0, 8)])
    model.save(tmp_path / "model.keras")
    session = runtime("keras.function").load(tmp_path / "model.keras", RuntimeSettings(batch=8))
    np.testing.assert_allclose(session.predict(x)[:16], expected, atol=1e-5)
    assert session.predict(x).shape == (20, 2)
    session = runtime("litert").load(to_tflite(model, tmp_path / "model.tflite"), RuntimeSettings(batch=8))
    np.testing.assert_allclose(session.predict(x)[:16], expected, atol=1e-5)


def test_samples_that_change_each_other_are_said():
    inputs = keras.Input(batch_shape=(8, 6))
    mean = keras.ops.mean(inputs, axis=0, keepdims=True)
    changed = adapted(keras.Model(inputs, L.Dense(2)(inputs - mean)))
    assert fixed_batch(changed.model) == 8
    assert "changes with the samples beside it" in str(changed.notes[-1])


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_stateful_model_starts_every_call_anew(wrapped):
    recurrent = L.LSTM(5, stateful=True, name="memory")
    inputs = keras.Input(batch_shape=(4, 6, 2))
    layer = L.Bidirectional(recurrent) if wrapped else recurrent
    model = keras.Model(inputs, L.Dense(2)(layer(inputs)))
    x = np.random.default_rng(0).normal(size=(4, 6, 2)).astype(np.float32)
    expected = np.asarray(model(x))
    assert np.abs(np.asarray(model(x)) - expected).max() > 1e-4  # it remembers
    changed = adapted(model)
    assert "kept their state from call to call" in str(changed.notes[0])
    assert (changed.batch, fixed_batch(changed.model)) == (4, None)
    for _ in range(2):
        np.testing.assert_allclose(np.asarray(changed.model(x)), expected, atol=1e-6)
        np.testing.assert_allclose(np.asarray(changed.model(x[2:3])), expected[2:3], atol=1e-6)


@pytest.mark.parametrize("kind", [L.TextVectorization, L.StringLookup, L.IntegerLookup])
def test_what_a_lookup_learned_survives_every_copy(kind, tmp_path):
    known = np.array([7, 9, 9]) if kind is L.IntegerLookup else np.array(["good", "bad", "bad"])
    lookup = kind()
    lookup.adapt(known)
    inputs = keras.Input((1,), dtype="int64" if kind is L.IntegerLookup else "string")
    model = keras.Model(inputs, L.Flatten()(L.Embedding(9, 2)(lookup(inputs))))
    x = (
        keras.ops.convert_to_tensor(known[:, None])
        if kind is L.IntegerLookup
        else tf.constant(known[:, None])
    )
    expected = np.asarray(model(x))
    adapted(model).model.save(tmp_path / "model.keras")
    stored = keras.models.load_model(tmp_path / "model.keras")
    for copy in (stored, keras.Model.from_config(stored.get_config()), keras.models.clone_model(stored)):
        copy.set_weights(model.get_weights())
        np.testing.assert_array_equal(np.asarray(copy(x)), expected)
