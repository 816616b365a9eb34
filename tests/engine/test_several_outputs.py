"""A model with several outputs, each judged by its own task, through the whole engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from tests.digits import Recorder
from widgets.panels.top_bar import TopBar
from widgets.session import session_of
from workbench.api.errors import WorkbenchError
from workbench.engine.measuring import asked_for
from workbench.jobs.executor import Executor
from workbench.measure.records import QualityMeasurement
from workbench.measure.validation import judge_on_validation, validation_scores
from workbench.workbench import Workbench

pytestmark = pytest.mark.slow

COUNT = 500


def data() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Points with the sector that they are in, where they are, and on which sides."""
    x = np.random.default_rng(0).normal(size=(COUNT, 6)).astype(np.float32)
    targets = {
        "zone": 30 + 10 * x[:, :2] + 0.5 * x[:, 2:4],
        "kind": x[:, 3:6].argmax(1),
        "sides": (x[:, :3] > 0.3).astype(np.uint8),
    }
    return x, targets


def build() -> object:
    """The outputs are named and ordered so that sorting them, as converters do, changes their places."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,), name="point")
    hidden = layers.Dense(48, activation="relu")(inputs)
    outputs = {
        "zone": layers.Dense(2, name="zone")(hidden),
        "kind": layers.Dense(3, activation="softmax", name="kind")(hidden),
        "sides": layers.Dense(3, activation="sigmoid", name="sides")(hidden),
    }
    return keras.Model(inputs, list(outputs.values()), name="many")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    x, y = data()
    made = build()
    made.compile(  # type: ignore[attr-defined]
        "adam", ["mse", "sparse_categorical_crossentropy", "binary_crossentropy"], loss_weights=[0.01, 1, 1]
    )
    made.layers[2].bias.assign([30.0, 30.0])  # type: ignore[attr-defined]
    made.fit(x, list(y.values()), epochs=40, verbose=0)  # type: ignore[attr-defined]
    path = tmp_path_factory.mktemp("many") / "many.keras"
    made.save(path)  # type: ignore[attr-defined]
    return path


@pytest.fixture(scope="module")
def opened(model: Path, tmp_path_factory: pytest.TempPathFactory, executor: Executor) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("several")
    with Workbench(folder / "workbench", executor=executor) as workbench:
        workbench.open(model, data()).wait(300)
        yield workbench


def quality(workbench: Workbench, name: str) -> QualityMeasurement:
    found = next(row.quality for row in workbench.results() if row.variant.name == name)
    assert found is not None
    return found


def right(workbench: Workbench) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The test samples, and what is right for each output, found again by the samples themselves."""
    x, targets = data()
    samples = np.asarray(workbench.dataset.x("test"))
    rows = [int(np.flatnonzero((x == sample).all(1))[0]) for sample in samples]
    return samples, {name: values[rows] for name, values in targets.items()}


def expected(outputs: list[np.ndarray], labels: dict[str, np.ndarray]) -> dict[str, float]:
    zone, kind, sides = outputs
    return {
        "zone": metrics.mean_absolute_error(labels["zone"], zone),
        "kind": metrics.f1_score(labels["kind"], kind.argmax(1), average="macro"),
        "sides": metrics.f1_score(labels["sides"], sides > 0.5, average="macro"),
    }


def measured(found: QualityMeasurement) -> dict[str, float]:
    return {str(one.output): one.measured.value for one in (found, *found.further)}


def test_each_output_is_judged_by_its_own_task(opened: Workbench, model: Path) -> None:
    import keras

    description = opened.baseline.description  # type: ignore[union-attr]
    assert description.judged.name == "kind"  # the one that holds classes
    tasks = {"kind": description.task} | {one.name: one.task for one in description.further}
    assert tasks == {"kind": "classification", "zone": "regression", "sides": "multi-label"}
    samples, labels = right(opened)
    outputs = keras.models.load_model(model).predict(samples, verbose=0)
    assert measured(quality(opened, "many")) == pytest.approx(expected(outputs, labels), rel=1e-4)
    said = " ".join(map(str, (*opened.dataset.info.notes, *opened.baseline.report.notes)))  # type: ignore[union-attr]
    assert "The outputs zone, kind, sides are judged, each by its own task; kind stands for them" in said
    assert "kind (classification), zone (regression), sides (multi-label) are judged" in said
    assert 'zone: The output "zone" is read as numbers' in said
    assert "sides: Judged as multi-label: a row of labels has any number of ones" in said


@pytest.mark.parametrize(
    ("name", "technique", "parameters"),
    [
        ("int8", "quantization.int8", {}),
        ("ONNX", "inference.runtime", {"runtime": "onnxruntime"}),
    ],
)
def test_conversions_keep_which_output_is_which(
    opened: Workbench, model: Path, name: str, technique: str, parameters: dict[str, object]
) -> None:
    import keras

    made = opened.apply(technique, **parameters).wait(300)
    assert "kind (classification), zone (regression)" in " ".join(map(str, made.report.notes))
    samples, labels = right(opened)
    outputs = keras.models.load_model(model).predict(samples, verbose=0)
    wanted, found = expected(outputs, labels), measured(quality(opened, made.name))
    assert found == pytest.approx(wanted, rel=0.1 if name == "int8" else 1e-3)
    # the same file, asked as somebody who deploys it does: by the positions that the description names
    positions = {"kind": made.description.output} | {
        one.name: one.position for one in made.description.further
    }
    assert sorted(positions.values()) == [0, 1, 2]  # type: ignore[type-var]
    row = next(row for row in opened.results() if row.variant.name == made.name)
    change = row.quality_change
    assert change is not None
    assert [one.output for one in change.outputs] == ["kind", "zone", "sides"]
    assert [one.task for one in change.outputs] == ["classification", "regression", "multi-label"]
    words = {one.word for one in change.outputs}
    assert change.word == ("lost" if "lost" in words else "not proven" if "not proven" in words else "kept")


