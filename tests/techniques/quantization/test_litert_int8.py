import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import Reports, apply, predict, run_code, size
from workbench import techniques
from workbench.api.errors import Cancelled
from workbench.techniques.quantization.litert_int8 import LiteRTInt8Parameters

NAME = "quantization.litert_int8"


@pytest.mark.parametrize("kind", ["dense", "conv", "two_inputs"])
def test_the_file_is_int8_and_predicts_like_float32(kind, parents, made):
    parent, dataset = parents(kind)
    applied, float32 = made(NAME, kind), made("inference.runtime", kind, runtime="litert")
    assert applied.description.precision == "int8"
    assert applied.description.parameters == parent.description.parameters
    assert {spec.dtype for spec in applied.description.inputs + applied.description.outputs} == {"float32"}
    assert size(applied.path) < size(float32.path)
    assert "all 64 samples of the validation split" in str(applied.report.notes[0])
    x = dataset.x("test")
    expected, found = predict(float32, x), predict(applied, x)
    assert np.abs(found - expected).max() <= 0.15 * np.abs(expected).max()
    assert (found.argmax(-1) == expected.argmax(-1)).mean() > 0.9


@pytest.mark.parametrize(
    "parameters",
    [
        {"activations_range": "minmax"},
        {"activations_range": "mse"},
        {"percentile": 99.0},
        {"weights_range": "mse"},
        {"weights_range": "octav"},
        {"per_channel": False},
        {"io": "int8"},
    ],
)
def test_every_choice_makes_another_good_file(parameters, parents, made):
    applied = made(NAME, "conv", **parameters)
    assert applied.path.read_bytes() != made(NAME, "conv").path.read_bytes()
    dataset = parents("conv")[1]
    expected = predict(made("inference.runtime", "conv", runtime="litert"), dataset.x("test"))
    assert (predict(applied, dataset.x("test")).argmax(-1) == expected.argmax(-1)).mean() > 0.85


def test_a_float32_tflite_file_gives_the_same(parents, made, tmp_path):
    parent, dataset = parents("conv")
    float32 = small_models.child(made("inference.runtime", "conv", runtime="litert"), parent)
    applied = apply(NAME, float32, dataset, tmp_path)
    assert applied.path.read_bytes() == made(NAME, "conv").path.read_bytes()


def test_nothing_is_printed(parents, tmp_path, capfd):
    apply(NAME, *parents("dense"), tmp_path, samples=16)
    written = capfd.readouterr()
    assert "alibrat" not in written.out + written.err


def test_cancel_while_calibrating(parents, tmp_path):
    report = Reports(cancel_at=30)
    with pytest.raises(Cancelled):
        apply(NAME, *parents("dense"), tmp_path, report=report)
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit(parents, made):
    technique = techniques.technique(NAME)
    parent, dataset = parents("conv")
    int8 = small_models.child(made("quantization.int8", "conv"), parent)
    assert "already int8" in str(technique.obstacle(int8, dataset.info, LiteRTInt8Parameters()))


def test_estimate_and_name(parents):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)
    quick = technique.estimate(parent, dataset.info, LiteRTInt8Parameters(activations_range="minmax"))
    estimate = technique.estimate(parent, dataset.info, LiteRTInt8Parameters())
    assert 0 < quick.seconds < estimate.seconds < 60
    assert technique.variant_name(LiteRTInt8Parameters()) == "int8 percentile"
    for field in LiteRTInt8Parameters.model_fields.values():
        assert field.title
        assert field.description


@pytest.mark.slow
def test_the_plain_code_writes_the_same_file(parents, made, tmp_path):
    cases = [
        ("conv", {"weights_range": "octav", "activations_range": "mse"}),
        ("two_inputs", {}),
        ("dense", {"activations_range": "minmax", "per_channel": False, "io": "int8"}),
    ]
    run_code(
        [
            (NAME, *parents(kind), values, str(tmp_path / f"{number}.tflite"))
            for number, (kind, values) in enumerate(cases)
        ],
        tmp_path / "code",
    )
    for number, (kind, values) in enumerate(cases):
        content = (tmp_path / f"{number}.tflite").read_bytes()
        assert content == made(NAME, kind, **values).path.read_bytes()
