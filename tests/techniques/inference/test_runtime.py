import numpy as np
import pytest
from pydantic import ValidationError

from tests import small_models
from tests.techniques.applying import apply, predict, run_code
from workbench import techniques
from workbench.api.variant import RuntimeSettings
from workbench.runtimes import runtime

NAME = "inference.runtime"
CONVERTED = [("litert", "tflite"), ("onnxruntime", "onnx"), ("openvino", "openvino"), ("keras.xla", "keras")]


@pytest.mark.parametrize("kind", small_models.KINDS)
@pytest.mark.parametrize(("target", "format_"), CONVERTED)
def test_the_same_predictions_elsewhere(target, format_, kind, parents, made):
    parent, dataset = parents(kind)
    applied = made(NAME, kind, runtime=target)
    assert (applied.runtime, applied.format) == (target, format_)
    assert applied.description.precision == "float32"
    assert applied.description.parameters == parent.description.parameters
    assert [spec.name for spec in applied.description.inputs] == [
        spec.name for spec in parent.description.inputs
    ]
    x = dataset.x("test")
    expected = runtime("keras.function").load(parent.path, RuntimeSettings()).predict(x)
    assert np.abs(predict(applied, x) - expected).max() < 1e-4 * np.abs(expected).max()
    assert applied.report.touched


def test_settings_alone_keep_the_file(parents, made, tmp_path):
    parent, dataset = parents("conv")
    first = made(NAME, "conv", runtime="litert")
    variant = small_models.child(first, parent)
    second = apply(NAME, variant, dataset, tmp_path, runtime="litert", threads=2, batch=8)
    assert second.path.read_bytes() == first.path.read_bytes()
    assert second.settings == RuntimeSettings(threads=2, batch=8)
    words = " ".join(map(str, second.report.touched))
    assert "unchanged" in words
    assert "Threads: 1 to 2" in words
    assert "Batch: 1 to 8" in words


def test_openvino_runs_the_files_of_others(parents, made, tmp_path):
    parent, dataset = parents("two_inputs")
    x = dataset.x("test")
    for name, parameters in ((NAME, {"runtime": "onnxruntime"}), ("quantization.int8", {})):
        before = made(name, "two_inputs", **parameters)
        after = apply(
            NAME, small_models.child(before, parent), dataset, tmp_path / before.format, runtime="openvino"
        )
        assert after.format == before.format
        assert after.description == before.description
        a, b = predict(after, x), predict(before, x)
        assert np.abs(a - b).max() < 0.05 * np.abs(b).max()


def test_an_openvino_folder_is_copied(parents, made, tmp_path):
    parent, dataset = parents("dense")
    before = made(NAME, "dense", runtime="openvino")
    after = apply(NAME, small_models.child(before, parent), dataset, tmp_path, runtime="openvino", threads=2)
    assert sorted(item.name for item in after.path.iterdir()) == ["model.bin", "model.xml"]


def test_reasons(parents, made):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)

    def reason(variant, **parameters):
        return str(technique.obstacle(variant, dataset.info, technique.parameters_type(**parameters)))

    assert "already runs in Keras, tf.function" in reason(parent, runtime="keras.function")
    assert reason(parent, runtime="keras.function", threads=2) == "None"
    finished = small_models.child(made(NAME, "conv", runtime="litert"), parent)
    assert "this starts from Keras" in reason(finished, runtime="keras.xla")
    assert reason(finished, runtime="onnxruntime") == "None"  # through tf2onnx
    assert reason(finished, runtime="openvino") == "None"


def test_parameters():
    technique = techniques.technique(NAME)
    schema = technique.parameters_type.model_json_schema()["properties"]
    assert schema["runtime"]["enum"][:2] == ["keras.eager", "keras.function"]
    assert "litert" in schema["runtime"]["enum"]
    for wrong in ({"runtime": "tflite"}, {"threads": 0}, {"batch": 5000}, {"opset": 21}, {"speed": 1}):
        with pytest.raises(ValidationError):
            technique.parameters_type.model_validate(wrong)
    values = technique.parameters_type(runtime="onnxruntime", threads=2, batch=8)
    assert technique.variant_name(values) == "ONNX Runtime 2 threads batch 8"


def test_the_opset_is_the_one_asked_for(made):
    import onnx

    file = onnx.load(made(NAME, "dense", runtime="onnxruntime", opset=15).path)
    assert {entry.version for entry in file.opset_import if entry.domain in ("", "ai.onnx")} == {15}


@pytest.mark.slow
def test_the_plain_code_gives_the_same_predictions(parents, made, tmp_path):
    int8 = made("quantization.int8", "two_inputs", io="int8", allow_float=False)
    whole = small_models.child(int8, parents("two_inputs")[0]), parents("two_inputs")[1]
    plain = (
        small_models.child(made(NAME, "two_inputs", runtime="litert"), parents("two_inputs")[0]),
        parents("two_inputs")[1],
    )
    cases = [(parents("two_inputs"), f"keras.{way}") for way in ("eager", "function", "xla")]
    cases += [(parents("dense"), target) for target in ("keras.function", "onnxruntime")]
    cases += [
        (parents(kind), target)
        for kind in ("conv", "two_inputs")
        for target in ("litert", "onnxruntime", "openvino")
    ]
    cases += [(parents("transformer"), "onnxruntime")]  # its GELU is unknown to the converter
    cases += [(whole, "litert"), (plain, "openvino")]
    run_code(
        [
            (NAME, *source, {"runtime": target}, str(tmp_path / str(number)))
            for number, (source, target) in enumerate(cases)
        ],
        tmp_path / "code",
    )
    for number, ((variant, dataset), target) in enumerate(cases):
        x = dataset.x("test")
        found = np.load(tmp_path / f"{number}.npy")
        reads = variant.format in runtime(target).formats
        kind = dataset.info.name
        applied = made(NAME, kind, runtime=target) if variant.format == "keras" and not reads else None
        path = applied.path if applied else variant.path
        session = runtime(target).load(path, RuntimeSettings())
        np.testing.assert_allclose(found, session.predict(x), rtol=1e-4, atol=1e-5, err_msg=target)
