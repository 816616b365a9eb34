"""What Keras 3 dropped, renamed or computes otherwise is built anew, and predicts what Keras 2 predicts."""

import json

import numpy as np
import pytest

from tests.models.zoo_names import ARCHIVES, NAMES
from workbench.api.errors import InvalidInput
from workbench.models.converting.conversion import load_keras
from workbench.models.intake.inspection import inspect as look
from workbench.models.intake.legacy_operations import OPERATIONS
from workbench.models.intake.legacy_rebuilding import rebuilt
from workbench.models.intake.parity import TOLERANCE, largest_difference, outputs_of

pytestmark = pytest.mark.slow

LEFT_OUT = {
    "pictures": (
        "RandomHeight of layer random_height is left out: Keras 3 lacks it, and it changed training only.",
        "RandomCrop of layer random_crop is left out: Keras 3 lacks it, and it changed training only.",
        "RadialConstraint of layer conv2d is left out: Keras 3 lacks it, and it changed training only.",
    )
}


def read(folder, keras):
    graph = json.loads((folder / "graph.json").read_text())
    with np.load(folder / "arrays.npz") as arrays:
        return rebuilt(keras, graph, dict(arrays))


def reference(folder):
    with np.load(folder / "reference.npz") as stored:
        return [[stored[name] for name in stored if name.startswith(part)] for part in ("input", "output")]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_predictions(name, zoo, keras, tmp_path):
    file = zoo / f"{name}.{'keras' if name in ARCHIVES else 'h5'}"
    assert look(file).problems == ()
    model, notes = read(zoo / name, keras)
    inputs, outputs = reference(zoo / name)
    assert largest_difference(outputs, outputs_of(model, inputs)) < TOLERANCE
    model.save(tmp_path / "model.keras")
    again = load_keras(tmp_path / "model.keras")
    assert largest_difference(outputs, outputs_of(again, inputs)) < TOLERANCE
    assert tuple(str(note) for note in notes) == LEFT_OUT.get(name, ())


def test_what_was_frozen_stays_frozen(zoo, keras):
    model, _ = read(zoo / "transfer", keras)
    assert not any(layer.trainable_weights for layer in model.get_layer("base_trunk").layers)
    assert len(model.trainable_weights) == 2


def test_shared_layers_stay_shared(zoo, keras):
    model, _ = read(zoo / "shared", keras)
    names = [layer.name for layer in model.layers]
    assert names.count("tower") == names.count("head") == 1
    assert sorted(model.output) == ["a", "b"]


def test_every_argument_of_keras_2_is_known(zoo, keras):
    """All built-in layers of Keras 2 with their defaults: made, or refused by name."""
    lost = {"LocallyConnected1D", "LocallyConnected2D"}
    graphs = json.loads((zoo / "defaults.json").read_text())
    assert len(graphs) > 100
    for graph in graphs:
        spec = graph["layers"][0]
        if spec["kind"] in lost:
            with pytest.raises(InvalidInput, match="which Keras 3 does not have"):
                rebuilt(keras, graph, {})
        else:
            layer, _ = rebuilt(keras, graph, {})
            assert layer.name == spec["name"]


@pytest.mark.parametrize(
    ("argument", "value"), [("time_major", True), ("an_argument_of_tomorrow", 3), ("sparse", True)]
)
def test_an_argument_that_would_change_something_is_refused_by_name(argument, value, keras):
    spec = {
        "kind": "LSTM",
        "name": "memory",
        "trainable": True,
        "config": {"dict": {"units": 2, "dtype": "float32", "time_major": False, argument: value}},
        "weights": [],
        "inside": {},
    }
    with pytest.raises(InvalidInput) as caught:
        rebuilt(keras, {"model": 0, "layers": [spec]}, {})
    assert str(caught.value) == (
        f"Layer memory (LSTM) has {argument} = {value}, which Keras 3 does not know. "
        "Build the layer without it, and save the model again."
    )


def test_operations_are_those_that_only_compute(keras):
    assert not [name for name in OPERATIONS if name.startswith(("io.", "raw_ops.", "numpy_function", "py_"))]
    for made in OPERATIONS.values():
        made(keras)  # raises where Keras lacks the operation
