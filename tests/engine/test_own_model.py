"""The model of a notebook's own class, through the front door: opened, and optimized."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from widgets.panels.top_bar import TopBar
from workbench.api.errors import Refused
from workbench.jobs.executor import Executor
from workbench.workbench import Workbench

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keras() -> Any:
    from workbench.models.converting.conversion import import_keras

    return import_keras()


@pytest.fixture(scope="module")
def digits() -> tuple[Any, Any]:
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype("float32"), y


def test_the_articles_model_as_it_is_typed_is_pruned_and_runs_elsewhere(
    keras: Any, digits: tuple[Any, Any], executor: Executor, tmp_path: Path
) -> None:
    class SimpleModel(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.dense1 = keras.layers.Dense(128, activation="relu")
            self.dense2 = keras.layers.Dense(64, activation="relu")
            self.dense3 = keras.layers.Dense(10, activation="softmax")

        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return self.dense3(self.dense2(self.dense1(inputs)))

    x, y = digits
    model = SimpleModel()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:1200], y[:1200], epochs=2, verbose=0)
    workbench = Workbench(tmp_path, executor=executor)
    baseline = workbench.open(model, (x[1200:], y[1200:])).wait()
    assert baseline is not None
    said = "Opened up: 3 layers of SimpleModel."
    assert "opened up: 3 layers of SimpleModel" in repr(baseline)
    assert said in str(workbench.results()[0].notes[0])
    assert said in str(baseline.report.notes[0])
    assert said in baseline._repr_html_()
    assert said in TopBar(workbench).view()["remarks"][len(workbench.dataset.info.notes)]
    stored = keras.saving.load_model(baseline.path)
    assert np.array_equal(stored(x[:50]).numpy(), model(x[:50]).numpy())
    for job in (  # the other families' work is in the article's notebook, which a test runs
        workbench.structure.pruning(remove=0.5, epochs=1, epochs_between=0),
        workbench.inference.runtime(runtime="onnxruntime"),
    ):
        made = job.wait()
        assert made is not None
        assert made.parent == baseline.id
        assert made.description.opened_up is None
    pruned = workbench.variants[1]
    assert pruned.description.parameters < baseline.description.parameters
    assert "keras" in sys.modules  # the user's own, and its model still trains
    model.fit(x[:64], y[:64], verbose=0)
    workbench.close()


LAYERS = """
import keras


class Mixing(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, shape):
        self.mix = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform")

    def call(self, inputs):
        return keras.ops.matmul(inputs, self.mix)


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.front = keras.layers.Dense(32, activation="relu")
        self.mixing = Mixing(24)
        self.behind = keras.layers.Dense(64, activation="relu")
        self.out = keras.layers.Dense(10, activation="softmax")

    def call(self, inputs, training=None):
        return self.out(self.behind(self.mixing(self.front(inputs))))
"""


def test_a_layer_that_stays_closed_travels_with_its_class(
    keras: Any, digits: tuple[Any, Any], executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = digits
    code = tmp_path / "layers.py"
    code.write_text(LAYERS)
    defined: dict[str, Any] = {"__name__": "__main__"}
    exec(LAYERS, defined)
    model = defined["Own"]()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:1200], y[:1200], epochs=2, verbose=0)
    model.save(tmp_path / "own.keras")
    workbench = Workbench(tmp_path / "workbench", executor=executor)
    data = x[1200:], y[1200:]
    with pytest.raises(Refused, match=r"--code layers\.py, or code='layers\.py'\.$"):
        workbench.open(tmp_path / "own.keras", data).wait()
    baseline = workbench.open(tmp_path / "own.keras", data, code=code).wait()
    assert baseline is not None
    code.unlink()  # it is remembered
    assert [layer.kind for layer in baseline.description.layers] == ["Dense", "Mixing", "Dense", "Dense"]
    assert "What stays closed: mixing (Mixing)." in str(workbench.results()[0].notes[1])
    pruned = workbench.structure.pruning(remove=0.2, epochs=1, epochs_between=0).wait()
    assert pruned is not None
    widths = [layer.output_shape[0] for layer in pruned.description.layers]
    assert widths[:2] + widths[3:] == [32, 24, 10]
    assert (widths[2] or 64) < 64
    _, packed = workbench.take_home("training.retrain", pruned.id, {"epochs": 1})
    with zipfile.ZipFile(BytesIO(packed)) as home:
        home.extractall(tmp_path / "home")
    done = subprocess.run(
        [sys.executable, "optimize.py"], cwd=tmp_path / "home", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    added = workbench.add(tmp_path / "own.keras").wait()
    assert added is not None
    assert added.description.opened_up == baseline.description.opened_up
    workbench.close()
    monkeypatch.setenv("WORKBENCH_SHARED", "1")
    monkeypatch.setenv("WORKBENCH_UPLOADS", "1")
    with Workbench(tmp_path / "shared", executor=executor) as shared:
        sent = shutil.copy(tmp_path / "own.keras", shared.folder / "own.keras")
        with pytest.raises(Refused, match="On a shared page no code can be given with a model"):
            shared.open(sent, "digits", code=tmp_path / "layers.py")
