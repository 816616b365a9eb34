"""The model of a notebook's own class, through the front door: opened, and optimized by all families."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from widgets.panels.top_bar import TopBar
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


def test_the_articles_model_as_it_is_typed_is_optimized_by_all_families(
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
    for job in (
        workbench.structure.pruning(remove=0.5, epochs=1, epochs_between=0),
        workbench.training.retrain(epochs=1),
        workbench.inference.runtime(runtime="onnxruntime"),
        workbench.quantization.int8(),
        workbench.distillation.distill(epochs=1),
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
