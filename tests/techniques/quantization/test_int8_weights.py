import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import predict, run_code, size
from workbench import techniques
from workbench.techniques.quantization.int8_weights import Int8WeightsParameters

NAME = "quantization.int8_weights"


@pytest.mark.parametrize("kind", ["dense", "conv", "two_inputs"])
def test_weights_take_a_byte_and_activations_stay_exact(kind, parents, made):
    parent, dataset = parents(kind)
    applied = made(NAME, kind)
    assert (applied.format, applied.runtime) == ("tflite", "litert")
    assert applied.description.parameters == parent.description.parameters
    weighted = [layer for layer in applied.description.layers if layer.parameters]
    assert {layer.precision for layer in weighted} == {"int8"}
    assert str(applied.report.touched[0]).startswith(f"{len(weighted)} of {len(weighted)} ")
    assert not applied.report.skipped
    float32 = made("inference.runtime", kind, runtime="litert")
    assert size(applied.path) < size(float32.path)
    features = dataset.x("test")
    outputs, exact = predict(applied, features), predict(float32, features)
    # Softmax outputs: weights off by at most 1/254 of their range move them by little.
    np.testing.assert_allclose(outputs, exact, atol=0.03)
    assert not np.array_equal(outputs, exact)


def test_one_scale_for_each_layer_keeps_shared_values_few(parents, made):
    from ai_edge_litert import schema_py_generated as schema

    scales = {}
    for per_channel in (True, False):
        applied = made(NAME, "conv", per_channel=per_channel)
        model = schema.ModelT.InitFromPackedBuf(applied.path.read_bytes(), 0)
        scales[per_channel] = [
            len(tensor.quantization.scale)
            for tensor in model.subgraphs[0].tensors
            if tensor.type == schema.TensorType.INT8
        ]
    assert set(scales[False]) == {1}
    assert max(scales[True]) > 1
    assert size(made(NAME, "conv", per_channel=False).path) < size(made(NAME, "conv").path)


def test_what_does_not_fit_and_what_is_expected(parents, made):
    technique = techniques.technique(NAME)
    parent, dataset = parents("conv")
    float16 = small_models.child(made("quantization.float16", "conv"), parent)
    assert "already float16" in str(technique.fits(float16, dataset.info, Int8WeightsParameters()))
    estimate = technique.estimate(parent, dataset.info, Int8WeightsParameters())
    assert 0 < estimate.seconds < 60
    assert estimate.size_ratio == 0.27
    assert technique.variant_name(Int8WeightsParameters()) == "int8 weights"


@pytest.mark.slow
def test_the_plain_code_writes_the_same_file(parents, made, tmp_path):
    cases = [("conv", {"per_channel": False}), ("two_inputs", {})]
    run_code(
        [
            (NAME, *parents(kind), values, str(tmp_path / f"{number}.tflite"))
            for number, (kind, values) in enumerate(cases)
        ],
        tmp_path / "code",
    )
    for number, (kind, values) in enumerate(cases):
        assert (tmp_path / f"{number}.tflite").read_bytes() == made(NAME, kind, **values).path.read_bytes()
