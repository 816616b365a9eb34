import gzip

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
    assert applied.description.precision == "int8 weights"
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


def test_rounded_biases_pack_better_and_hardly_move(parents, made):
    values = {"per_channel": False, "round_biases": True}
    rounded, exact = made(NAME, "conv", **values), made(NAME, "conv", per_channel=False)
    assert len(gzip.compress(rounded.path.read_bytes())) < len(gzip.compress(exact.path.read_bytes()))
    pairs = list(zip(biases(rounded.path), biases(exact.path), strict=True))
    assert len(pairs) == 4
    for found, before in pairs:
        largest = np.abs(before).max()
        assert np.abs(found - before).max() <= largest / 128
        assert all(mantissa_bits(value) <= 8 for value in found)
    features = parents("conv")[1].x("test")
    np.testing.assert_allclose(predict(rounded, features), predict(exact, features), atol=0.02)
    assert "Biases are rounded" in " ".join(map(str, rounded.report.notes))


def biases(path):
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph = model.subgraphs[0]
    computing = {schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED}
    computing.add(schema.BuiltinOperator.DEPTHWISE_CONV_2D)
    return [
        np.frombuffer(bytes(model.buffers[graph.tensors[operator.inputs[2]].buffer].data), np.float32)
        for operator in graph.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode in computing
    ]


def mantissa_bits(value):
    """Significant bits of a float32."""
    numerator, _ = float(value).as_integer_ratio()
    return len(bin(abs(numerator)).strip("0b-")) if numerator else 0


def test_what_does_not_fit_and_what_is_expected(parents, made):
    technique = techniques.technique(NAME)
    parent, dataset = parents("conv")
    float16 = small_models.child(made("quantization.float16", "conv"), parent)
    assert "already float16" in str(technique.obstacle(float16, dataset.info, Int8WeightsParameters()))
    estimate = technique.estimate(parent, dataset.info, Int8WeightsParameters())
    assert 0 < estimate.seconds < 60
    assert estimate.size_ratio == 0.27
    assert technique.variant_name(Int8WeightsParameters()) == "int8 weights"


@pytest.mark.slow
def test_the_plain_code_writes_the_same_file(parents, made, tmp_path):
    cases = [("conv", {"per_channel": False, "round_biases": True}), ("two_inputs", {})]
    run_code(
        [
            (NAME, *parents(kind), values, str(tmp_path / f"{number}.tflite"))
            for number, (kind, values) in enumerate(cases)
        ],
        tmp_path / "code",
    )
    for number, (kind, values) in enumerate(cases):
        assert (tmp_path / f"{number}.tflite").read_bytes() == made(NAME, kind, **values).path.read_bytes()
