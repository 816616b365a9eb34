"""Makes the files of demo models in every form, and keeps what they take besides weights.

    python -m tests.benchmarks.file_sizes
    python -m tests.benchmarks.file_sizes dense-digits

writes ``workbench/advisor/besides.json``, and prints how far the size of each model's files is off where it
is foreseen from those of the other models: without any file of its own, and with its float32 file of the
runtime.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests import small_models
from tests.techniques.applying import Reports
from tests.techniques.test_every_model import _demo, _small
from workbench.advisor.besides import FILE, IN_KERAS, Besides, Point, counted
from workbench.advisor.cells import Action, Cell, differing, is_form, runtime_chooser, runtime_of
from workbench.advisor.priors import weights_bytes
from workbench.api.dataset import Dataset
from workbench.api.errors import WorkbenchError
from workbench.api.technique import Context
from workbench.api.variant import Layer, Variant
from workbench.data.prepare import prepare
from workbench.engine.compatibility import parse_parameters
from workbench.models.demo.architectures import dense, residual_cnn
from workbench.models.demo.demo import DEMO_MODELS
from workbench.techniques import techniques

SMALL = ("conv", "pair", "series")
UNTRAINED: dict[str, tuple[int, ...]] = {
    "residual": (16, 16, 1),
    "plain-cnn": (16, 16, 1),
    "deep-dense": (24,),
}
"""Networks with random weights, whose files are as large as those of trained ones; their inputs."""

MODELS = (*DEMO_MODELS, *SMALL, *UNTRAINED)
QUICK: dict[str, Any] = {"samples": 16, "epochs": 1}


@dataclass(frozen=True)
class Made:
    """A file that was made.

    Attributes:
        point: What it takes besides weights.
        layers: Of the model.
        runtime: What runs it.
        weights: Bytes of its weights.
    """

    point: Point
    layers: Sequence[Layer]
    runtime: str
    weights: float

    def error(self, besides: float) -> float:
        """How far a size is off, as a share of it, with so many bytes besides weights."""
        return (besides - self.point.bytes) / (self.weights + self.point.bytes)


def main(arguments: Sequence[str] = ()) -> None:
    """Makes the files of all models; of those that are named, where the others' are to stay."""
    wanted = arguments or MODELS
    made: list[Made] = []
    before = Besides.model_validate_json(FILE.read_text("utf-8")) if arguments else Besides()
    kinds = set(before.layers)
    with tempfile.TemporaryDirectory(prefix="workbench-") as temporary:
        for name in wanted:
            parent, dataset = subject(name, Path(temporary))
            kinds |= {layer.kind for layer in parent.description.layers}
            made += files_of(name, parent, dataset, Path(temporary))
            print(f"{name}: {sum(one.point.model == name for one in made)} files", flush=True)
    points = [one for one in before.points if one.model not in wanted] + [one.point for one in made]
    found = Besides(points=tuple(points), layers=frozenset(kinds))
    FILE.write_text(found.checked().model_dump_json(indent=1) + "\n", "utf-8")
    print_errors(made, found)


def print_errors(made: Sequence[Made], found: Besides) -> None:
    """How far sizes are off that are foreseen from the files of other models."""
    print("\n| model | file | size | off, first file | off, after its float32 file |\n|---|---|---|---|---|")
    first, after = [], []
    for one in made:
        if one.point.kind == IN_KERAS:
            continue
        others = found.without(one.point.model)
        usual = others.of(one.point.kind, one.layers)
        if usual is None:
            continue
        first.append(one.error(usual))
        size = one.weights + one.point.bytes
        line = f"| {one.point.model} | {one.point.kind} | {size:,.0f} | {first[-1]:+.1%} |"
        plain = f"{runtime_chooser().name} in {one.runtime}"
        own = next((it for it in made if (it.point.model, it.point.kind) == (one.point.model, plain)), None)
        expected = others.of(plain, one.layers)
        if own is None or expected is None or one.point.kind == plain:
            print(f"{line} |")
            continue
        after.append(one.error(usual * own.point.bytes / expected))
        print(f"{line} {after[-1]:+.1%} |")
    for name, errors in (("first file of its runtime", first), ("after its float32 file", after)):
        sizes = [abs(error) for error in errors]
        within = sum(size <= 0.02 for size in sizes)
        print(
            f"\n{name}: {within} of {len(sizes)} within 2%, median {statistics.median(sizes):.1%}, "
            f"largest {max(sizes):.1%}"
        )


