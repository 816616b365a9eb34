import subprocess
import sys

import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import Reports, apply, predict, run_code, size
from workbench import techniques
from workbench.api.errors import Cancelled
from workbench.api.privacy import import_openvino
from workbench.runtimes import runtime
from workbench.techniques.quantization.openvino_int8 import OpenVinoInt8Parameters

NAME = "quantization.openvino_int8"


def read(path):
    return import_openvino().Core().read_model(path / "model.xml")


def quantizers(path):
    return [node for node in read(path).get_ops() if node.get_type_name() == "FakeQuantize"]


def int8_elements(path):
    constants = [node for node in read(path).get_ops() if node.get_type_name() == "Constant"]
    return sum(
        int(np.prod(node.get_output_shape(0)))
        for node in constants
        if node.get_element_type().get_type_name() in ("i8", "u8")
    )


@pytest.mark.parametrize("kind", small_models.KINDS)
def test_the_folder_is_int8_and_predicts_like_float32(kind, parents, made):
    parent, dataset = parents(kind)
    applied, float32 = made(NAME, kind), made("inference.runtime", kind, runtime="openvino")

    assert (applied.format, applied.runtime) == ("openvino", "openvino")
    assert sorted(item.name for item in applied.path.iterdir()) == ["model.bin", "model.xml"]
    assert applied.description.precision == "int8"
    assert applied.description.parameters == parent.description.parameters
    assert [spec.name for spec in applied.description.inputs] == [
        spec.name for spec in parent.description.inputs
    ]
    assert quantizers(applied.path)
    assert not quantizers(float32.path)
    assert int8_elements(applied.path) > 0.8 * parent.description.parameters
    assert size(applied.path / "model.bin") < 0.5 * size(float32.path / "model.bin")
    x = dataset.x("test")
    expected, found = predict(float32, x), predict(applied, x)
    assert np.abs(found - expected).mean() <= 0.05 * np.abs(expected).max()
    assert (found.argmax(-1) == expected.argmax(-1)).mean() > 0.9


def test_the_report_says_what_was_quantized(made):
    applied = made(NAME, "conv")
    first, second = map(str, applied.report.touched)
    # stem, block, depthwise, dense
    assert first.startswith("4 of 4 convolutions and matrix products")
    assert "FakeQuantize" in second
    assert applied.report.skipped == ()
    assert "all 64 samples of the validation split" in str(applied.report.notes[0])


def test_mixed_activations_are_asymmetric(made):
    def low_ends(path):
        return [float(np.min(node.input_value(1).get_node().data)) for node in quantizers(path)]

    assert low_ends(made(NAME, "conv").path) != low_ends(made(NAME, "conv", preset="mixed").path)


def test_exact_bias_correction(parents, made):
    applied = made(NAME, "conv", bias_correction="exact")
    dataset = parents("conv")[1]
    fast = predict(made(NAME, "conv", bias_correction="fast"), dataset.x("test"))
    exact = predict(applied, dataset.x("test"))
    assert (fast.argmax(-1) == exact.argmax(-1)).mean() > 0.9
    assert not np.array_equal(fast, exact)


def test_biases_are_corrected_only_where_that_helps(parents, made):
    def error(applied):
        exact = predict(made("inference.runtime", "conv", runtime="openvino"), calibration)
        return np.square(predict(applied, calibration) - exact).mean()

    calibration = parents("conv")[1].x("validation")  # all of it is drawn
    choices = {choice: made(NAME, "conv", bias_correction=choice) for choice in ("fast", "none")}
    errors = {choice: error(applied) for choice, applied in choices.items()}
    best = min(errors, key=errors.get)
    chosen = made(NAME, "conv")
    np.testing.assert_array_equal(predict(chosen, calibration), predict(choices[best], calibration))
    assert errors["fast"] != errors["none"]
    words = {"fast": "Biases are corrected", "none": "Biases are not corrected"}
    assert words[best] in str(chosen.report.notes[1])
    assert not any("corrected" in str(note) for note in choices["fast"].report.notes)


def test_the_file_says_nothing_of_where_it_was_made(made):
    description = (made(NAME, "conv").path / "model.xml").read_text()
    assert "rt_info" not in description
    assert "tmp" not in description
    assert "\n\t" not in description


@pytest.mark.parametrize("source", ["onnxruntime", "openvino"])
def test_a_float32_file_gives_what_its_keras_model_gives(source, parents, made, tmp_path):
    parent, dataset = parents("conv")
    float32 = small_models.child(made("inference.runtime", "conv", runtime=source), parent)
    applied = apply(NAME, float32, dataset, tmp_path)
    expected = predict(made(NAME, "conv"), dataset.x("test"))
    found = predict(applied, dataset.x("test"))
    np.testing.assert_allclose(found, expected, atol=0.1 * np.abs(expected).max())
    assert (found.argmax(-1) == expected.argmax(-1)).mean() > 0.95


