"""What is taken out of files changes nothing that they compute, and leaves the names of operations."""

import numpy as np
import onnx
import pytest

from tests import small_models
from workbench.api.variant import RuntimeSettings
from workbench.measure.size import measure_size
from workbench.models.converting.conversion import to_onnx, to_openvino, to_tflite
from workbench.models.reading.description import describe
from workbench.plain.litert.strip import strip_metadata
from workbench.plain.onnx.strip import strip_onnx
from workbench.plain.openvino.strip import strip_openvino
from workbench.runtimes import runtime


@pytest.fixture(scope="module")
def model():
    return small_models.build("conv")


def samples():
    return small_models.features("conv", 12)[0]


def predicted(path, name):
    session = runtime(name).load(path, RuntimeSettings())
    try:
        return session.predict(samples())
    finally:
        session.close()


def check(path, name, form, slim):
    """Slims a file; returns its size before and after."""
    before, size, description = predicted(path, name), measure_size(path, 0), describe(path, form)
    slim(path)
    np.testing.assert_array_equal(predicted(path, name), before)
    found = describe(path, form)
    assert [layer.kind for layer in found.layers] == [layer.kind for layer in description.layers]
    assert found.model_copy(update={"layers": ()}) == description.model_copy(update={"layers": ()})
    slimmer = measure_size(path, 0)
    assert slimmer.file_bytes < size.file_bytes
    assert slimmer.gzip_bytes < size.gzip_bytes
    again = path.read_bytes() if path.is_file() else (path / "model.xml").read_bytes()
    slim(path)
    assert again == (path.read_bytes() if path.is_file() else (path / "model.xml").read_bytes())
    return description, found


def test_a_quantized_onnx_file(model, tmp_path):
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rows = iter(samples())

        def get_next(self):
            row = next(self.rows, None)
            return None if row is None else {"image": row[None]}

    to_onnx(model, tmp_path / "float32.onnx")
    path = tmp_path / "model.onnx"
    quantize_static(str(tmp_path / "float32.onnx"), str(path), Reader(), per_channel=True)
    before = onnx.load(path).graph
    check(path, "onnxruntime", "onnx", strip_onnx)
    after = onnx.load(path).graph
    onnx.checker.check_model(onnx.load(path), full_check=True)
    assert len(after.initializer) < len(before.initializer)
    computing = [
        [node.name for node in graph.node if not node.op_type.endswith("izeLinear")]
        for graph in (before, after)
    ]
    assert computing[0] == computing[1]
    assert [value.name for value in after.output] == [value.name for value in before.output]
    # What operations compute keeps its name, which tells of what layer it is.
    assert [node.output[0] for node in after.node if node.op_type == "Conv"] == [
        node.output[0] for node in before.node if node.op_type == "Conv"
    ]


@pytest.mark.parametrize("optimized", [False, True])
def test_a_litert_file(model, optimized, tmp_path):
    import tensorflow as tf

    settings = {"optimizations": [tf.lite.Optimize.DEFAULT]} if optimized else {}
    path = to_tflite(model, tmp_path / "model.tflite", **settings)
    before, after = check(path, "litert", "tflite", strip_metadata)
    assert [layer.name for layer in after.layers] == [layer.name for layer in before.layers]
    assert b"CONVERSION_METADATA" not in path.read_bytes()


def test_a_litert_file_has_one_empty_buffer_and_no_content_twice(model, tmp_path):
    from ai_edge_litert import schema_py_generated as schema

    path = to_tflite(model, tmp_path / "model.tflite")
    strip_metadata(path)
    first, *others = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0).buffers
    assert first.data is None or not len(first.data)
    contents = [bytes(buffer.data) for buffer in others]
    assert b"" not in contents
    assert len(set(contents)) == len(contents) > 3


def test_an_openvino_folder(model, tmp_path):
    folder = to_openvino(model, tmp_path / "model")
    weights = (folder / "model.bin").read_bytes()
    before, after = check(folder, "openvino", "openvino", strip_openvino)
    assert [layer.name for layer in after.layers] == [layer.name for layer in before.layers]
    assert (folder / "model.bin").read_bytes() == weights
    assert b"rt_info" not in (folder / "model.xml").read_bytes()
