"""Everything that trains, on models that predict numbers, several labels, or a class for each position."""

from __future__ import annotations

import numpy as np
import pytest

from tests.digits import Recorder
from tests.techniques.applying import WithoutTest, predict, write_bundle
from tests.techniques.other_tasks import KINDS, dataset_of, task_of, variant_of
from tests.techniques.plain_process import run_scripts
from workbench import techniques
from workbench.api.technique import CodePaths, Context, OtherFile
from workbench.exporting.judging import FileJudge
from workbench.plain.measures import MEASURES
from workbench.training import TrainingSettings, training_obstacle

keras = pytest.importorskip("keras")

EPOCHS = {"epochs": 2, "batch_size": 64}
TAUGHT = {"distill": 1.0}
GRID = {"runtimes": "litert", "precisions": "float32", "threads": "1", "batches": "1"}

# Of a regression every technique that trains; of the others one of each way to train.
RUNS = [
    ("regression", "training.retrain", {**EPOCHS, "seeds": 2, "regression_loss": "Huber"}),
    ("regression", "structure.pruning", {**EPOCHS, "importance": "taylor", "distill": 0.5}),
    ("regression", "structure.depth", {**EPOCHS, "importance": "F1"}),
    ("regression", "structure.width", EPOCHS),
    ("regression", "structure.low_rank", {**EPOCHS, "choose": "sensitivity", "tolerance": 0.5}),
    ("regression", "structure.sparsity", {**EPOCHS, "removal": "gradual"}),
    ("regression", "structure.clustering", EPOCHS),
    ("regression", "quantization.qat", EPOCHS),
    ("regression", "distillation.distill", {**EPOCHS, "compare_seeds": 1}),
    ("multi-label", "training.retrain", {**EPOCHS, "label_smoothing": 0.1, "mixup": 0.2}),
    ("multi-label", "structure.pruning", {**EPOCHS, "importance": "taylor"}),
    ("multi-label", "quantization.qat", EPOCHS),
    ("multi-label", "distillation.distill", {**EPOCHS, "compare_seeds": 0}),
    ("per position", "training.retrain", EPOCHS),
    ("per position", "structure.pruning", {**EPOCHS, "importance": "taylor"}),
    ("per position", "quantization.qat", EPOCHS),
    ("per position", "distillation.distill", {**EPOCHS, "compare_seeds": 0}),
    ("binary positions", "training.retrain", EPOCHS),
    ("steps", "training.retrain", EPOCHS),
    ("steps", "distillation.distill", {**EPOCHS, "compare_seeds": 0}),
    ("regression", "quantization.mixed_precision", {"samples": 24, "budget": 20}),
    ("per position", "quantization.mixed_precision", {"samples": 16, "by": "layers"}),
    ("agreement", "quantization.mixed_precision", {"samples": 16}),
    ("regression", "inference.grid", GRID),
    ("per position", "inference.grid", GRID),
    ("agreement", "inference.grid", GRID),
    ("agreement", "structure.pruning", {**EPOCHS, **TAUGHT}),
    ("agreement", "structure.depth", {"epochs": 0}),
    ("agreement", "distillation.distill", {**EPOCHS, "weight": 1.0}),
]


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    """A model and data of each kind."""
    folder, made = tmp_path_factory.mktemp("tasks"), {}

    def subject(kind):
        if kind not in made:
            dataset = dataset_of(kind, folder / "data")
            made[kind] = variant_of(kind, dataset, folder / "models"), dataset
        return made[kind]

    return subject


def made_by(name, parent, dataset, folder, values):
    """What a technique makes, and what it has drawn."""
    technique, report = techniques.technique(name), Recorder()
    report.table = lambda table: None
    assert technique.obstacle(parent, dataset.info, values) is None
    folder.mkdir(parents=True, exist_ok=True)
    others = dict.fromkeys(technique.others(values), parent)
    data = WithoutTest(dataset.folder)
    return technique.apply(Context(parent, data, folder, report, 0, others), values), report


@pytest.fixture(scope="module")
def applied(subjects, tmp_path_factory):
    """Every run, made when it is asked for."""
    found = {}

    def one(number):
        if number not in found:
            kind, name, parameters = RUNS[number]
            parent, dataset = subjects(kind)
            values = techniques.technique(name).parameters_type.model_validate(parameters)
            found[number] = made_by(name, parent, dataset, tmp_path_factory.mktemp("made") / "out", values)
        return found[number]

    return one


@pytest.mark.parametrize("number", range(len(RUNS)), ids=[f"{kind}: {name}" for kind, name, _ in RUNS])
def test_it_learns_and_says_so_in_the_words_of_the_task(number, subjects, applied):
    kind, name, parameters = RUNS[number]
    parent, dataset = subjects(kind)
    result, report = applied(number)
    x, labels = dataset.x("test"), np.array(dataset.y("test"))
    outputs = predict(result, x)
    assert np.isfinite(outputs).all()
    assert len(outputs) == len(labels)
    task = task_of(kind)
    texts = " ".join(map(str, [*result.report.notes, *result.report.touched]))
    assert "F1" not in texts or task == "multi-label", texts
    if not parameters.get("epochs"):
        return
    title = {"regression": "MAE", "multi-label": "F1", "per position": "mIoU", "agreement": "agreement"}[task]
    assert f"validation {title}" in report.curves
    assert f"validation {title} over seconds" in report.curves
    if task != "agreement":
        score = MEASURES[task].of(outputs, labels, from_logits=parent.description.from_logits)
        mean = outputs.mean(axis=tuple(range(outputs.ndim - 1)))
        constant = MEASURES[task].of(
            np.broadcast_to(mean, outputs.shape), labels, from_logits=parent.description.from_logits
        )
        if kind != "regression" and name == "training.retrain":
            assert score > constant


