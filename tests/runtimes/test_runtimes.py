import os
import subprocess
import sys

import numpy as np
import pytest

from tests import small_models
from workbench import runtimes
from workbench.api.dataset import select
from workbench.api.errors import InvalidInput
from workbench.api.runtime import Runtime
from workbench.api.variant import RuntimeSettings

ROUTES = [
    ("keras.eager", "keras"),
    ("keras.function", "keras"),
    ("keras.xla", "keras"),
    ("litert", "tflite"),
    ("onnxruntime", "onnx"),
    ("openvino", "openvino"),
    ("openvino", "onnx"),
    ("openvino", "tflite"),
]


@pytest.mark.parametrize(("name", "format_"), ROUTES)
def test_predictions_are_those_of_keras(name, format_, kind, model, files):
    x, _ = small_models.features(kind, 7, seed=3)
    expected = np.asarray(
        model(x if not isinstance(x, dict) else [x["picture"], x["numbers"]])[0]
        if isinstance(x, dict)
        else model(x)
    )
    session = runtimes.runtime(name).load(files[format_], RuntimeSettings(batch=4))
    scale = np.abs(expected).max()
    for count in (4, 7, 1, 4):  # the batch size it was loaded for, and others
        found = session.predict(select(x, slice(0, count)))
        assert found.dtype == np.float32
        assert found.shape == (count, small_models.CLASSES)
        assert np.abs(found - expected[:count]).max() < 1e-4 * scale
    session.close()


@pytest.mark.parametrize(("name", "format_"), ROUTES)
def test_results_of_earlier_calls_stay(name, format_, kind, files):
    session = runtimes.runtime(name).load(files[format_], RuntimeSettings())
    one = session.prepare(small_models.features(kind, 1, seed=1)[0])
    other = session.prepare(small_models.features(kind, 1, seed=2)[0])
    first = session.infer(one)
    kept = first.copy()
    second = session.infer(other)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(session.infer(one), kept)


@pytest.mark.parametrize(("name", "format_"), ROUTES[1:6])
def test_wrong_inputs_are_explained(name, format_, files, kind):
    session = runtimes.runtime(name).load(files[format_], RuntimeSettings())
    if kind == "two_inputs":
        with pytest.raises(InvalidInput, match="2 inputs"):
            session.prepare(np.zeros((1, 8, 8, 1), np.float32))
        x = small_models.features(kind, 1)[0]
        with pytest.raises(InvalidInput, match="numbers"):
            session.prepare({"picture": x["picture"], "figures": x["numbers"]})
    else:
        x = small_models.features(kind, 1)[0]
        named = session.predict({"whatever the data calls it": x})
        np.testing.assert_array_equal(named, session.predict(x))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("keras.function", "a.keras"),
        ("litert", "a.tflite"),
        ("onnxruntime", "a.onnx"),
        ("openvino", "a.onnx"),
    ],
)
def test_a_damaged_file_is_invalid_input(name, file, tmp_path):
    (tmp_path / file).write_bytes(b"no model at all")
    with pytest.raises(InvalidInput, match=file):
        runtimes.runtime(name).load(tmp_path / file, RuntimeSettings())


def test_names_and_order():
    assert list(runtimes.runtimes()) == [
        "keras.eager",
        "keras.function",
        "keras.xla",
        "litert",
        "onnxruntime",
        "openvino",
        "tensorrt",
    ]
    assert [item.name for item in runtimes.runtimes().values() if item.imports_tensorflow] == [
        "keras.eager",
        "keras.function",
        "keras.xla",
    ]
    # whether TensorRT is there depends on the machine
    assert all(item.unavailable() is None for item in runtimes.runtimes().values() if not item.needs_gpu)
    with pytest.raises(InvalidInput, match="litert"):
        runtimes.runtime("lite rt")


