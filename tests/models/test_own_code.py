"""Classes of the user's own travel with what stays closed: by value, or in a Python file that was named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.safety.hostile import Quiet, reconfigured
from workbench.api.errors import InvalidInput, Refused
from workbench.models.converting.conversion import load_keras
from workbench.models.intake.intake import open_model, save_from_notebook
from workbench.models.intake.own_code import BY_VALUE, WRITTEN, classes_in

LAYERS = """
import keras


class SimpleModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = keras.layers.Dense(8, activation="relu")
        self.dense2 = keras.layers.Dense(3, activation="softmax")

    def call(self, inputs, training=None, mask=None):
        return self.dense2(self.dense1(inputs))


@keras.saving.register_keras_serializable(package="mine")
class Scaling(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=shape[1:], initializer="ones", name="scale")

    def call(self, inputs):
        return inputs * self.scale
"""
MAKE = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import keras
from layers import Scaling, SimpleModel
x = np.random.default_rng(0).normal(size=(16, 5)).astype("float32")
model = SimpleModel()
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, np.arange(16) % 3, verbose=0)
model.save(sys.argv[1] + "/simple.keras")
np.savez(sys.argv[1] + "/simple.npz", x=x, y=model(x).numpy())
front = [keras.Input((5,)), keras.layers.Dense(4)]
model = keras.Sequential([*front, Scaling(name="own"), keras.layers.Dense(3)])
model.save(sys.argv[1] + "/scaled.keras")
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What somebody saved where the classes are importable, which they are not here."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "layers.py").write_text(LAYERS)
    (folder / "make.py").write_text(MAKE)
    subprocess.run(
        [sys.executable, str(folder / "make.py"), str(folder)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
        capture_output=True,
    )
    return folder


def test_the_articles_file_opens_with_its_code_and_needs_it_no_more(files, tmp_path):
    opened = open_model(Quiet(), files / "simple.keras", tmp_path / "store", code=files / "layers.py")
    found = opened.description.opened_up
    assert (found.name, found.layers, found.closed) == ("SimpleModel", 2, ())
    assert str(opened.notes[0]).startswith("Opened up: 2 layers of SimpleModel.")
    assert not opened.trusted
    assert [file.name for file in opened.path.parent.iterdir()] == ["model.keras"]
    known = np.load(files / "simple.npz")
    assert np.array_equal(load_keras(opened.path)(known["x"]).numpy(), known["y"])


def test_a_layer_that_stays_closed_keeps_its_code_beside_it(files, tmp_path):
    opened = open_model(Quiet(), files / "scaled.keras", tmp_path / "store", code=files / "layers.py")
    assert opened.description.opened_up.closed == ("own (Scaling)",)
    assert [layer.kind for layer in opened.description.layers] == ["Dense", "Scaling", "Dense"]
    assert sorted(file.name for file in opened.path.parent.iterdir()) == ["model.keras", WRITTEN]
    assert load_keras(opened.path).get_layer("own").weights
    opened.path.with_name(WRITTEN).unlink()
    with pytest.raises(InvalidInput, match="Keras cannot load"):
        load_keras(opened.path)


def test_a_file_with_own_classes_and_no_code_says_which_option_there_is(files, tmp_path):
    with pytest.raises(Refused) as caught:
        open_model(Quiet(), files / "scaled.keras", tmp_path / "store")
    assert str(caught.value).startswith(
        "scaled.keras needs classes or functions of your own, which cannot be imported here: mine>Scaling. "
    )
    assert str(caught.value).endswith(
        "Or give the Python file that defines them: --code layers.py, or code='layers.py'."
    )
    with pytest.raises(Refused) as caught:
        open_model(Quiet(), files / "scaled.keras", tmp_path / "store", shared=True)
    assert "--code" not in str(caught.value)


def test_classes_of_a_notebook_go_by_value(keras, tmp_path):
    class Turning(keras.layers.Layer):
        def build(self, shape):
            self.turn = self.add_weight(shape=(shape[-1], shape[-1]), initializer="random_normal")

        def call(self, inputs):
            return keras.ops.matmul(inputs, self.turn)

    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(Turning(name="own")(inputs)))
    found = save_from_notebook(model, tmp_path / "model.keras")
    assert found.closed == ("own (Turning)",)
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    opened = open_model(Quiet(), tmp_path / "model.keras", tmp_path / "store", code=tmp_path / BY_VALUE)
    again = load_keras(opened.path)
    assert np.array_equal(again(x).numpy(), model(x).numpy())
    assert classes_in(opened.path.with_name(BY_VALUE))["Turning"] is type(again.get_layer("own"))


def test_code_that_cannot_be_run_or_defines_something_else_is_explained(files, tmp_path):
    broken, other = tmp_path / "broken.py", tmp_path / "other.py"
    broken.write_text("import no_such_package_here\n")
    other.write_text("class Another:\n    pass\n")
    with pytest.raises(InvalidInput, match="cannot be run: No module named 'no_such_package_here'"):
        open_model(Quiet(), files / "scaled.keras", tmp_path / "store", code=broken)
    with pytest.raises(Refused, match="does not define: mine>Scaling"):
        open_model(Quiet(), files / "scaled.keras", tmp_path / "store", code=other)
    assert list((tmp_path / "store").iterdir()) == []


def test_no_code_is_taken_from_beside_a_strangers_file_or_from_a_package_that_nobody_named(files, tmp_path):
    here = tmp_path / "strangers"
    here.mkdir()
    shutil.copy(files / "scaled.keras", here / "model.keras")
    marker = tmp_path / "ran"
    (here / WRITTEN).write_text(f"open({str(marker)!r}, 'w')\n" + LAYERS)
    (here / BY_VALUE).write_bytes(f"cos\nsystem\n(S'touch {marker}'\ntR.".encode())
    with pytest.raises(Refused, match="needs classes or functions of your own"):
        open_model(Quiet(), here / "model.keras", tmp_path / "store")

    def renamed(config):
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "Scaling":
                layer["module"], layer["registered_name"] = "strangers.module", None

    (here / "module.py").write_text(f"open({str(marker)!r}, 'w')\n" + LAYERS)
    package = reconfigured(files / "scaled.keras", tmp_path / "package.keras", renamed)
    with pytest.raises(Refused, match=r"does not define: strangers\.module\.Scaling"):
        open_model(Quiet(), package, tmp_path / "store", code=files / "layers.py")
    assert not marker.exists()


def test_no_code_on_a_shared_page(files, tmp_path):
    for source in ("scaled.keras", "simple.keras"):
        with pytest.raises(Refused, match="On a shared page no code can be given with a model"):
            open_model(Quiet(), files / source, tmp_path / "store", shared=True, code=files / "layers.py")
