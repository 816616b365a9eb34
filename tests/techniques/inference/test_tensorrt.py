import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from tests import small_models
from tests.runtimes.tensorrt_bindings import STAND_IN
from tests.techniques.applying import apply, run_code
from workbench import techniques
from workbench.api.variant import RuntimeSettings
from workbench.plain.onnx.bfloat16 import rounded_like_bfloat16, to_bfloat16
from workbench.runtimes import runtime
from workbench.techniques.inference.tensorrt.code import BEFORE_THE_GPU

pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object` will be defined:FutureWarning")

NAME = "inference.tensorrt"
PRECISIONS = ("float32", "float16", "bfloat16", "int8")


@pytest.fixture
def elsewhere(monkeypatch):
    """As if a worker with a GPU had joined: the file is made here, the engine there."""
    monkeypatch.setenv("WORKBENCH_GPU", "remote")


def exactly(path, features):
    """Predictions of a file with ONNX Runtime's own kernels off."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    feed = {name: features[name] for name in names} if isinstance(features, dict) else {names[0]: features}
    return session.run(None, feed)[0]


def types(path):
    """Element types of the file's weights with more than one axis."""
    return {tensor.data_type for tensor in onnx.load(path).graph.initializer if len(tensor.dims) > 1}


@pytest.mark.parametrize("kind", ["conv", "two_inputs"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_file_that_tensorrt_gets(kind, precision, parents, tmp_path, elsewhere):
    parent, dataset = parents(kind)
    applied = apply(NAME, parent, dataset, tmp_path, precision=precision, batch=4)
    assert (applied.runtime, applied.format) == ("tensorrt", "onnx")
    assert applied.settings == RuntimeSettings(threads=1, batch=4)
    assert applied.description.precision == precision
    onnx.checker.check_model(onnx.load(applied.path))
    wanted = {
        "float32": TensorProto.FLOAT,
        "float16": TensorProto.FLOAT16,
        "bfloat16": TensorProto.BFLOAT16,
        "int8": TensorProto.FLOAT,  # rounded by the pair of nodes behind it
    }
    assert types(applied.path) == {wanted[precision]}
    file = onnx.load(applied.path)
    assert {item.type.tensor_type.elem_type for item in (*file.graph.input, *file.graph.output)} == {
        TensorProto.FLOAT
    }
    (table,) = applied.report.tables
    before, after = (row[1] for row in table.rows)
    assert abs(before - after) < 0.1
    if precision != "bfloat16":  # no CPU has kernels for it
        x = dataset.x("test")
        expected = runtime("keras.function").load(parent.path, RuntimeSettings()).predict(x)
        tolerance = {"float32": 1e-5, "float16": 1e-2, "int8": 0.15}[precision]
        assert np.abs(exactly(applied.path, x) - expected).max() < tolerance * np.abs(expected).max()


def test_int8_is_explicit_and_symmetric(parents, tmp_path, elsewhere):
    parent, dataset = parents("conv")
    applied = apply(NAME, parent, dataset, tmp_path, precision="int8")
    graph = onnx.load(applied.path).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    pairs = [node for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert pairs
    for node in pairs:
        assert not constants[node.input[2]].any(), node.name
        assert constants[node.input[2]].dtype == np.int8
    dequantized = {node.output[0] for node in pairs if node.op_type == "DequantizeLinear"}
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            assert set(node.input[:2]) <= dequantized, node.name
            assert node.input[2:] == [] or node.input[2] not in dequantized


def test_the_judged_file_rounds_what_the_bfloat16_file_stores(parents, made, tmp_path):
    source = made("inference.runtime", "conv", runtime="onnxruntime").path
    half = onnx.load(to_bfloat16(source, tmp_path / "half.onnx"))
    rounded = onnx.load(rounded_like_bfloat16(source, tmp_path / "rounded.onnx"))
    stored = {
        t.name: numpy_helper.to_array(t)
        for t in half.graph.initializer
        if t.data_type == TensorProto.BFLOAT16
    }
    judged = {t.name: numpy_helper.to_array(t) for t in rounded.graph.initializer}
    assert stored
    for name, values in stored.items():
        np.testing.assert_array_equal(judged[name], values.astype(np.float32))
        assert not (judged[name].view(np.uint32) & 0xFFFF).any()
    x = parents("conv")[1].x("test")
    expected, found = exactly(source, x), exactly(tmp_path / "rounded.onnx", x)
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert 1e-5 < error < 0.05
    # the last operation's values are rounded too
    assert not (np.ascontiguousarray(found).view(np.uint32) & 0xFFFF).any()


def test_reasons(parents, made, monkeypatch):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)
    values = technique.parameters_type()
    assert technique.obstacle(parent, dataset.info, values) is None
    finished = small_models.child(made("inference.runtime", "conv", runtime="litert"), parent)
    assert "starts from Keras, ONNX" in str(technique.obstacle(finished, dataset.info, values))
    spec = parent.description.inputs[0].model_copy(update={"shape": (None, 3)})
    free = parent.model_copy(
        update={"description": parent.description.model_copy(update={"inputs": (spec,)})}
    )
    assert "free axis" in str(technique.obstacle(free, dataset.info, values))
    assert technique.estimate(parent, dataset.info, values).size_ratio == 0.5
    assert technique.variant_name(values) == "TensorRT float16"


SHAPES = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
"""Whether a shape is computed or written down depends on the order of sets, which differs by process."""


@pytest.mark.slow
def test_the_plain_code_makes_the_same_file(parents, tmp_path, elsewhere, monkeypatch):
    technique = techniques.technique(NAME)
    whole = type(technique).code

    def code(self, variant, parameters, paths):
        """The whole script, but for what no CPU computes."""
        script = whole(self, variant, parameters, paths)
        return script.partition(BEFORE_THE_GPU)[0] if parameters.precision == "bfloat16" else script

    monkeypatch.setattr(type(technique), "code", code)
    shutil.copytree(STAND_IN, tmp_path / "code")
    cases = [("two_inputs" if precision == "int8" else "conv", precision) for precision in PRECISIONS]
    run_code(
        [
            (NAME, *parents(kind), {"precision": precision}, str(tmp_path / precision))
            for kind, precision in cases
        ],
        tmp_path / "code",
    )
    for kind, precision in cases:
        parent, dataset = parents(kind)
        ours = apply(NAME, parent, dataset, tmp_path / f"{precision}-ours", precision=precision).path
        theirs = tmp_path / f"{precision}.onnx"
        a, b = (
            sorted(
                (tensor.data_type, tuple(tensor.dims))
                for tensor in onnx.load(file).graph.initializer
                if tensor.data_type not in SHAPES
            )
            for file in (ours, theirs)
        )
        assert a == b
        if precision != "bfloat16":
            x = dataset.x("test")
            expected = exactly(ours, x)
            np.testing.assert_allclose(exactly(theirs, x), expected, atol=1e-5)
            # in batches, by an engine with ONNX Runtime's kernels
            np.testing.assert_allclose(np.load(tmp_path / f"{precision}.npy"), expected, atol=1e-5)
