"""LiteRT and ONNX files as the start: what takes them, what it makes, and the reason where it does not."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.techniques.applying import apply, predict, run_code
from workbench import techniques
from workbench.api.errors import Refused
from workbench.api.variant import Variant
from workbench.models.reading.description import describe
from workbench.plain.onnx.opset import opset_of
from workbench.runtimes import runtime

ENDS = {"litert": "tflite", "onnxruntime": "onnx"}


@pytest.fixture(scope="module")
def files(parents, made):
    """The float32 file of a small model in a runtime's own format, as it is when somebody opens it."""

    def of(runtime_name):
        applied = made("inference.runtime", "conv", runtime=runtime_name)
        keras, dataset = parents("conv")
        return as_opened(applied.path, ENDS[runtime_name], runtime_name, keras), dataset

    return of


def as_opened(path, form, runtime_name, like):
    return Variant(
        id="file",
        name="file",
        format=form,
        path=path,
        sha256="0",
        runtime=runtime_name,
        description=describe(path, form, like=like.description),
        created=like.created,
    )


CASES = [
    ("litert", "quantization.float16", 0.65, 2e-3),
    ("litert", "quantization.dynamic_range", 0.5, 5e-2),
    ("onnxruntime", "quantization.float16", 0.65, 5e-3),
    ("onnxruntime", "quantization.dynamic_range", 0.5, 5e-2),
]


@pytest.mark.parametrize(("start", "name", "share", "error"), CASES)
def test_a_file_is_rounded_in_its_own_format_and_its_code_gives_the_same(
    start, name, share, error, files, tmp_path
):
    parent, dataset = files(start)
    applied = apply(name, parent, dataset, tmp_path / "made")
    assert (applied.format, applied.runtime) == (parent.format, parent.runtime)
    assert techniques.technique(name).result_format(parent) == parent.format
    assert applied.path.stat().st_size < share * parent.path.stat().st_size
    x = dataset.x("validation")
    ours, theirs = predict(applied, x), predict(parent, x)
    assert np.abs(ours - theirs).max() < error
    assert not np.array_equal(ours, theirs)  # it was rounded
    run_code([(name, parent, dataset, {}, "own")], tmp_path / "code")
    own = tmp_path / "code" / f"own.{parent.format}"
    again = runtime(applied.runtime).load(own, applied.settings)
    assert np.array_equal(again.predict(x), ours)
    again.close()


def test_a_litert_file_runs_in_onnx_runtime_with_the_same_numbers(files, tmp_path):
    parent, dataset = files("litert")
    applied = apply("inference.runtime", parent, dataset, tmp_path / "made", runtime="onnxruntime")
    assert applied.format == "onnx"
    x = dataset.x("validation")
    assert np.abs(predict(applied, x) - predict(parent, x)).max() < 1e-5
    run_code([("inference.runtime", parent, dataset, {"runtime": "onnxruntime"}, "own")], tmp_path / "code")
    assert (tmp_path / "code" / "own.onnx").exists()


def test_what_needs_another_format_says_what_to_do(files):
    parent, dataset = files("onnxruntime")
    said = {}
    for name in ("quantization.int8", "training.retrain", "structure.pruning", "quantization.int8_weights"):
        technique = techniques.technique(name)
        said[name] = str(technique.obstacle(parent, dataset.info, technique.parameters_type()))
    assert all("was opened as ONNX" in text and "starts from Keras" in text for text in said.values())
    assert "Keras, LiteRT" in said["quantization.int8_weights"]
    assert not any("made from" in text for text in said.values())  # it was made from nothing here


def linear(path, opset, like, dataset):
    """A file as other tools write them: an old operator set, a named batch axis."""
    random = np.random.default_rng(0)
    pixels, classes = int(np.prod(dataset.info.input_shapes[""])), len(dataset.info.classes)
    weights = random.normal(size=(pixels, classes)).astype("float32") / 8
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["input"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weight", "bias"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["output"], axis=1),
        ],
        "exported",
        [
            helper.make_tensor_value_info(
                "input", TensorProto.FLOAT, ["batch_size", *dataset.info.input_shapes[""]]
            )
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch_size", classes])],
        [
            numpy_helper.from_array(weights, "weight"),
            numpy_helper.from_array(np.zeros(classes, "float32"), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=6)
    onnx.save(model, str(path))
    return as_opened(path, "onnx", "onnxruntime", like)


@pytest.mark.parametrize(
    "name", ["quantization.onnx_int8", "quantization.float16", "quantization.dynamic_range"]
)
def test_an_old_operator_set_is_raised_before_it_is_quantized(name, parents, tmp_path):
    like, dataset = parents("conv")
    parent = linear(tmp_path / "old.onnx", 9, like, dataset)
    applied = apply(name, parent, dataset, tmp_path / "made")
    assert opset_of(parent.path) == 9
    assert opset_of(applied.path) >= 13
    x = dataset.x("validation")
    assert np.abs(predict(applied, x) - predict(parent, x)).max() < 5e-2
    assert sorted(item.name for item in (tmp_path / "made").iterdir()) == ["model.onnx"]


def test_what_has_nothing_to_round_is_refused_and_says_why(parents, tmp_path):
    like, dataset = parents("conv")
    pixels, classes = int(np.prod(dataset.info.input_shapes[""])), len(dataset.info.classes)
    node = helper.make_node(
        "LinearClassifier",
        ["flat"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        coefficients=[0.01] * (pixels * classes),
        intercepts=[0.0] * classes,
        classlabels_ints=list(range(classes)),
        post_transform="SOFTMAX",
    )
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["input"], ["flat"]), node],
        "classical",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, *dataset.info.input_shapes[""]])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, classes])],
    )
    sets = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=sets, ir_version=8), str(tmp_path / "classical.onnx"))
    parent = as_opened(tmp_path / "classical.onnx", "onnx", "onnxruntime", like)
    for name in ("quantization.float16", "quantization.dynamic_range"):
        with pytest.raises(Refused, match="LinearClassifier"):
            apply(name, parent, dataset, tmp_path / name)
