"""Models whose answers are no classes, through the whole engine: opened, judged, optimized, reported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_diabetes

from workbench.api.errors import InvalidInput
from workbench.jobs.executor import Executor
from workbench.measure.records import QualityMeasurement
from workbench.workbench import Workbench

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def regressor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network, fitted to diabetes in one step, since least squares need no training."""
    import keras

    data = load_diabetes()
    weights, *_ = np.linalg.lstsq(np.c_[data.data, np.ones(len(data.data))], data.target, rcond=None)
    model = keras.Sequential(
        [keras.Input((10,)), keras.layers.Dense(10), keras.layers.Dense(1, name="progression")]
    )
    model.layers[0].set_weights([np.eye(10), np.zeros(10)])
    model.layers[1].set_weights([weights[:10, None], weights[10:]])
    path = tmp_path_factory.mktemp("regressor") / "price.keras"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def opened(
    regressor: Path, tmp_path_factory: pytest.TempPathFactory, executor: Executor
) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("tasks")
    frame = load_diabetes(as_frame=True).frame.rename(columns={"target": "progression"})
    frame.to_csv(folder / "diabetes.csv", index=False)
    with Workbench(folder / "workbench", executor=executor) as workbench:
        workbench.open(regressor, folder / "diabetes.csv").wait(300)
        workbench.apply("quantization.int8").wait(300)
        yield workbench


def quality(workbench: Workbench, name: str) -> QualityMeasurement:
    found = next(row.quality for row in workbench.results() if row.variant.name == name)
    assert found is not None
    return found


def test_a_regressor_and_its_table_just_open(opened: Workbench, regressor: Path) -> None:
    import keras

    assert (opened.task, opened.dataset.info.targets) == ("regression", ("progression",))
    data = opened.dataset
    predicted = keras.models.load_model(regressor).predict(np.asarray(data.x("test")), verbose=0)
    found = quality(opened, "price")
    assert found.measured.value == pytest.approx(
        metrics.mean_absolute_error(data.y("test"), predicted), rel=1e-5
    )
    assert found.figure("r2").value == pytest.approx(metrics.r2_score(data.y("test"), predicted), rel=1e-4)
    assert not found.near_chance
    said = " ".join(map(str, (*data.info.notes, *opened.baseline.report.notes)))  # type: ignore[union-attr]
    assert "The target progression goes from 25 to 346" in said
    assert 'The output "progression" is read as numbers' in said


def test_int8_is_judged_by_the_mean_absolute_error(opened: Workbench) -> None:
    rows = {row.variant.name: row for row in opened.results()}
    change = rows["int8"].quality_change
    assert change is not None
    assert (change.task, change.word) == ("regression", "kept")
    before, after = (quality(opened, name).measured.value for name in ("price", "int8"))
    assert change.change.value == pytest.approx((before - after) / before)
    assert rows["int8"].on_front or rows["int8"].size_change
    assert "MAE" in repr(opened.results())
    assert "% [" in repr(opened.results())
    frame = opened.results().to_frame()
    assert frame.set_index("name").mae["price"] == pytest.approx(before)
    assert "f1" not in frame
    assert "MAE within 1 %" in str(opened.goal.words_for(opened.task))
    moved = opened.details("int8").moved
    assert moved
    assert moved[0].worse_by == max(one.worse_by for one in moved)
    name, content = opened.deploy("int8")
    assert name.endswith("-deploy.zip")
    assert content
    report = opened.report(opened.folder / "report.html").read_text("utf-8")
    assert "Mean absolute error" in report
    assert "target progression" in report
    assert re.search(r"\bF1\b", report) is None


