import pytest

from tests import small_models
from tests.techniques.applying import Reports, apply, predict, run_code, size
from workbench import techniques
from workbench.api.errors import Cancelled
from workbench.techniques.quantization.int4_weights import Int4Parameters

NAME = "quantization.int4_weights"


def accuracy(applied, dataset):
    return (predict(applied, dataset.x("test")).argmax(-1) == dataset.y("test")).mean()


@pytest.mark.parametrize("compute", ["float32", "int8"])
@pytest.mark.parametrize("kind", ["dense", "conv", "two_inputs"])
def test_weights_take_half_a_byte(kind, compute, parents, made):
    parent, dataset = parents(kind)
    applied = made(NAME, kind, compute=compute)
    float32 = made("inference.runtime", kind, runtime="litert")
    assert (applied.format, applied.runtime) == ("tflite", "litert")
    assert applied.description.parameters == parent.description.parameters
    four = [layer for layer in applied.description.layers if layer.precision == "int4"]
    assert {layer.kind for layer in four} <= {"CONV_2D", "FULLY_CONNECTED"}
    for layer in four:  # besides its bias of 4 bytes each
        assert layer.size_bytes < 0.75 * layer.parameters + 4 * 64
    assert size(applied.path) < size(float32.path)
    assert accuracy(applied, dataset) >= accuracy(float32, dataset) - 0.1
    assert str(applied.report.touched[0]).startswith(f"{len(four)} of ")


def test_what_has_no_4_bit_form_is_named(made):
    applied = made(NAME, "conv")
    (skip,) = [skip for skip in applied.report.skipped if "DEPTHWISE" in skip.name]
    assert "no int4 form of DEPTHWISE_CONV_2D; its weights are int8" in str(skip.reason)
    rest = made(NAME, "conv", rest="float32")
    precisions = {layer.kind: layer.precision for layer in rest.description.layers if layer.parameters}
    assert precisions["DEPTHWISE_CONV_2D"] == "float32"
    assert precisions["CONV_2D"] == "int4"
    assert made(NAME, "dense").description.precision == "int4"


def test_ranges_of_weights_differ(made, parents):
    contents = {
        method: made(NAME, "conv", weights_range=method).path.read_bytes()
        for method in ("minmax", "mse", "octav")
    }
    assert len(set(contents.values())) == 3
    for method in contents:
        assert accuracy(made(NAME, "conv", weights_range=method), parents("conv")[1]) > 0.8


def test_a_float32_tflite_file_gives_the_same(parents, made, tmp_path):
    parent, dataset = parents("conv")
    float32 = small_models.child(made("inference.runtime", "conv", runtime="litert"), parent)
    applied = apply(NAME, float32, dataset, tmp_path)
    assert applied.path.read_bytes() == made(NAME, "conv").path.read_bytes()


def test_nothing_is_printed(parents, tmp_path, capfd):
    apply(NAME, *parents("dense"), tmp_path)
    written = capfd.readouterr()
    assert "uantiz" not in written.out + written.err


def test_cancel(parents, tmp_path):
    with pytest.raises(Cancelled):
        apply(NAME, *parents("dense"), tmp_path, report=Reports(cancel_at=2))


def test_what_does_not_fit(parents, made):
    technique = techniques.technique(NAME)
    parent, dataset = parents("conv")
    int8 = small_models.child(made("quantization.int8", "conv"), parent)
    assert "already int8" in str(technique.obstacle(int8, dataset.info, Int4Parameters()))
    onnx = parent.model_copy(update={"format": "onnx"})
    assert "starts from Keras, LiteRT" in str(technique.obstacle(onnx, dataset.info, Int4Parameters()))
    layers = tuple(
        layer.model_copy(update={"kind": "DepthwiseConv2D"}) for layer in parent.description.layers
    )
    depthwise = parent.model_copy(
        update={"description": parent.description.model_copy(update={"layers": layers})}
    )
    assert "no layer" in str(technique.obstacle(depthwise, dataset.info, Int4Parameters())).lower()


def test_estimate_and_name(parents):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)
    estimate = technique.estimate(parent, dataset.info, Int4Parameters())
    assert 0 < estimate.seconds < 60
    assert 0.1 < estimate.size_ratio < 0.3
    assert technique.variant_name(Int4Parameters()) == "int4"
    for field in Int4Parameters.model_fields.values():
        assert field.title
        assert field.description


@pytest.mark.slow
def test_the_plain_code_writes_the_same_file(parents, made, tmp_path):
    float32 = small_models.child(made("inference.runtime", "conv", runtime="litert"), parents("conv")[0])
    cases = [
        ("conv", parents("conv")[0], {"compute": "int8", "weights_range": "octav"}),
        ("conv", float32, {"rest": "float32"}),
        ("two_inputs", parents("two_inputs")[0], {}),
    ]
    run_code(
        [
            (NAME, parent, parents(kind)[1], values, str(tmp_path / f"{number}.tflite"))
            for number, (kind, parent, values) in enumerate(cases)
        ],
        tmp_path / "code",
    )
    for number, (kind, _, values) in enumerate(cases):
        content = (tmp_path / f"{number}.tflite").read_bytes()
        assert content == made(NAME, kind, **values).path.read_bytes()
