import math
import subprocess
import sys

import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import Reports
from workbench.api.errors import Cancelled, InvalidInput
from workbench.measure.collapse import (
    LayerError,
    error_by_layer,
    explain_collapse,
    layer_errors,
    verdict,
)

keras = pytest.importorskip("keras")
from workbench.models.converting.conversion import to_onnx, to_tflite


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model as float32, and the same with noise in the weights of one layer, in both formats."""
    folder = tmp_path_factory.mktemp("collapse")
    model = small_models.build("conv")
    for suffix, write in ((".tflite", to_tflite), (".onnx", to_onnx)):
        write(model, folder / f"exact{suffix}")
    broken = keras.models.clone_model(model)
    broken.set_weights(model.get_weights())
    layer = broken.get_layer("block")
    kernel, bias = layer.get_weights()
    layer.set_weights([np.random.default_rng(0).normal(size=kernel.shape) * kernel.std() * 3, bias])
    for suffix, write in ((".tflite", to_tflite), (".onnx", to_onnx)):
        write(broken, folder / f"broken{suffix}")
    return folder, model, broken


@pytest.fixture(scope="module")
def x():
    return small_models.features("conv", 12, 3)[0]


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_the_layer_that_broke_is_named(files, x, suffix):
    folder, model, broken = files
    table = error_by_layer(folder / f"exact{suffix}", folder / f"broken{suffix}", x)
    assert "First bad layer: block" in str(table.note)
    rows = {row[0]: row for row in table.rows}
    # nothing was changed before it
    assert rows["stem_relu"][1] is None
    assert rows["block"][2] is None

    # the same number from Keras
    def values(m):
        part = keras.Model(m.input, m.get_layer("block").output)
        return np.asarray(part(x), np.float64)

    expected, found = values(model), values(broken)
    snr = 10 * math.log10((expected**2).sum() / ((expected - found) ** 2).sum())
    assert rows["block"][1] == pytest.approx(snr, abs=0.1)
    assert rows["add"][2] == rows["block"][1]
    assert table.picture == "bars"
    assert list(rows)[-1] == "output"


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_file_is_equal_to_itself(files, x, suffix):
    path = files[0] / f"exact{suffix}"
    assert all(item.snr == math.inf for item in layer_errors(path, path, x))


def int8_of(model, folder, per_channel):
    import tensorflow as tf

    data = small_models.features("conv", 64, 4)[0]
    return to_tflite(
        model,
        folder / f"int8-{per_channel}.tflite",
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ({"image": data[i : i + 1]} for i in range(64)),
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
        inference_input_type=tf.int8,
        inference_output_type=tf.int8,
        _experimental_disable_per_channel=not per_channel,
    )


def test_one_scale_for_all_channels_destroys_a_depthwise_layer_with_one_large_channel(x, tmp_path):
    model = small_models.build("conv")
    layer = model.get_layer("depthwise_bn")
    gamma, beta, mean, variance = layer.get_weights()
    gamma[3] *= 3000
    beta[3] = -60000  # its values are below 0, and nothing behind the ReLU
    layer.set_weights([gamma, beta, mean, variance])
    exact = to_tflite(model, tmp_path / "exact.tflite")
    good = layer_errors(exact, int8_of(model, tmp_path, True), x)
    bad = layer_errors(exact, int8_of(model, tmp_path, False), x)
    assert "No layer is bad" in str(verdict(good))
    note = str(verdict(bad))
    assert "First bad layer: relu6 (DEPTHWISE_CONV_2D)" in note
    assert "the error arises there" in note
    snr = {item.name: item.snr for item in bad}
    assert snr["stem_relu"] > 25 > 10 > snr["relu6"]
    # int8 outputs are compared too, as real numbers
    assert {item.name: item.snr for item in good}["output"] > 15


@pytest.mark.parametrize(
    ("technique", "float32"),
    [
        ("quantization.int8", "litert"),
        ("quantization.dynamic_range", "litert"),
        ("quantization.int4_weights", "litert"),
        ("quantization.litert_int8", "litert"),
        ("quantization.onnx_int8", "onnxruntime"),
    ],
)
def test_what_techniques_make(technique, float32, made_of_conv, x):
    exact, quantized = made_of_conv("inference.runtime", runtime=float32), made_of_conv(technique)
    found = layer_errors(exact.path, quantized.path, x)
    names = [item.name for item in found]
    assert {"stem_relu", "block", "add", "relu6", "output"} <= set(names)
    assert all(item.snr > 10 for item in found)
    assert "No layer is bad" in str(verdict(found))


@pytest.fixture(scope="module")
def made_of_conv(tmp_path_factory):
    from tests.techniques.applying import apply

    folder = tmp_path_factory.mktemp("made")
    model = small_models.train(small_models.build("conv"), "conv")
    dataset = small_models.write_dataset("conv", folder / "data")
    parent = small_models.baseline(model, folder / "conv.keras")
    known = {}

    def of(name, **parameters):
        key = name, *parameters.values()
        if key not in known:
            known[key] = apply(name, parent, dataset, folder / str(len(known)), **parameters)
        return known[key]

    of.dataset, of.parent = dataset, parent
    return of


def test_as_a_job_without_tensorflow(made_of_conv, tmp_path):
    exact, quantized = made_of_conv("inference.runtime", runtime="litert"), made_of_conv("quantization.int8")
    report = Reports()
    table = explain_collapse(report, exact.path, quantized.path, made_of_conv.dataset.folder, 8)
    assert len(table.rows) >= 5
    assert report.checks >= 8
    with pytest.raises(Cancelled):
        explain_collapse(Reports(cancel_at=3), exact.path, quantized.path, made_of_conv.dataset.folder)
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from workbench.measure.collapse import error_by_layer\n"
        "x = np.load(sys.argv[3])[:2]\n"
        "error_by_layer(Path(sys.argv[1]), Path(sys.argv[2]), x)\n"
        "assert not {'tensorflow', 'keras', 'litert_quantizer'} & set(sys.modules)\n"
    )
    data = made_of_conv.dataset.folder / "x_validation.npy"
    subprocess.run([sys.executable, "-c", code, exact.path, quantized.path, data], check=True)


def test_what_cannot_be_compared(files, x):
    folder = files[0]
    with pytest.raises(InvalidInput, match=r"two \.tflite files"):
        error_by_layer(folder / "exact.tflite", folder / "exact.onnx", x)


def test_the_first_bad_layer_is_named_even_if_its_inputs_were_bad():
    def error(name, snr, before):
        return LayerError(name, "CONV_2D", snr, before)

    assert "arises there" in str(verdict([error("a", 30, math.inf), error("b", 5, 30)]))
    assert "First bad layer: b" in str(verdict([error("a", 30, math.inf), error("b", -math.inf, 30)]))
    assert str(verdict([error("a", 4, 3)])).endswith("with 4.0 dB.")
    assert "lowest SNR is 12.0 dB, at b" in str(verdict([error("a", 30, 31), error("b", 12, 30)]))
