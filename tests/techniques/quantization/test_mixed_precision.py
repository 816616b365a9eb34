import shutil

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tests import small_models
from tests.techniques.applying import Reports, apply, predict, run_code, size
from workbench import techniques
from workbench.api.errors import Cancelled, Refused
from workbench.plain.litert import sensitivity
from workbench.plain.litert.sensitivity import choose, operations
from workbench.techniques.quantization.mixed_precision import MixedPrecisionParameters
from workbench.techniques.quantization.mixed_precision_code import choice_code, judged_output

NAME = "quantization.mixed_precision"


@pytest.fixture(scope="module")
def mixed(parents, tmp_path_factory):
    known = {}

    def of(kind, **parameters):
        key = kind, *sorted(parameters.items())
        if key not in known:
            folder = tmp_path_factory.mktemp("mixed") / "folder"
            known[key] = apply(NAME, *parents(kind), folder, samples=48, **parameters)
        return known[key]

    return of


def precisions(applied):
    return [
        layer.precision for layer in applied.description.layers if layer.parameters and layer.kind != "ADD"
    ]


def test_a_fixed_number_of_layers_is_kept(mixed, made):
    """Two of the four layers; the depthwise one has no 4-bit form."""
    applied = mixed("conv", by="layers", layers=2)
    float32 = made("inference.runtime", "conv", runtime="litert")
    assert len(applied.report.skipped) == 2
    assert all("Kept as int8 weights" in str(skip.reason) for skip in applied.report.skipped)
    assert "2 of 4 layers are int4 weights" in str(applied.report.touched[0])
    assert size(applied.path) < size(float32.path)
    (table,) = applied.report.tables
    assert [row[1] for row in table.rows] == sorted(row[1] for row in table.rows)
    assert {row[0] for row in table.rows} == {"stem", "block", "depthwise", "logits"}
    kept = [skip.name.partition(" ")[0] for skip in applied.report.skipped]
    assert kept == [row[0] for row in table.rows[:2]]


def test_the_sensitivity_is_that_of_a_file_in_which_one_layer_is_quantized(mixed, parents, made, tmp_path):
    """Against a file made with the quantizer by hand."""
    from litert_quantizer.qtyping import TFLOperationName
    from litert_quantizer.quantizer import Quantizer

    rows = {row[0]: row for row in mixed("conv", by="layers", layers=2).report.tables[0].rows}
    float32 = made("inference.runtime", "conv", runtime="litert")
    worker = Quantizer(str(float32.path))
    worker.add_weight_only_config("block", TFLOperationName.CONV_2D, 4)
    worker.quantize(enable_progress_report=False).export_model(str(tmp_path / "block.tflite"))

    dataset = parents("conv")[1]
    index = np.sort(np.random.default_rng(0).choice(64, 48, replace=False))
    x, y = np.asarray(dataset.x("validation"))[index], np.asarray(dataset.y("validation"))[index]
    expected = predict(float32, x)
    from dataclasses import replace

    found = predict(replace(float32, path=tmp_path / "block.tflite"), x)
    snr = 10 * np.log10((expected**2).sum() / ((expected - found) ** 2).sum())
    assert rows["block"][1] == pytest.approx(snr, abs=0.06)
    assert rows["block"][2] == pytest.approx(f1_score(y, found.argmax(1), average="macro"), abs=1e-4)


@pytest.mark.parametrize("low", ["int4 weights", "int8 weights", "int8"])
def test_a_budget_is_kept_on_the_samples_measured(low, mixed, parents):
    applied = mixed("conv", low=low, budget=2.0)
    before, after = [
        float(word)
        for word in str(applied.report.notes[0]).replace(",", " ").split()
        if word.startswith(("0.", "1."))
    ]
    assert after >= before - 0.02 - 1e-9
    # 48 samples cannot prove two points.
    assert "the budget of 2.0 points holds is not proven" in str(applied.report.notes[1])
    wanted = {"int4 weights": "int4", "int8 weights": "int8", "int8": "int8"}[low]
    assert wanted in precisions(applied)


def test_kept_in_float32(mixed):
    applied = mixed("conv", low="int8", by="layers", layers=1)
    assert precisions(applied).count("float32") == 1
    assert precisions(applied).count("int8") == 3
    assert applied.description.precision == "mixed"


def test_more_layers_are_kept_until_quality_is_enough():
    f1 = {0: 0.7, 1: 0.8, 2: 0.95, 3: 0.99}
    tried = choose(["a", "b", "c"], 0.9, 0.0, lambda kept: f1[len(kept)])
    assert tried == [(0, 0.7), (1, 0.8), (2, 0.95)]
    assert choose(["a", "b"], 0.99, 0.0, lambda kept: f1[len(kept)])[-1] == (2, 0.95)
    # never enough: the best of them, with the fewest kept
    assert choose(["a", "b"], 2, 2.0, lambda kept: 0.5)[-1] == (0, 0.5)


def test_the_sweep_is_used_again_and_goes_with_the_parent(parents, tmp_path):
    parent, dataset = parents("dense")
    home = tmp_path / "variant"
    home.mkdir()
    shutil.copy(parent.path, home / "model.keras")
    parent = parent.model_copy(update={"path": home / "model.keras"})
    first = apply(NAME, parent, dataset, tmp_path / "a", by="layers", layers=1)
    assert len(list(home.glob("sensitivity-*.json"))) == 1
    second = apply(NAME, parent, dataset, tmp_path / "b", by="layers", layers=0)
    assert "used again" in " ".join(map(str, second.report.notes))
    assert "used again" not in " ".join(map(str, first.report.notes))
    assert first.report.tables[0].rows == second.report.tables[0].rows
    other = apply(NAME, parent, dataset, tmp_path / "c", by="layers", layers=1, seed=1, samples=32)
    assert "used again" not in " ".join(map(str, other.report.notes))
    assert len(list(home.iterdir())) == 3


