"""Architectures of keras.applications; all of them: ``python -m tests.benchmarks architectures``."""

import numpy as np
import pytest

from tests.benchmarks import architectures
from tests.graph.zeroing import some_units
from workbench.api.errors import WorkbenchError
from workbench.graph.dependencies import DependencyGraph
from workbench.graph.units import Units
from workbench.models.reading.description import describe_keras
from workbench.plain.keras.channel_removal import narrowed_config

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.slow

GROUPS = {
    "ConvNeXtTiny": 18, "DenseNet121": 120, "EfficientNetB0": 40, "MobileNetV2": 25, "NASNetMobile": 128,
    "ResNet50": 37, "VGG16": 15, "Xception": 28,
}  # fmt: skip
REBUILT = ("ConvNeXtTiny", "EfficientNetB0", "MobileNetV2", "ResNet50", "VGG16", "Xception")


def test_pruned_trained_saved_and_converted(tmp_path):
    model = keras.applications.MobileNetV3Small(
        weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None
    )
    row = {}
    pruned = architectures.prune(model, row)
    assert row["exact"] < 1e-5
    assert 0.4 < row["weights"] < 0.7
    x = np.random.default_rng(1).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    assert architectures.train_a_step(keras, pruned, x) == "ok"
    clean = pruned.__class__.from_config(pruned.get_config())
    clean.set_weights(pruned.get_weights())
    clean.save(tmp_path / "pruned.keras")
    loaded = keras.models.load_model(tmp_path / "pruned.keras", compile=False)
    expected = architectures.outputs(pruned, x)
    assert architectures.difference(architectures.outputs(loaded, x), expected) < 1e-5
    for runtime in ("LiteRT", "ONNX"):
        try:
            found = architectures.through(runtime, loaded, tmp_path, x)
        except WorkbenchError as error:
            pytest.fail(f"{runtime}: {error}")
        assert architectures.difference(found, expected) < 1e-4


@pytest.mark.parametrize("name", GROUPS)
def test_groups_and_sizes_of_the_narrowed_configuration(name):
    side = architectures.SIDES.get(name, 64)
    model = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3), classes=10)
    config = keras.saving.serialize_keras_object(model)["config"]
    units = Units(DependencyGraph(config))
    assert not units.graph.closed
    assert len(units.groups) == GROUPS[name]
    assert units.size(units.nothing()).macs == describe_keras(model).macs
    removed = units.removing(some_units(units, 0.3))
    assert units.size(removed).parameters < 0.85 * units.size(units.nothing()).parameters
    if name in REBUILT:
        smaller = model.__class__.from_config(narrowed_config(config, units.channels, removed))
        assert describe_keras(smaller).macs == units.size(removed).macs