def test_calibration_samples_are_seeded_and_nothing_is_printed(parents, tmp_path, capfd):
    parent, dataset = parents("dense")

    def content(folder, **parameters):
        return predict(apply(NAME, parent, dataset, tmp_path / folder, **parameters), dataset.x("test"))

    first = content("a", samples=16)
    np.testing.assert_array_equal(first, content("b", samples=16))
    assert not np.array_equal(first, content("c", samples=16, seed=1))
    written = capfd.readouterr()
    assert "Statistics" not in written.out + written.err
    assert "━" not in written.out + written.err


def test_cancel_while_calibrating(parents, tmp_path):
    parent, dataset = parents("dense")
    report = Reports(cancel_at=20)
    with pytest.raises(Cancelled):
        apply(NAME, parent, dataset, tmp_path, report=report)
    assert 0.2 < report.fractions[-1] < 0.9
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit(parents, made):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)
    lite = small_models.child(made("inference.runtime", "conv", runtime="litert"), parent)
    reason = str(technique.obstacle(lite, dataset.info, OpenVinoInt8Parameters()))
    assert "starts from Keras, ONNX, OpenVINO" in reason
    int8 = small_models.child(made(NAME, "conv"), parent)
    assert "already int8" in str(technique.obstacle(int8, dataset.info, OpenVinoInt8Parameters()))


def test_estimate_and_name(parents):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)
    estimate = technique.estimate(parent, dataset.info, OpenVinoInt8Parameters())
    assert 0 < estimate.seconds < 60
    assert 0.2 < estimate.size_ratio < 0.5
    exact = technique.estimate(parent, dataset.info, OpenVinoInt8Parameters(bias_correction="exact"))
    assert exact.seconds > estimate.seconds
    assert technique.variant_name(OpenVinoInt8Parameters()) == "OpenVINO int8"
    for field in OpenVinoInt8Parameters.model_fields.values():
        assert field.title
        assert field.description


@pytest.mark.slow
def test_the_plain_code_gives_the_same_predictions(parents, made, tmp_path):
    onnx = small_models.child(made("inference.runtime", "dense", runtime="onnxruntime"), parents("dense")[0])
    cases = [
        ("conv", parents("conv")[0], {"preset": "mixed"}),
        ("two_inputs", parents("two_inputs")[0], {}),
        ("dense", onnx, {"samples": 20}),
    ]
    run_code(
        [
            (NAME, parent, parents(kind)[1], values, str(tmp_path / f"{kind}-twin"))
            for kind, parent, values in cases
        ],
        tmp_path / "code",
    )
    for kind, parent, values in cases:
        folder = tmp_path / kind
        applied = apply(NAME, parent, parents(kind)[1], folder, **values)
        twin = tmp_path / f"{kind}-twin"
        assert size(twin / "model.bin") == size(applied.path / "model.bin")
        x = parents(kind)[1].x("test")
        found = runtime("openvino").load(twin, applied.settings).predict(x)
        np.testing.assert_allclose(found, predict(applied, x), atol=1e-6)


@pytest.mark.slow
def test_no_file_and_no_connection_for_telemetry(parents, made, tmp_path):
    """In a process without pytest, where NNCF would switch its own telemetry on."""
    float32 = small_models.child(made("inference.runtime", "dense", runtime="openvino"), parents("dense")[0])
    (tmp_path / "parent.json").write_text(float32.model_dump_json())
    script = """
import socket, sys, types
from pathlib import Path

def refuse(*arguments, **keywords):
    raise SystemExit(f"connected to {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from workbench.api.dataset import Dataset
from workbench.api.technique import Context
from workbench.techniques.quantization.openvino_int8 import OpenVinoInt8, OpenVinoInt8Parameters
from workbench.api.variant import Variant

report = types.SimpleNamespace(
    stage=lambda text: None, progress=lambda fraction: None, check=lambda: None
)
folder = Path("out")
folder.mkdir()
parent = Variant.model_validate_json(Path("parent.json").read_text())
context = Context(parent, Dataset(Path(sys.argv[1])), folder, report, 0)
OpenVinoInt8().apply(context, OpenVinoInt8Parameters(samples=16))
assert "pytest" not in sys.modules
assert "tensorflow" not in sys.modules
"""
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script, str(parents("dense")[1].folder)],
        cwd=tmp_path,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == ""
    assert (tmp_path / "out" / "model" / "model.xml").is_file()
    assert list(home.rglob("*")) == []
