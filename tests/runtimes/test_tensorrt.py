import ast
import importlib
import inspect
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from tests.runtimes.tensorrt_bindings import STAND_IN, WHEELS, ask
from tests.runtimes.tensorrt_interface import CLASSES, NAMES
from workbench.api.errors import InvalidInput, JobFailed, Unavailable
from workbench.api.variant import RuntimeSettings
from workbench.plain import tensorrt as plain
from workbench.plain.tensorrt.build import build, profile_shapes
from workbench.plain.tensorrt.errors import EngineFailed, FileNotRead, FreeAxis
from workbench.plain.tensorrt.run import Engine
from workbench.runtimes import runtime
from workbench.runtimes.tensorrt import has_gpu, in_words, open_device

needs_gpu = pytest.mark.skipif(
    runtime("tensorrt").unavailable() is not None, reason=str(runtime("tensorrt").unavailable())
)


@pytest.mark.parametrize("version", list(WHEELS))
def test_the_interface_is_that_of_the_real_bindings(version):
    """Every class, member and parameter that is used is in TensorRT's own bindings."""
    wanted = {
        name: [member for member in vars(kind) if not member.startswith("_")]
        + list(getattr(kind, "__annotations__", {}))
        for name, kind in CLASSES.items()
    }
    found = ask(
        version,
        f"wanted = {wanted!r}; names = {NAMES!r}\n"
        "docs = {c: {m: getattr(getattr(trt, c), m).__doc__ or ''\n"
        "            for m in ms if hasattr(getattr(trt, c), m)} for c, ms in wanted.items()}\n"
        "there = {e: [m for m in ms if hasattr(getattr(trt, e), m)] for e, ms in names.items()}\n"
        "print(json.dumps([docs, there, trt.__version__, callable(trt.nptype)]))",
    )
    docs, there, told, nptype = found
    assert told.startswith(f"{version}.")
    assert nptype
    assert there == {name: list(members) for name, members in NAMES.items()}
    for name, members in wanted.items():
        assert set(docs[name]) == set(members), name
        for member in members:
            function = vars(CLASSES[name]).get(member)
            if function is None:
                continue  # a property
            ours = [parameter for parameter in inspect.signature(function).parameters if parameter != "self"]
            theirs = [
                re.findall(r"(\w+): ", signature.partition("->")[0])[1:]
                for signature in re.findall(rf"{member}\(self: .*?->", docs[name][member])
            ]
            assert theirs, (name, member, docs[name][member][:200])
            assert any(_accepts(list(signature), ours) for signature in theirs), (name, member, theirs, ours)


def _accepts(theirs, ours):
    """Whether a call with our parameters, in order, is one of theirs; names matter where both give them."""
    return len(theirs) >= len(ours) and all(
        a == b or a.startswith("arg") for a, b in zip(theirs, ours, strict=False)
    )


@pytest.mark.parametrize("version", list(WHEELS))
def test_without_a_gpu_the_real_builder_says_so(version):
    told = ask(
        version,
        "try:\n    trt.Builder(trt.Logger(trt.Logger.WARNING))\n"
        "except TypeError as error:\n    print(json.dumps(str(error)))",
    )
    assert "nullptr" in told


def test_a_machine_without_a_gpu_is_told_what_is_missing(monkeypatch, tmp_path):
    target = runtime("tensorrt")
    if has_gpu():
        pytest.skip("this machine has a GPU")
    reason = str(target.unavailable())
    assert "NVIDIA GPU" in reason
    assert "pip install" in reason
    monkeypatch.setenv("WORKBENCH_GPU", "remote")
    assert target.unavailable() is None
    with pytest.raises(Unavailable, match="needs an NVIDIA GPU with its driver"):
        target.load(tmp_path / "model.onnx", RuntimeSettings())


def _pretend(monkeypatch, fails):
    """Modules of the two packages' names; PyCUDA's fails as it does without a driver."""

    class Error(Exception):
        pass

    def init():
        raise Error("cuInit failed: no CUDA-capable device is detected")

    driver = types.ModuleType("pycuda.driver")
    driver.Error, driver.init = Error, init
    package = types.ModuleType("pycuda")
    package.driver = driver
    monkeypatch.setitem(sys.modules, "tensorrt", types.ModuleType("tensorrt"))
    monkeypatch.setitem(sys.modules, "pycuda", package)
    monkeypatch.setitem(sys.modules, "pycuda.driver", None if fails == "import" else driver)