def subject(name: str, folder: Path) -> tuple[Variant, Dataset]:
    """A model as a variant, with its data."""
    if name in UNTRAINED:
        return _untrained(name, folder)
    parent, dataset = _demo(name, folder) if name in DEMO_MODELS else _small(name, folder)
    # What an optimizer remembers is nothing that a technique would keep.
    return small_models.baseline(keras.models.load_model(parent.path, compile=False), parent.path), dataset


def _untrained(name: str, folder: Path) -> tuple[Variant, Dataset]:
    from keras import layers

    shape = UNTRAINED[name]
    if name == "residual":
        model = residual_cnn(shape, 4, width=8, name=name)  # type: ignore[arg-type]  # three axes
    elif name == "deep-dense":
        model = dense(shape, 4, units=(48, 48, 32, 32, 16), name=name)
    else:
        inputs = keras.Input(shape, name="picture")
        x = inputs
        for number, filters in enumerate((12, 24, 24, 36), 1):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv_{number}")(x)
            x = layers.MaxPooling2D(name=f"pool_{number}")(x)
        x = layers.Dense(32, activation="relu", name="hidden")(layers.Flatten(name="flatten")(x))
        model = keras.Model(inputs, layers.Dense(4, name="scores")(x), name=name)
    random = np.random.default_rng(0)
    # Zeros would be stored once for several layers.
    model.set_weights([random.uniform(0.1, 1.0, one.shape).astype(one.dtype) for one in model.get_weights()])
    arrays = {}
    for split, count in (("train", 64), ("val", 32), ("test", 32)):
        arrays[f"x_{split}"] = random.random((count, *shape), np.float32)
        arrays[f"y_{split}"] = np.arange(count) % 4
    dataset = prepare(arrays, folder / f"{name}-data", scaling="none")
    return small_models.baseline(model, folder / f"{name}.keras"), dataset


def files_of(name: str, parent: Variant, dataset: Dataset, folder: Path) -> Iterator[Made]:
    """The files of a model."""
    layers = parent.description.layers
    counts = counted(layers)
    whole = 4.0 * sum(layer.parameters for layer in layers)
    own = Point(model=name, kind=IN_KERAS, counts=counts, bytes=parent.path.stat().st_size - whole)
    yield Made(own, layers, parent.runtime, whole)
    for cell in cells_of(parent, dataset):
        assert cell.form is not None
        weights = weights_bytes(cell, layers)
        if weights is None:
            continue
        size = file_of(cell.form, parent, dataset, Path(tempfile.mkdtemp(dir=folder)))
        if size is not None:
            point = Point(
                model=name, kind=cell.form_kind or "", counts=counts, bytes=round(size - weights, 1)
            )
            yield Made(point, layers, cell.runtime, weights)


def cells_of(parent: Variant, dataset: Dataset) -> Iterator[Cell]:
    """Every form of a model that fits, with quick settings."""
    for technique in techniques().values():
        if not is_form(technique):
            continue
        for values in technique.settings_to_try(parent, dataset.info):
            fields = technique.parameters_type.model_fields
            quick = {key: value for key, value in QUICK.items() if key in fields}
            action = Action(technique=technique.name, parameters=differing(values) | quick)
            reason = technique.lacks(parent, action.values)
            if reason or technique.obstacle(parent, dataset.info, action.values):
                continue
            yield Cell(form=action, runtime=runtime_of(action, parent))


def file_of(action: Action, parent: Variant, dataset: Dataset, folder: Path) -> int | None:
    """Bytes of what a technique makes; None where it refuses."""
    technique = action.made_by
    values = parse_parameters(technique, action.parameters)
    try:
        path = technique.apply(Context(parent, dataset, folder, Reports(), 0), values).path
    except WorkbenchError as error:
        print(f"  {technique.name}: {error}", flush=True)
        return None
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


if __name__ == "__main__":
    main(sys.argv[1:])
