from collections import Counter
from dataclasses import replace

import numpy as np
import onnx
import pytest

from tests import small_models
from tests.techniques.applying import Reports, apply, predict, run_code, size
from workbench import techniques
from workbench.api.errors import Cancelled, Refused
from workbench.exporting.onnx_files import operations
from workbench.techniques.quantization.onnx_static import OnnxInt8Parameters

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object` will be defined:FutureWarning")

NAME = "quantization.onnx_int8"


def kinds(path):
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def constants(path):
    """Every stored tensor by name; the quantizer's order of them is not fixed."""
    return {
        tensor.name: onnx.numpy_helper.to_array(tensor).tolist()
        for tensor in onnx.load(path).graph.initializer
    }


def weights(path):
    """Stored int8 tensors of more than one axis."""
    tensors = onnx.load(path).graph.initializer
    arrays = [onnx.numpy_helper.to_array(tensor) for tensor in tensors]
    return [array for array in arrays if array.dtype == np.int8 and array.ndim > 1]


def activation_scales(path):
    """The scale of every activation that is quantized, in the order of the graph."""
    graph = onnx.load(path).graph
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    return [float(arrays[node.input[1]]) for node in graph.node if node.op_type == "QuantizeLinear"]


@pytest.mark.parametrize("kind", small_models.KINDS)
def test_the_file_is_int8_and_predicts_like_float32(kind, parents, made):
    parent, dataset = parents(kind)
    applied, float32 = made(NAME, kind), made("inference.runtime", kind, runtime="onnxruntime")

    assert (applied.format, applied.runtime) == ("onnx", "onnxruntime")
    assert applied.description.precision == "int8"
    assert applied.description.parameters == parent.description.parameters
    assert kinds(applied.path)["QuantizeLinear"] > 0
    assert "QuantizeLinear" not in kinds(float32.path)
    assert sum(array.size for array in weights(applied.path)) > 0.8 * parent.description.parameters
    if kind != "two_inputs":  # its nodes weigh more than its weights
        assert size(applied.path) < size(float32.path)
    assert "compute on 8-bit values" in str(applied.report.touched[0])
    x = dataset.x("test")
    expected, found = predict(float32, x), predict(applied, x)
    assert np.abs(found - expected).max() <= 0.15 * np.abs(expected).max()
    assert (found.argmax(-1) == expected.argmax(-1)).mean() > 0.9


def test_the_report_counts_what_the_file_holds(made):
    applied = made(NAME, "conv")
    found = kinds(applied.path)
    compute = sum(found.values()) - found["QuantizeLinear"] - found["DequantizeLinear"]
    done, total = (int(word) for word in str(applied.report.touched[0]).split()[:3:2])
    assert total == compute
    assert done == compute - len(applied.report.skipped)
    assert f"{found['Conv']} Conv" in str(applied.report.touched[0])
    assert all("float32" in str(skip.reason) for skip in applied.report.skipped)


@pytest.mark.parametrize("method", ["entropy", "percentile"])
def test_other_ranges(method, parents, made):
    applied = made(NAME, "conv", method=method)
    found, extremes = activation_scales(applied.path), activation_scales(made(NAME, "conv").path)
    assert len(found) == len(extremes)
    assert sum(scale < 0.99 * other for scale, other in zip(found, extremes, strict=True)) > 0
    dataset = parents("conv")[1]
    accuracy = (predict(applied, dataset.x("test")).argmax(-1) == dataset.y("test")).mean()
    baseline = made("inference.runtime", "conv", runtime="onnxruntime")
    before = (predict(baseline, dataset.x("test")).argmax(-1) == dataset.y("test")).mean()
    assert accuracy >= before - 0.05


def test_seven_bits_stay_within_seven_bits(made):
    reduced = weights(made(NAME, "conv", reduce_range="on").path)
    whole = weights(made(NAME, "conv", reduce_range="off").path)
    assert max(np.abs(array.astype(int)).max() for array in reduced) <= 64
    assert max(np.abs(array.astype(int)).max() for array in whole) > 100
    assert "7 of their bits" in str(made(NAME, "conv", reduce_range="on").report.touched[1])


def test_activations_and_scales_are_what_was_asked_for(made):
    def zero_points(path, dtype):
        graph = onnx.load(path).graph
        used = {node.input[2] for node in graph.node if node.op_type == "QuantizeLinear"}
        return [tensor for tensor in graph.initializer if tensor.name in used and tensor.data_type == dtype]

    signed = made(NAME, "conv", activations="int8").path
    unsigned = made(NAME, "conv", activations="uint8").path
    assert zero_points(unsigned, onnx.TensorProto.UINT8)
    assert not zero_points(signed, onnx.TensorProto.UINT8)
    single = made(NAME, "conv", per_channel=False).path
    assert size(single) < size(made(NAME, "conv").path)


def test_automatic_follows_the_processor(made, monkeypatch):
    from workbench.measure import environment
    from workbench.techniques.quantization import onnx_static

    here = environment.environment()
    for features, activation, reduced in [
        (("AVX2",), "QUInt8", True),
        (("AVX2", "AVX-512", "VNNI"), "QUInt8", False),
        (("NEON", "DOTPROD"), "QInt8", False),
    ]:
        machine = here.model_copy(update={"features": features})
        monkeypatch.setattr(environment, "environment", lambda machine=machine: machine)
        settings = onnx_static._settings(OnnxInt8Parameters())
        assert (settings.activation, settings.reduce_range) == (activation, reduced)


def test_an_onnx_file_gives_what_its_keras_model_gives(parents, made, tmp_path):
    parent, dataset = parents("conv")
    float32 = small_models.child(made("inference.runtime", "conv", runtime="onnxruntime"), parent)
    applied = apply(NAME, float32, dataset, tmp_path)
    expected = predict(made(NAME, "conv"), dataset.x("test"))
    np.testing.assert_allclose(predict(applied, dataset.x("test")), expected, atol=1e-6)


def test_calibration_samples_are_seeded_and_counted(parents, tmp_path):
    parent, dataset = parents("dense")

    def content(folder, **parameters):
        return constants(apply(NAME, parent, dataset, tmp_path / folder, **parameters).path)

    first = content("a", samples=16)
    assert first == content("b", samples=16)
    assert first != content("c", samples=16, seed=1)
    enough = apply(NAME, parent, dataset, tmp_path / "d", samples=100, split="train")
    assert "100 samples of the train split" in str(enough.report.notes[0])


def test_cancel_while_calibrating(parents, tmp_path):
    parent, dataset = parents("dense")
    report = Reports(cancel_at=20)
    with pytest.raises(Cancelled):
        apply(NAME, parent, dataset, tmp_path, report=report)
    assert 0.25 < report.fractions[-1] < 0.85
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit(parents, made):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)
    lite = small_models.child(made("inference.runtime", "conv", runtime="litert"), parent)
    assert "starts from Keras, ONNX" in str(technique.obstacle(lite, dataset.info, OnnxInt8Parameters()))
    int8 = small_models.child(made(NAME, "conv"), parent)
    assert "already int8" in str(technique.obstacle(int8, dataset.info, OnnxInt8Parameters()))
    huge = parent.description.layers[0].model_copy(update={"output_shape": (4096, 4096, 64)})
    large = parent.model_copy(
        update={"description": parent.description.model_copy(update={"layers": (huge,)})}
    )
    entropy = OnnxInt8Parameters(method="entropy")
    assert "in memory" in str(technique.obstacle(large, dataset.info, entropy))
    assert technique.obstacle(large, dataset.info, OnnxInt8Parameters()) is None


def test_a_file_without_any_8_bit_operation_is_refused(made):
    with pytest.raises(Refused, match="No operation"):
        operations(made("inference.runtime", "conv", runtime="onnxruntime").path)


def test_estimate_and_name(parents):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)
    estimate = technique.estimate(parent, dataset.info, OnnxInt8Parameters())
    assert 0 < estimate.seconds < 60
    assert 0.2 < estimate.size_ratio < 0.5
    slower = technique.estimate(parent, dataset.info, OnnxInt8Parameters(method="entropy"))
    assert slower.seconds > estimate.seconds
    assert technique.variant_name(OnnxInt8Parameters()) == "ONNX int8"
    for field in OnnxInt8Parameters.model_fields.values():
        assert field.title
        assert field.description


@pytest.mark.slow
def test_the_plain_code_writes_the_same_file(parents, made, tmp_path):
    float32 = small_models.child(
        made("inference.runtime", "dense", runtime="onnxruntime"), parents("dense")[0]
    )
    cases = [
        ("conv", parents("conv")[0], {"method": "percentile"}),
        ("two_inputs", parents("two_inputs")[0], {"per_channel": False}),
        ("series", parents("series")[0], {"method": "entropy"}),
        ("dense", float32, {"reduce_range": "on", "activations": "int8"}),
    ]
    run_code(
        [
            (NAME, parent, parents(kind)[1], values, str(tmp_path / f"{kind}.onnx"))
            for kind, parent, values in cases
        ],
        tmp_path / "code",
    )
    for kind, _, values in cases:
        # The converter may keep or fold what computes a shape, and numbers its tensors as it likes.
        ours = made(NAME, kind, **values)
        twin = replace(ours, path=tmp_path / f"{kind}.onnx")
        for operation in ("Conv", "Gemm", "MatMul", "Add"):
            assert kinds(twin.path)[operation] == kinds(ours.path)[operation]
        assert [array.shape for array in weights(twin.path)] == [array.shape for array in weights(ours.path)]
        x = parents(kind)[1].x("test")
        np.testing.assert_allclose(predict(twin, x), predict(ours, x), atol=1e-5)


def test_a_large_model_takes_another_way_to_the_same_numbers(made, parents, monkeypatch, tmp_path):
    """Converted in a process of its own, with its weights beside the file and ranges found beforehand."""
    from workbench.exporting import onnx_files

    monkeypatch.setattr(onnx_files, "LARGE_MODEL_BYTES", 0)
    applied = apply(NAME, *parents("dense"), tmp_path / "large")
    usual = made(NAME, "dense")
    assert [item.name for item in (tmp_path / "large").iterdir()] == ["model.onnx"]
    assert applied.path.stat().st_size == pytest.approx(usual.path.stat().st_size, rel=0.02)
    assert applied.description.precision == usual.description.precision
    x = parents("dense")[1].x("test")
    np.testing.assert_array_equal(predict(applied, x), predict(usual, x))