def test_a_missing_package_is_said_without_importing(monkeypatch):
    import importlib.util

    monkeypatch.setattr("workbench.runtimes.litert.find_spec", lambda name: None)
    assert "ai-edge-litert" in str(runtimes.runtime("litert").unavailable())
    assert importlib.util.find_spec("ai_edge_litert") is not None


def test_a_runtime_is_added_while_running(monkeypatch):
    monkeypatch.setattr(runtimes._registry, "registered", {})

    @runtimes.register
    class Elsewhere(Runtime):
        """A runtime of another maker."""

        name = "elsewhere"
        title = "Elsewhere"
        formats = frozenset({"onnx"})
        packages = ()

        def unavailable(self):
            return None

        def load(self, path, settings):
            raise NotImplementedError

    assert isinstance(runtimes.runtime("elsewhere"), Elsewhere)
    assert "elsewhere" in runtimes.runtimes()


def test_nothing_heavy_is_imported_to_list_them():
    code = (
        "import sys\n"
        "from workbench.runtimes import runtimes\n"
        "assert [item.unavailable() for item in runtimes().values() if not item.needs_gpu] == [None] * 6\n"
        "heavy = {'tensorflow', 'keras', 'onnx', 'onnxruntime', 'openvino', 'ai_edge_litert', 'tensorrt'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["dense"], indirect=True)
@pytest.mark.parametrize(
    ("name", "format_"), [("litert", "tflite"), ("onnxruntime", "onnx"), ("openvino", "tflite")]
)
def test_the_light_runtimes_leave_tensorflow_and_the_home_folder_alone(name, format_, files, tmp_path):
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from workbench.runtimes import runtime\n"
        "from workbench.api.variant import RuntimeSettings\n"
        f"session = runtime({name!r}).load(Path({str(files[format_])!r}), RuntimeSettings())\n"
        "session.predict(np.zeros((1, 20), np.float32))\n"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "CI": ""},
    )
    assert done.stdout.strip() == "False False"
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize(("name", "format_"), [("onnxruntime", "onnx"), ("openvino", "openvino")])
def test_conversion_of_a_loaded_model_and_of_a_fixed_batch(name, format_, kind, files, loaded_files):
    x, _ = small_models.features(kind, 5, seed=4)
    expected = runtimes.runtime(name).load(files[format_], RuntimeSettings()).predict(x)
    found = runtimes.runtime(name).load(loaded_files[format_], RuntimeSettings()).predict(x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


RESIDUAL = """
import sys
import numpy as np, openvino
from openvino import opset13 as op
from pathlib import Path
from workbench.api.variant import RuntimeSettings
from workbench.runtimes import runtime

random = np.random.default_rng(0)
x = given = op.parameter([-1, 20], np.float32, name="x")
rows = np.random.default_rng(1).normal(size=(5, 20)).astype(np.float32)
expected = rows


def dense(x, plain, width, activation):
    weights = random.normal(size=(width, plain.shape[1])).astype(np.float32)
    bias = random.normal(size=(1, width)).astype(np.float32)
    x = op.add(op.matmul(x, op.constant(weights), False, True), op.constant(bias))
    plain = plain @ weights.T + bias
    return (op.relu(x), np.maximum(plain, 0)) if activation else (x, plain)


x, expected = dense(x, expected, 32, True)
for _ in range(2):
    inner = dense(*dense(x, expected, 64, True), 32, False)
    x, expected = op.add(x, inner[0]), expected + inner[1]
file = Path(sys.argv[1]) / "model.xml"
openvino.save_model(openvino.Model([x], [given], "residual"), file, compress_to_fp16=False)
found = runtime("openvino").load(file, RuntimeSettings(batch=1, threads=1)).predict(rows)
assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
print("the same")
"""


def test_dense_layers_with_residual_connections_do_not_end_openvino(tmp_path):
    """OpenVINO 2026.4 ends the process where it fuses them: seen with one thread and one sample a call."""
    command = [sys.executable, "-c", RESIDUAL, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "the same"