def test_answers_without_labels_are_compared_with_the_model_itself(
    regressor: Path, tmp_path: Path, executor: Executor
) -> None:
    samples = load_diabetes().data.astype(np.float32)
    with Workbench(tmp_path / "workbench", executor=executor) as workbench:
        with pytest.raises(InvalidInput, match="compare every variant with what the model itself answers"):
            workbench.open(regressor, samples).wait(300)
        workbench.open(regressor, samples, task="agreement").wait(300)
        workbench.apply("quantization.int8").wait(300)
        first, second = (quality(workbench, name) for name in ("price", "int8"))
        assert first.measured.value == 1
        assert 0.9 < second.measured.value <= 1
        assert second.figure("snr").value > 20
        change = next(row.quality_change for row in workbench.results() if row.variant.name == "int8")
        assert change is not None
        assert change.change.value == pytest.approx(second.measured.value - 1)


def test_several_labels_and_a_label_for_each_step(tmp_path: Path, executor: Executor) -> None:
    import keras

    rng = np.random.default_rng(0)
    samples = rng.normal(size=(300, 6, 4)).astype(np.float32)
    x = keras.Input((6, 4))
    steps = keras.layers.Dense(
        4, activation="softmax", kernel_initializer=keras.initializers.Constant(3 * np.eye(4))
    )(x)
    peaks = keras.layers.GlobalMaxPooling1D()(x)
    labels = keras.layers.Dense(
        4,
        activation="sigmoid",
        kernel_initializer=keras.initializers.Constant(3 * np.eye(4)),
        bias_initializer=keras.initializers.Constant(-3.0),
    )(peaks)
    cases = (
        (steps, samples.argmax(axis=2), "per position"),
        (labels, (samples.max(axis=1) > 1).astype(int), "multi-label"),
    )
    for output, right, task in cases:
        model = keras.Model(x, output, name=task.replace(" ", "-"))
        with Workbench(tmp_path / model.name, executor=executor) as workbench:
            workbench.open(model, (samples, right)).wait(300)
            workbench.apply("quantization.float16").wait(300)
            assert workbench.task == task
            assert quality(workbench, model.name).measured.value > 0.99
            change = next(row.quality_change for row in workbench.results() if row.variant.name == "float16")
            assert change is not None
            assert (change.task, abs(change.change.value) < 0.01) == (task, True)


def test_samples_count_as_much_as_their_weights_say(
    regressor: Path, tmp_path: Path, executor: Executor
) -> None:
    import keras

    frame = load_diabetes(as_frame=True).frame.rename(columns={"target": "progression"})
    frame["many"] = 1 + np.arange(len(frame)) % 5
    frame.to_csv(tmp_path / "weighted.csv", index=False)
    with Workbench(tmp_path / "workbench", executor=executor) as workbench:
        workbench.open(regressor, tmp_path / "weighted.csv", label="progression", weights="many").wait(300)
        workbench.apply("quantization.int8").wait(300)
        data = workbench.dataset
        x, right, weights = np.asarray(data.x("test")), data.y("test"), data.weights("test")
        assert x.shape[1] == 10
        said = keras.models.load_model(regressor).predict(x, verbose=0)
        before, after = (quality(workbench, name).measured.value for name in ("price", "int8"))
        assert before == pytest.approx(metrics.mean_absolute_error(right, said, sample_weight=weights), 1e-5)
        assert before != pytest.approx(metrics.mean_absolute_error(right, said), 1e-3)
        change = next(row.quality_change for row in workbench.results() if row.variant.name == "int8")
        assert change is not None
        assert change.change.value == pytest.approx((before - after) / before)
        assert {row.variant.description.weighted for row in workbench.results()} == {
            ("train", "validation", "test")
        }

        def error(labels, answers):  # type: ignore[no-untyped-def]
            return np.abs(labels - answers).mean()

        def weighted_error(labels, answers, weights):  # type: ignore[no-untyped-def]
            return np.average(np.abs(labels - answers)[:, 0], weights=weights)

        assert "The samples have weights, and the metric takes none" in repr(
            workbench.metric(error, higher_is_better=False, draws=50)
        )
        own = workbench.metric(weighted_error, higher_is_better=False, draws=50)
        assert own[0].value.value == pytest.approx(before, 1e-5)
        assert "takes none" not in repr(own)
        again = workbench.open(regressor, tmp_path / "weighted.csv", label="progression", weights="many")
        assert again.wait(300) == workbench.baseline