@pytest.mark.slow
def test_the_code_that_is_shown_does_the_same(subjects, applied, tmp_path):
    folder = tmp_path / "code"
    folder.mkdir()
    for kind in KINDS:
        subjects(kind)[1].save_npz(folder / f"{kind}.npz")
    files = []
    for number, (kind, name, parameters) in enumerate(RUNS):
        parent, _ = subjects(kind)
        technique = techniques.technique(name)
        values = technique.parameters_type.model_validate(parameters)
        others = {other: OtherFile(parent, str(parent.path)) for other in technique.others(values)}
        paths = CodePaths(str(parent.path), f"{kind}.npz", f"made{number}", others)
        files.append(write_bundle(technique.code(parent, values, paths), folder, f"script{number}.py"))
    done = run_scripts(files, folder, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    assert done.returncode == 0, done.stderr[-3000:]
    for number, (kind, name, _) in enumerate(RUNS):
        result, _ = applied(number)
        x = subjects(kind)[1].x("test")
        suffix = result.path.suffix
        theirs = predict(result.__class__(**{**vars(result), "path": folder / f"made{number}{suffix}"}), x)
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(
            predict(result, x) / scale, theirs / scale, atol=2e-3, err_msg=f"{kind}: {name}"
        )


@pytest.mark.parametrize("kind", ["regression", "multi-label", "per position", "agreement"])
def test_a_change_is_that_of_the_measure_with_an_interval_around_it(kind, subjects):
    parent, dataset = subjects(kind)
    model = keras.models.load_model(parent.path, compile=False)
    outputs = np.asarray(model(np.array(dataset.x("validation"))))
    if kind == "regression":  # what this model has learned so far is little better than noise
        outputs = np.array(dataset.y("validation")) + 5 * outputs / outputs.std()
    worse = outputs + np.random.default_rng(0).normal(size=outputs.shape, scale=outputs.std())
    labels = outputs if kind == "agreement" else np.array(dataset.y("validation"))
    judge = FileJudge(dataset.info, labels, from_logits=False, seed=0)
    before, after = judge.answers(outputs), judge.answers(worse)
    found = judge.change(before, after)
    measure = MEASURES[task_of(kind)]
    wanted = measure.gain(measure.of(outputs, labels), measure.of(worse, labels))
    if kind != "agreement":
        assert found.value == pytest.approx(wanted)
    assert found.low < found.value < found.high
    assert found.value < 0
    same = judge.change(before, before)
    assert same.low <= same.value == 0 <= same.high  # what nobody has seen may still change


def obstacle(subjects, kind, name, **parameters):
    parent, dataset = subjects(kind)
    technique = techniques.technique(name)
    return str(technique.obstacle(parent, dataset.info, technique.parameters_type.model_validate(parameters)))


def test_without_labels_what_needs_them_refuses_and_says_what_to_do(subjects):
    for name in ("training.retrain", "structure.width", "quantization.qat", "structure.low_rank"):
        reason = obstacle(subjects, "agreement", name)
        assert "have no labels" in reason
        assert "distillation" in reason
    assert "Set its weight to 1 (it is 0.9)" in obstacle(subjects, "agreement", "distillation.distill")
    assert "Set its weight to 1 (it is 0)" in obstacle(subjects, "agreement", "structure.clustering")
    assert obstacle(subjects, "agreement", "structure.clustering", epochs=0) == "None"
    assert "Choose l1" in obstacle(subjects, "agreement", "structure.pruning", importance="taylor", distill=1)


def test_settings_that_make_no_sense_of_a_task_are_refused(subjects):
    def reason(kind, **settings):
        parent, dataset = subjects(kind)
        return str(training_obstacle(parent, dataset.info, TrainingSettings(**settings)))

    for kind in ("regression", "multi-label", "per position"):
        assert "Set the weights of classes to none" in reason(kind, class_weights="balanced")
    assert "Label smoothing" in reason("regression", label_smoothing=0.1)
    assert reason("multi-label", label_smoothing=0.1) == "None"
    assert "not mixed" in reason("per position", mixup=0.2)
    assert "have weights of their own" in reason("regression", mixup=0.2)
    parent, dataset = subjects("regression")
    alike = dataset.info.model_copy(update={"weighted": ()})
    assert training_obstacle(parent, alike, TrainingSettings(mixup=0.2)) is None
    assert "move the picture" in reason("per position", flip="horizontal")
    assert TrainingSettings(regression_loss="Huber").unused("multi-label")[0].name == "regression_loss"
    assert TrainingSettings(regression_loss="Huber").unused("regression") == ()


def test_an_output_that_does_not_fit_the_labels_is_refused(subjects):
    parent, _ = subjects("regression")
    for kind, words in (
        ("multi-label", None),
        ("per position", "one score per class at each position"),
    ):
        found = training_obstacle(parent, subjects(kind)[1].info)
        assert (found is None) if words is None else (words in str(found))
    one = subjects("regression")[1].info.model_copy(update={"targets": ("progress",)})
    assert "one value for each number to predict: the data set has 1" in str(training_obstacle(parent, one))