def test_two_inputs(mixed, parents):
    applied = mixed("two_inputs", by="layers", layers=1)
    assert [row[0] for row in applied.report.tables[0].rows]
    assert predict(applied, parents("two_inputs")[1].x("test")).shape == (48, small_models.CLASSES)


def test_the_output_that_is_judged_is_looked_at(parents, tmp_path):
    from workbench.models.converting.conversion import load_keras, to_tflite

    parent, dataset = parents("two_inputs")
    path = to_tflite(load_keras(parent.path), tmp_path / "model.tflite")
    x = dataset.x("test")
    samples = [{name: x[name][:1] for name in x}]
    widths = [sensitivity.predictions(path, samples, ("no such name", place)).shape[1] for place in (0, 1)]
    assert widths == [small_models.CLASSES, 1]
    description = parent.description
    assert judged_output(description) == (description.outputs[0].name, 0)
    second = description.model_copy(update={"output": 1})
    assert judged_output(second) == (description.outputs[1].name, 1)
    code = choice_code(
        parent.model_copy(update={"description": second}), "d.npz", "m.tflite", low=8, kept=None,
        integer=False, layers=1, budget=0.01, samples=8, calibration=8, seed=0,
    )  # fmt: skip
    assert f'predictions(file, samples, ("{description.outputs[1].name}", 1))' in code


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """A tower that is called twice, as in a siamese network: the two calls read one constant."""
    import keras
    from keras import layers

    folder = tmp_path_factory.mktemp("twins")
    inputs = keras.Input((20,), name="x")
    tower = keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(32, activation="relu", name="first"),
            layers.Dense(16, activation="relu", name="second"),
        ]
    )
    x = layers.Concatenate()([tower(inputs), tower(layers.Activation("tanh")(inputs))])
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="logits")(x))
    small_models.train(model, "dense")
    dataset = small_models.write_dataset("dense", folder / "data")
    return small_models.baseline(model, folder / "model.keras"), dataset


@pytest.mark.parametrize("low", ["int4 weights", "int8 weights", "int8"])
def test_a_layer_that_is_called_twice_has_one_precision(low, twins, tmp_path):
    applied = apply(NAME, *twins, tmp_path, low=low, by="layers", layers=1, samples=32)
    rows = applied.report.tables[0].rows
    assert sorted(row[0] for row in rows) == ["first", "logits", "second"]
    assert predict(applied, twins[1].x("test")).shape == (48, small_models.CLASSES)


def test_refused_where_nothing_would_be_quantized(parents, tmp_path):
    with pytest.raises(Refused, match="float32"):
        apply(NAME, *parents("dense"), tmp_path, by="layers", layers=9, kept="float32")


def test_cancel_in_the_sweep(parents, tmp_path):
    with pytest.raises(Cancelled):
        apply(NAME, *parents("conv"), tmp_path, report=Reports(cancel_at=65), samples=60)


def test_layers_have_the_names_of_keras(made):
    found = operations(made("inference.runtime", "two_inputs", runtime="litert").path)
    assert {item.name for item in found} == {"look", "count", "think", "classes", "extra"}


def test_what_does_not_fit(parents, made):
    technique = techniques.technique(NAME)
    parent, dataset = parents("conv")
    int8 = small_models.child(made("quantization.int8", "conv"), parent)
    assert "already int8" in str(technique.obstacle(int8, dataset.info, MixedPrecisionParameters()))
    estimate = technique.estimate(parent, dataset.info, MixedPrecisionParameters())
    assert 0 < estimate.seconds < 120
    assert technique.variant_name(MixedPrecisionParameters()) == "mixed int4 weights"
    for field in MixedPrecisionParameters.model_fields.values():
        assert field.title
        assert field.description


@pytest.mark.slow
def test_the_plain_code_writes_the_same_file(parents, mixed, tmp_path):
    cases = [
        ("conv", {"low": "int8", "by": "layers", "layers": 1}),
        ("conv", {"low": "int4 weights", "budget": 2.0}),
        ("two_inputs", {"by": "layers", "layers": 1}),
    ]
    run_code(
        [
            (NAME, *parents(kind), {"samples": 48, **values}, str(tmp_path / f"{number}.tflite"))
            for number, (kind, values) in enumerate(cases)
        ],
        tmp_path / "code",
    )
    for number, (kind, values) in enumerate(cases):
        assert (tmp_path / f"{number}.tflite").read_bytes() == mixed(kind, **values).path.read_bytes()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("conv", {"by": "layers", "layers": 2}),
        ("conv", {"low": "int8", "by": "layers", "layers": 1}),
        ("two_inputs", {"by": "layers", "layers": 1}),
    ],
)
def test_the_size_that_is_expected_is_about_that_of_the_file(kind, values, parents, mixed):
    parent, dataset = parents(kind)
    expected = techniques.technique(NAME).estimate(
        parent, dataset.info, MixedPrecisionParameters.model_validate(values)
    )
    real = mixed(kind, **values).path.stat().st_size / parent.path.stat().st_size
    assert real == pytest.approx(expected.size_ratio, rel=0.35)
