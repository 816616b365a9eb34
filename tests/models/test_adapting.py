"""Models that come in mixed precision, or with input names that no file can have."""

import numpy as np
import pytest

from workbench.data.input_names import safe_name
from workbench.data.prepare import prepare
from workbench.models.adapting import to_float32, with_safe_names
from workbench.models.conversion import to_tflite
from workbench.runtimes import runtime
from workbench.variant import RuntimeSettings

keras = pytest.importorskip("keras")
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
