from pathlib import Path

import keras
import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.metrics import f1_score

from tests import small_models
from tests.techniques.applying import Reports, apply, predict, run_code, run_scripts, write_bundle
from workbench import techniques
from workbench.api.errors import Refused
from workbench.api.technique import CodePaths
from workbench.api.variant import RuntimeSettings
from workbench.measure.latency import Candidate
from workbench.measure.narrowing import SoFar
from workbench.measure.records import Interval, LatencySummary
from workbench.techniques.inference.grid.cells import Cell, Model, cells_of
from workbench.techniques.inference.grid.choice import FileQuality, limit_obstacle, ranked, simplest
from workbench.techniques.inference.grid.filling import Filling

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object` will be defined:FutureWarning")

NAME = "inference.grid"


class Tables(Reports):
    def __init__(self):
        super().__init__()
        self.tables = []

    def log(self, text):
        raise AssertionError(str(text))

    def table(self, table):
        self.tables.append(table)


@pytest.fixture
def own_slot(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_SLOT_FOLDER", str(tmp_path))


def test_the_heat_map_fills_cell_by_cell_and_forgets_what_a_failed_process_said():
    cells = {cell.id: cell for cell in cells_of(("litert",), ("float32", "int8"), (1,), (1, 4))}
    report = Tables()
    filling = Filling(report, cells)
    one, two, *_ = [Candidate(variant=name, path=Path("file"), runtime="litert") for name in cells]
    filling.so_far(one, SoFar(place=0, rounds=0, median_ms=3.0))
    filling.so_far(two, SoFar(place=1, rounds=0, median_ms=5.0))
    filling.so_far(two, SoFar(place=1, rounds=9, median_ms=4.0, interval=(3.5, 4.5)))
    filling.done(one, _summary(2.0))
    filling.so_far(one, SoFar(place=0, rounds=0, median_ms=9.0))  # as the reference of another process
    filling.lost([one, two])
    assert [[row[2] for row in table.rows] for table in report.tables] == [
        [None] * 4,
        [3.0, None, None, None],
        [3.0, 5.0, None, None],
        [3.0, 4.0, None, None],
        [2.0, 4.0, None, None],
        [2.0, None, None, None],
    ]
    assert report.tables[3].rows[1][3:] == (3.5, 4.5)
    assert "1 of 4 combinations are timed; 1 are being timed" in str(report.tables[4].note)
    assert str(report.tables[5].note) == "1 of 4 combinations are timed."
    assert report.stages == ["Timing combination 1 of 4", "Timing combination 2 of 4"]


@pytest.mark.slow
def test_the_grid_measures_what_can_be_and_lists_the_rest(parents, tmp_path, own_slot):
    parent, dataset = parents("conv")
    report = Tables()
    applied = apply(
        NAME,
        parent,
        dataset,
        tmp_path / "out",
        report=report,
        runtimes="litert, openvino, keras.function",
        precisions="float32, int8",
        threads="1, 200",
        batches="1, 4",
        tolerance=30.0,
    )
    latency, throughput, files = applied.report.tables
    assert latency.picture == throughput.picture == "heatmap"
    assert len(latency.rows) == len(throughput.rows) == (2 + 2 + 1) * 2
    for row, rate in zip(latency.rows, throughput.rows, strict=True):
        label, where, p50, low, high, _ = row
        batch = int(str(where).rpartition(" ")[2])
        assert 0 < low <= p50 <= high
        assert rate[:2] == (label, where)
        assert rate[2] == pytest.approx(1000 * batch / p50)
        assert rate[3] <= rate[2] <= rate[4]
    assert [row[0] for row in files.rows] == [
        *("LiteRT, float32", "LiteRT, int8", "OpenVINO, float32", "OpenVINO, int8"),
        "Keras, tf.function, float32",
    ]
    sizes = {row[0]: row[5] for row in files.rows}
    assert sizes["LiteRT, int8"] < sizes["LiteRT, float32"]
    for row in files.rows:
        assert row[2] == pytest.approx(100 * (row[1] - files.rows[0][1]), abs=1e-6)
    reasons = {skip.name: str(skip.reason) for skip in applied.report.skipped}
    # TensorFlow's cells with int8 cannot be for two reasons, the others with 200 threads for one
    assert len(reasons) == (2 + 2 + 2) * 2 + 2
    assert "cores" in reasons["LiteRT, int8, 200 / 4 (threads / batch)"]
    assert "weights as they are" in reasons["Keras, tf.function, int8, 1 / 1 (threads / batch)"]
    # The heat map has a place for each cell from the start, and fills until it is the one of the result.
    filled = [sum(row[2] is not None for row in table.rows) for table in report.tables]
    assert {len(table.rows) for table in report.tables} == {10}
    assert (filled[0], filled[-1]) == (0, 10)
    assert set(range(11)) <= set(filled)
    assert report.tables[-1].rows == tuple(row[:5] for row in latency.rows)
    timing = [stage for stage in report.stages if stage.startswith("Timing combination ")]
    assert timing == [f"Timing combination {number} of 10" for number in range(1, 11)]
    assert "Best for latency" in str(applied.report.touched[0])
    assert applied.settings.batch == 1
    x = dataset.x("test")
    expected = predict(parent, x)
    assert np.abs(predict(applied, x) - expected).max() < 0.15 * np.abs(expected).max()


@pytest.mark.slow
def test_limits(parents, made, tmp_path, own_slot):
    parent, dataset = parents("dense")
    finished = small_models.child(made("inference.runtime", "dense", runtime="litert"), parent)
    one = {"runtimes": "litert", "precisions": "float32", "threads": "1", "batches": "1"}
    with pytest.raises(Refused, match="No combination keeps within the limits"):
        apply(NAME, finished, dataset, tmp_path / "time", limit_ms=1e-9, goal="throughput", **one)
    with pytest.raises(Refused, match="MB of memory"):
        apply(NAME, finished, dataset, tmp_path / "memory", limit_mb=0.001, **one)
    applied = apply(NAME, finished, dataset, tmp_path / "enough", limit_mb=1e6, limit_ms=1000.0, **one)
    assert applied.path.read_bytes() == finished.path.read_bytes()
    assert str(applied.report.tables[-1].title) == "Memory"
    assert applied.report.tables[-1].rows[0][1] > 0


def test_reasons(parents, made):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)

    def reason(variant, **parameters):
        return str(technique.obstacle(variant, dataset.info, technique.parameters_type(**parameters)))

    assert reason(parent) == "None"
    finished = small_models.child(made("inference.runtime", "conv", runtime="litert"), parent)
    assert reason(finished) == "None"
    assert reason(finished, precisions="int8") == "None"
    int8 = small_models.child(made("quantization.int8", "conv"), parent)
    assert "already int8" in reason(int8, runtimes="litert", precisions="float16")
    assert "runs the weights as they are" in reason(parent, runtimes="keras.xla", precisions="int8")
    assert "cores" in reason(parent, threads="250, 251")
    assert "choose fewer" in reason(parent, threads=", ".join(map(str, range(1, 30))))
    assert technique.measures
    estimate = technique.estimate(parent, dataset.info, technique.parameters_type())
    assert 20 < estimate.seconds < 600


def test_parameters():
    technique = techniques.technique(NAME)
    values = technique.parameters_type(precisions="all", threads=" 2,1, 2", batches="08")
    assert values.threads == "2, 1"
    assert values.batches == "8"
    assert values.precisions == "float32, float16, bfloat16, dynamic int8, int8"
    assert technique.variant_name(values) == "best latency"
    wrongs = [
        ("runtimes", "tflite"),
        ("threads", "0"),
        ("batches", "many"),
        ("precisions", ""),
        ("goal", "size"),
    ]
    for field, value in wrongs:
        with pytest.raises(ValidationError):
            technique.parameters_type.model_validate({field: value})


def _summary(p50, batch=1, width=0.1):
    return LatencySummary(
        variant="",
        runtime="litert",
        settings=RuntimeSettings(batch=batch),
        load_ms=1,
        first_ms=1,
        p50_ms=Interval(value=p50, low=p50 * (1 - width), high=p50 * (1 + width)),
        iqr_ms=0,
        p90_ms=p50,
        p95_ms=p50,
        p99_ms=p50,
        min_ms=p50,
        samples=100,
        outliers=0,
        throughput=1000 * batch / p50,
    )


def test_the_choice():
    float32, int8 = Model("litert", "float32"), Model("litert", "int8")
    slow, fast, wide = Cell(float32, 1, 1), Cell(int8, 2, 1), Cell(float32, 1, 32)
    times = {slow: _summary(2.0), fast: _summary(1.0), wide: _summary(16.0, 32)}
    assert ranked(times, "latency") == [fast, slow, wide]
    assert ranked(times, "throughput") == [wide, fast, slow]
    files = {
        float32: FileQuality(4000, 0.9, Interval(value=0, low=0, high=0)),
        int8: FileQuality(1000, 0.87, Interval(value=-0.03, low=-0.05, high=0)),
    }
    assert "loses 3.0 points" in str(limit_obstacle(fast, times[fast], files[int8], 0, 1.0))
    assert limit_obstacle(fast, times[fast], files[int8], 0, 3.5) is None
    assert "takes up to 2.20 ms" in str(limit_obstacle(slow, times[slow], files[float32], 2.1, 1.0))
    assert limit_obstacle(slow, times[slow], files[float32], 2.3, 1.0) is None
    # not told apart: fewer threads, then the smaller file
    assert simplest([fast, slow], [False, False], files) == slow
    assert simplest([fast, slow], [False, True], files) == fast
    assert simplest([slow, Cell(int8, 1, 1)], [False, False], files).model == int8


def test_the_plain_code_reads_one_output_for_two_classes(tmp_path):
    """The largest of one column is always the first."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")], name="pair")
    parent = small_models.baseline(model, tmp_path / "pair.keras")
    x = np.random.default_rng(0).normal(size=(80, 3)).astype("float32")
    predicted = model.predict(x, verbose=0)[:, 0] > 0.5
    labels = np.where(np.arange(80) < 20, ~predicted, predicted).astype(int)
    np.savez(tmp_path / "data.npz", x_validation=x, y_validation=labels)
    technique = techniques.technique(NAME)
    values = technique.parameters_type.model_validate(
        {"runtimes": "litert", "precisions": "float32", "threads": "1", "batches": "1", "tolerance": 1.0}
    )
    paths = CodePaths(model="pair.keras", data="data.npz", output="best")
    done = run_scripts([write_bundle(technique.code(parent, values, paths), tmp_path)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"F1 {f1_score(labels, predicted, average='macro'):.4g}" in done.stdout
    assert (tmp_path / "best.tflite").exists()


@pytest.mark.slow
def test_the_plain_code_measures_and_keeps_the_best(parents, made, tmp_path):
    parent, dataset = parents("two_inputs")
    values = {
        "runtimes": "litert, onnxruntime, openvino, keras.function",
        "precisions": "float32, float16, dynamic int8, int8",
        "threads": "1, 2",
        "batches": "1, 8",
        "tolerance": 100.0,
    }
    run_code([(NAME, parent, dataset, values, str(tmp_path / "best"))], tmp_path / "code")
    x = dataset.x("test")
    for runtime_name, file, precision in [
        ("litert", "best-litert-float32.tflite", "float32"),
        ("onnxruntime", "best-onnxruntime-float32.onnx", "float32"),
        ("openvino", "best-openvino-float32", "float32"),
        ("litert", "best-litert-int8.tflite", "int8"),
        ("onnxruntime", "best-onnxruntime-float16.onnx", "float16"),
        ("openvino", "best-openvino-float16", "float16"),
        ("onnxruntime", "best-onnxruntime-dynamic-int8.onnx", "dynamic int8"),
    ]:
        ours = (
            made("inference.runtime", "two_inputs", runtime=runtime_name)
            if precision != "int8"
            else made("quantization.int8", "two_inputs")
        )
        twin = ours.__class__(**{**vars(ours), "path": tmp_path / file})
        scale = np.abs(predict(ours, x)).max()
        tolerance = {"float32": 1e-5, "int8": 1e-6, "float16": 1e-2, "dynamic int8": 0.1}[precision]
        assert np.abs(predict(twin, x) - predict(ours, x)).max() < tolerance * scale, file
    assert [item for item in tmp_path.iterdir() if item.name.startswith("best.") or item.name == "best"]
