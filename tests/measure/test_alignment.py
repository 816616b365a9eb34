"""The layers of a pruned model against those of its parent, in each format that names them otherwise."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.local_reporter import LocalReporter
from tests.techniques.applying import apply
from tests.techniques.structure.changing import parent_of
from workbench.api.dataset import Dataset, DatasetInfo
from workbench.api.text import say
from workbench.measure.inside.matching import Side, match_layers
from workbench.measure.inside.records import Inside, LayerMatches
from workbench.models.reading.description import describe
from workbench.results.inside import MATCHES, inside
from workbench.store import Store

keras = pytest.importorskip("keras")
onnx = pytest.importorskip("onnx")
from workbench.models.converting.conversion import to_onnx, to_tflite
from workbench.models.demo import demo

COUNTS = {"train": 40, "validation": 24, "test": 8}
FILES = {"keras": "model.keras", "tflite": "model.tflite", "onnx": "model.onnx"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "d"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for split, count in COUNTS.items():
        np.save(folder / f"x_{split}.npy", rng.normal(size=(count, 28, 28, 1)).astype(np.float32))
        np.save(folder / f"y_{split}.npy", np.arange(count) % 10)
    info = DatasetInfo(
        name="noise",
        input_shapes={"": (28, 28, 1)},
        classes=tuple("0123456789"),
        counts=COUNTS,
        class_counts={split: tuple([count // 10] * 10) for split, count in COUNTS.items()},
        scaling=say("none"),
        minimum=-4.0,
        maximum=4.0,
        is_image=True,
        seed=0,
        sha256=hashlib.sha256(b"noise").hexdigest(),
    )
    (folder / "dataset.json").write_text(json.dumps(info.model_dump(mode="json")))
    return Dataset(folder)


@pytest.fixture(scope="module")
def models(dataset, tmp_path_factory):
    """The built-in network, and the same without a block and with fewer channels, in three formats."""
    folder = tmp_path_factory.mktemp("models")
    given = keras.models.load_model(Path(demo.__file__).parent / "cnn-mnist-5k.keras", compile=False)
    parent = parent_of(given, folder / "parent")
    shorter = apply("structure.depth", parent, dataset, folder / "shorter", blocks=1, epochs=0)
    parent_again = parent.model_copy(update={"path": shorter.path, "description": shorter.description})
    narrower = apply(
        "structure.pruning", parent_again, dataset, folder / "pruned", remove=0.4, epochs=0, round_to=4
    )
    pruned = keras.models.load_model(narrower.path, compile=False)
    for name, model in (("parent", given), ("pruned", pruned)):
        to = folder / name
        model.save(to / "model.keras")
        to_tflite(model, to / "model.tflite")
        to_onnx(model, to / "model.onnx")
    return folder, given, pruned, parent


@pytest.mark.parametrize("kind", FILES)
def test_a_pruned_variant_is_aligned_with_its_parent(models, dataset, tmp_path, kind):
    folder, given, pruned, parent = models
    known = {name: describe(folder / name / FILES[kind], kind) for name in ("parent", "pruned")}
    mine, theirs = (
        Side(path=folder / name / FILES[kind], layers=known[name].layers) for name in ("pruned", "parent")
    )
    both = (pruned, given) if kind == "keras" else (None, None)
    matches, samples, unseen = match_layers(LocalReporter(), mine, theirs, dataset.folder, both)
    assert unseen is None
    found = put_together(tmp_path, parent, known, matches, kind, samples)
    # What is beside what: the weights of a layer beside those of the layer that it comes from.
    gone = {layer.name for layer in given.layers} - {layer.name for layer in pruned.layers}
    assert gone, "a block was left out"
    heavy = [layer for layer in found.layers if layer.parameters and layer.macs]
    for layer in heavy:
        assert layer.before is not None, layer.name
        before = from_layer(folder / "parent" / FILES[kind], layer.before.name, given)
        assert before == from_layer(folder / "pruned" / FILES[kind], layer.name, given)
    # Fewer channels than before, and marked so; a shape of the same length.
    narrowed = [layer for layer in heavy if layer.output_shape != layer.before.output_shape]
    assert len(narrowed) >= 3
    for layer in narrowed:
        assert layer.change == "changed"
        assert layer.agreement in ("other shape", None)
        assert layer.parameters < layer.before.parameters
        assert len(layer.output_shape) == len(layer.before.output_shape)
    # Of the removed block all products are marked removed, and nothing else that computes is.
    products = {
        from_layer(folder / "parent" / FILES[kind], layer.name, given)
        for layer in found.removed
        if layer.macs
    }
    assert products == {name for name in gone if hasattr(given.get_layer(name), "kernel_size")}
    # The edges of both, at positions of one list: what was removed stands behind what is there.
    count = len(found.layers) + len(found.removed)
    assert len(found.edges) == len(known["pruned"].edges) > 0
    assert len(found.before_edges) == len(known["parent"].edges)
    assert all(edge.giver < count and 0 <= edge.taker < count for edge in found.before_edges)
    touched = {end for edge in found.before_edges for end in (edge.giver, edge.taker)}
    assert set(range(len(found.layers), count)) <= touched


def from_layer(path, name, model):
    """The layer of the Keras model that an operation computes; else that of its weights."""
    if "__" in name:
        nodes = onnx.load(path).graph.node
        name = next(node.input[1] for node in nodes if node.name == name)
    if path.suffix == ".tflite":
        # A normalization is folded into the convolution before it, and both are called after that.
        name = name.replace("2a_norm", "2a_depthwise")
        name = name.replace("_norm", "_conv")
    names = [layer.name for layer in model.layers]
    return next(one for one in names if re.search(rf"(^|/){one}(_1)?(/|$)", name))


def put_together(folder, parent, known, matches, kind, samples) -> Inside:
    """As the engine stores it, and the page reads it."""
    store = Store(folder)
    kept = []
    for name in ("parent", "pruned"):
        file = store.staging() / f"model.{kind}"
        file.write_bytes(b"x")
        made = parent.model_copy(
            update={
                "id": name,
                "name": name,
                "format": kind,
                "path": Path(file.name),
                "description": known[name],
                "parent": kept[0].id if kept else None,
            }
        )
        kept.append(store.add_variant(made, file))
    store.add_measurement(
        MATCHES,
        [kept[1].id],
        LayerMatches(
            variant=kept[1].id,
            reference=kept[0].id,
            beside=kept[0].id,
            layers=known["parent"].layers,
            edges=known["parent"].edges,
            matches=matches,
            samples=samples,
        ),
    )
    found = inside(store, kept[1], kept[0])
    store.close()
    return found