@pytest.mark.parametrize(
    ("fails", "words"), [("import", "PyCUDA cannot"), ("init", "no CUDA-capable device")]
)
def test_every_way_of_having_no_device_is_a_reason(fails, words, monkeypatch):
    _pretend(monkeypatch, fails)
    with pytest.raises(Unavailable, match=words):
        open_device()


def test_profiles():
    assert profile_shapes("x", (-1, 28, 28, 1), 8) == ((1, 28, 28, 1), (8, 28, 28, 1), (32, 28, 28, 1))
    assert profile_shapes("x", (-1, 4), 64) == ((1, 4), (64, 4), (64, 4))
    assert profile_shapes("x", (5, 4), 64) == ((5, 4), (5, 4), (5, 4))
    with pytest.raises(FreeAxis, match="free axis") as caught:
        profile_shapes("x", (-1, -1, 4), 1)
    assert "(-1, -1, 4)" in str(in_words(caught.value))


@pytest.mark.parametrize("version", list(WHEELS))
def test_the_plain_code_asks_the_module_for_nothing_else(version):
    """What mypy cannot see: names of the module itself, which has no types."""
    trees = [ast.parse(path.read_text()) for path in Path(plain.__file__).parent.glob("*.py")]
    used = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).split(".")[-1] in ("trt", "tensorrt")
    }
    assert used >= {"Builder", "OnnxParser", "Runtime"}
    assert ask(version, f"print(json.dumps([m for m in {sorted(used)!r} if not hasattr(trt, m)]))") == []


@pytest.fixture(params=["stand-in", pytest.param("gpu", marks=[pytest.mark.gpu, needs_gpu])])
def device(request, monkeypatch):
    """A GPU, or what computes in its place."""
    if request.param == "stand-in":
        for name in [name for name in sys.modules if name.partition(".")[0] in ("tensorrt", "pycuda")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(STAND_IN)
        for name in ("tensorrt", "pycuda", "pycuda.driver"):  # forgotten again afterwards
            monkeypatch.setitem(sys.modules, name, importlib.import_module(name))


@pytest.mark.usefixtures("device")
def test_an_engine_predicts_what_onnx_runtime_does(tmp_path, monkeypatch):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weights = rng.normal(size=(6, 4)).astype("float32")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Relu", ["z"], ["y"])],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])],
        [numpy_helper.from_array(weights, "w")],
    )
    file = tmp_path / "small.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)
    monkeypatch.setenv("WORKBENCH_ENGINE_FOLDER", str(tmp_path / "engines"))
    x = rng.normal(size=(70, 6)).astype("float32")
    session = runtime("tensorrt").load(file, RuntimeSettings(batch=8))
    try:
        for count in (1, 8, 70):
            expected = np.maximum(x[:count] @ weights, 0)
            np.testing.assert_allclose(session.predict(x[:count]), expected, atol=1e-5)
    finally:
        session.close()
    assert sorted(item.suffix for item in (tmp_path / "engines").iterdir()) == [".engine", ".timing"]
    (tmp_path / "none.onnx").write_bytes(b"not ONNX")
    with pytest.raises(InvalidInput, match="TensorRT cannot read this file: "):
        runtime("tensorrt").load(tmp_path / "none.onnx", RuntimeSettings())
    (engine,) = (tmp_path / "engines").glob("*.engine")
    engine.write_bytes(b"of another version")
    with pytest.raises(JobFailed, match="cannot load this engine"):
        runtime("tensorrt").load(file, RuntimeSettings(batch=8))


@pytest.mark.usefixtures("device")
def test_what_a_gpu_refuses_is_an_error_with_its_step():
    device = open_device()
    try:
        with pytest.raises(FileNotRead):
            build(device, b"not ONNX", 1)
        with pytest.raises(EngineFailed) as caught:
            Engine(device, b"not an engine")
        assert caught.value.step == "load"
    finally:
        device.context.pop()
