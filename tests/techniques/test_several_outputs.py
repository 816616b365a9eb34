"""Techniques that train, on a model whose outputs are a number and a class: each with its own loss."""

from __future__ import annotations

import numpy as np
import pytest

from tests.digits import Recorder
from tests.techniques.applying import WithoutTest, write_bundle
from tests.techniques.plain_process import run_scripts
from tests.techniques.several_outputs import dataset_of, variant_of
from workbench import techniques
from workbench.api.errors import Refused
from workbench.api.technique import CodePaths, Context, OtherFile
from workbench.techniques.distillation.teachers import load_teachers
from workbench.training import TrainingSettings, training_obstacle

keras = pytest.importorskip("keras")

EPOCHS = {"epochs": 2, "batch_size": 64}
RUNS = [
    ("training.retrain", {**EPOCHS, "output_weights": "size=0.5, kind=2"}),
    ("structure.pruning", {**EPOCHS, "importance": "taylor", "distill": 0.5}),
    ("structure.low_rank", {**EPOCHS, "choose": "sensitivity", "tolerance": 0.5}),
    ("quantization.qat", EPOCHS),
    ("distillation.distill", {**EPOCHS, "compare_seeds": 0, "hints": "features"}),
]


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    dataset = dataset_of(folder / "data")
    return variant_of(dataset, folder / "model"), dataset


@pytest.fixture(scope="module")
def applied(subject, tmp_path_factory):
    """What each run makes, and what it has drawn."""
    parent, dataset = subject
    made = []
    for name, parameters in RUNS:
        technique, report = techniques.technique(name), Recorder()
        report.table = lambda table: None
        values = technique.parameters_type.model_validate(parameters)
        assert technique.obstacle(parent, dataset.info, values) is None
        others = dict.fromkeys(technique.others(values), parent)
        context = Context(
            parent, WithoutTest(dataset.folder), tmp_path_factory.mktemp("made"), report, 0, others
        )
        made.append((technique.apply(context, values), report))
    return made


def test_every_output_is_learned_and_shown(applied):
    for (name, _), (result, report) in zip(RUNS, applied, strict=True):
        curves = {
            "kind: validation F1",
            "kind: training accuracy",
            "size: validation MAE",
            "size: training MAE",
        }
        assert curves | {"training loss", "validation loss"} <= set(report.curves), name
        texts = " ".join(map(str, result.report.notes))
        assert "the lowest sum of the losses" in texts
        assert "kind: validation F1" in texts
        weights = "size 0.5, kind 2" if name == "training.retrain" else "size 1, kind 1"
        assert f"added with the weights {weights}" in texts
        assert [spec.shape for spec in result.description.outputs] in ([(1,), (3,)], [(3,), (1,)])


def test_the_losses_are_those_of_plain_keras(subject, tmp_path):
    """The model's outputs as the list that they are, with the numbers of the weights written out."""
    parent, dataset = subject
    technique = techniques.technique("training.retrain")
    values = technique.parameters_type.model_validate({"epochs": 1, "output_weights": "size=0.5, kind=2"})
    report = Recorder()
    report.table = lambda table: None
    made = technique.apply(Context(parent, WithoutTest(dataset.folder), tmp_path, report, 0), values)
    ours = keras.models.load_model(made.path, compile=False)
    source = keras.models.load_model(parent.path, compile=False)
    keras.utils.set_random_seed(0)
    plain = keras.models.clone_model(source)
    plain.set_weights(source.get_weights())
    size, kind = np.array(dataset.of("size").y("train")), np.array(dataset.y("train"))
    plain.compile(
        keras.optimizers.Adam(1e-3),
        ["mean_squared_error", "sparse_categorical_crossentropy"],
        loss_weights=[0.5 / float(size.astype(np.float64).var()), 2.0],
    )
    keras.utils.set_random_seed(0)
    weights = [dataset.of("size").weights("train"), np.ones(len(kind), np.float32)]
    plain.fit(np.array(dataset.x("train")), [size, kind], sample_weight=weights, batch_size=32, verbose=0)
    for mine, theirs in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4)
    (_, loss), *_ = report.curves["validation loss"]
    x, true = np.array(dataset.x("validation")), np.array(dataset.y("validation"))
    numbers, scores = plain.predict(x, verbose=0)
    wrong = np.square(numbers - dataset.of("size").y("validation"))[:, 0] * dataset.of("size").weights(
        "validation"
    )
    entropy = -np.log(scores[np.arange(len(true)), true])
    assert loss == pytest.approx(
        0.5 * wrong.mean() / size.astype(np.float64).var() + 2 * entropy.mean(), rel=1e-3
    )


@pytest.mark.slow
def test_the_code_that_is_shown_does_the_same(subject, applied, tmp_path):
    parent, dataset = subject
    dataset.save_npz(tmp_path / "points.npz")
    files = []
    for number, (name, parameters) in enumerate(RUNS):
        technique = techniques.technique(name)
        values = technique.parameters_type.model_validate(parameters)
        others = {other: OtherFile(parent, str(parent.path)) for other in technique.others(values)}
        paths = CodePaths(str(parent.path), "points.npz", f"made{number}", others)
        files.append(write_bundle(technique.code(parent, values, paths), tmp_path, f"script{number}.py"))
    done = run_scripts(files, tmp_path, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    assert done.returncode == 0, done.stderr[-3000:]
    x = np.array(dataset.x("test"))
    for number, (name, _) in enumerate(RUNS):
        path = applied[number][0].path
        file = tmp_path / f"made{number}{path.suffix}"
        if path.suffix == ".tflite":
            assert file.read_bytes() == path.read_bytes()
            continue
        ours, theirs = (
            keras.models.load_model(one, compile=False).predict(x, verbose=0) for one in (path, file)
        )
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, other, rtol=2e-3, err_msg=name)


def test_what_cannot_be_trained_says_what_to_do(subject):
    parent, dataset = subject

    def reason(variant=parent, **settings):
        return str(training_obstacle(variant, dataset.info, TrainingSettings(**settings)))

    assert reason() == reason(label_smoothing=0.1) == reason(output_weights="size=0") == "None"
    assert "Samples that have weights of their own are not mixed" in reason(mixup=0.2)
    assert "the outputs of baseline that are trained are: size, kind" in reason(output_weights="sice=2")
    assert "are for models with one output" in reason(class_weights="balanced")
    half = parent.model_copy(update={"description": parent.description.model_copy(update={"further": ()})})
    assert "has 2 outputs, and the data have labels for 1 of them" in reason(half)
    one = half.model_copy(
        update={"description": half.description.model_copy(update={"outputs": half.description.outputs[1:]})}
    )
    with pytest.raises(Refused, match="It was not trained for the same outputs"):
        load_teachers([one], Context(parent, dataset, dataset.folder, Recorder(), 0))
    for wrong in ("size", "size=much", "size=-1", "=1"):
        with pytest.raises(ValueError, match="must be like kind=1"):
            TrainingSettings(output_weights=wrong)