def test_one_lost_output_makes_the_variant_lost(opened: Workbench, model: Path, tmp_path: Path) -> None:
    import keras

    from workbench.engine.goal import Goal, keeps
    from workbench.results.verdict_words import quality_chip

    broken = keras.models.load_model(model)
    broken.get_layer("zone").bias.assign([60.0, 60.0])
    broken.save(tmp_path / "broken.keras")
    added = opened.add(tmp_path / "broken.keras").wait(300)
    row = next(row for row in opened.results() if row.variant.name == added.name)
    change = row.quality_change
    assert change is not None
    assert (change.change.value, change.word, change.deciding.output) == (0, "lost", "zone")
    assert change.own_word != "lost"
    chip = quality_chip(row)
    assert chip is not None
    assert str(chip.words).startswith("zone: lost: +")
    assert chip.tone == "lost"
    assert not keeps(row, Goal())
    assert not change.keeps(0.01)
    assert change.further[1].word != "lost"
    assert any("The output zone lost quality" in str(note) for note in row.notes)
    moved = opened.details(added.name, output="zone").moved
    assert moved
    assert opened.details(added.name).flips == ()
    # chosen is by the output that loses most on the validation split, too
    found = {}
    for output in (None, "zone"):
        first, second = (asked_for(opened.variant(name), output) for name in ("many", added.name))
        report, folder = Recorder(), opened.dataset.folder
        before = validation_scores(report, first, folder, False, output)
        found[output], _ = judge_on_validation(report, second, "many", before, folder, False, 0.01, 0, output)
    assert (found[None].change.value, found["zone"].word) == (0, "lost")


def test_the_task_of_each_output_is_changed_on_the_page(
    opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_of(opened)
    bar = TopBar(session)
    monkeypatch.setattr(bar, "send", lambda content, buffers=None: None)
    assert bar.view()["judged"] == [
        {"output": "kind", "task": "classification"},
        {"output": "zone", "task": "regression"},
        {"output": "sides", "task": "multi-label"},
    ]
    bar.act_judge(tasks={"kind": "classification", "zone": "regression", "sides": "regression"})
    waiting = time.monotonic() + 600
    while session.workbench is opened and time.monotonic() < waiting:
        time.sleep(0.1)
    beside = session.workbench
    assert beside.tasks == {"kind": "classification", "zone": "regression", "sides": "regression"}
    beside.job(beside.jobs[0].id).wait(300)  # type: ignore[union-attr]
    assert measured(quality(beside, "many"))["kind"] == measured(quality(opened, "many"))["kind"]
    beside.close()


def test_all_outputs_are_trained_and_each_is_judged_again(opened: Workbench) -> None:
    made = opened.apply("training.retrain", epochs=2, learning_rate=1e-4, output_weights="zone=0.5").wait(300)
    job = next(one for one in opened.jobs if one.variant == made.id)
    assert {"training loss", "kind: validation F1", "zone: validation MAE", "sides: validation F1"} <= set(
        job.metrics
    )
    said = " ".join(map(str, made.report.notes))
    assert "added with the weights zone 0.5, kind 1, sides 1" in said
    assert "zone: validation MAE" in said
    row = next(row for row in opened.results() if row.variant.name == made.name)
    assert row.quality_change is not None
    assert [one.output for one in row.quality_change.outputs] == ["kind", "zone", "sides"]
    assert row.quality_change.word != "lost"  # two epochs at a low rate change little
    with pytest.raises(
        WorkbenchError, match="name size, and the outputs of many that are trained are: zone, kind"
    ):
        opened.apply("training.retrain", epochs=1, output_weights="size=2")


def test_what_is_trained_anew_keeps_its_outputs_by_name(tmp_path: Path, executor: Executor) -> None:
    """The untrained model gives about 0 for both numbers, which the trained one still gives for the near."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    targets = {"far": 1e4 + 300 * x[:, 0], "near": x[:, 1] + 0.1}
    inputs = keras.Input((4,))
    hidden = layers.Dense(16, activation="relu")(inputs)
    model = keras.Model(inputs, [layers.Dense(1, name=name)(hidden) for name in targets])
    with Workbench(tmp_path / "workbench", executor=executor) as workbench:
        workbench.open(model, (x, targets)).wait(600)
        made = workbench.apply("structure.width", epochs=1).wait(600)
        outputs = keras.models.load_model(made.path).predict(np.array(workbench.dataset.x("test")), verbose=0)
        found = measured(quality(workbench, made.name))
        dataset = workbench.dataset
        for name, output in zip(targets, outputs, strict=True):
            right = dataset.of(None if name == dataset.info.target else name).y("test")
            assert found[name] == pytest.approx(float(np.abs(output - right).mean()), rel=1e-4)
