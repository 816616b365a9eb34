"""Large constants stay outside of the converter's graphs; the file is the one that it writes by itself."""

from collections import Counter
from contextlib import nullcontext

import numpy as np
import pytest

from workbench.api.errors import InvalidInput
from workbench.models.converting import conversion, onnx_constants
from workbench.models.converting.conversion import to_onnx
from workbench.models.reading.onnx_graph import describe_onnx


def recurrent():
    import keras
    from keras import layers

    inputs = keras.Input((12,), dtype="int32", name="ids")
    x = layers.Embedding(50, 16, name="embed")(inputs)
    x = layers.LSTM(8, name="lstm")(x)
    shared = layers.Dense(8, name="shared")
    return keras.Model(inputs, layers.Dense(3, name="classes")(shared(shared(x))))


def convolutional():
    import keras
    from keras import layers

    inputs = keras.Input((12, 12, 4), name="image")
    x = layers.Conv2D(8, 3, use_bias=False, name="conv")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.DepthwiseConv2D(3, padding="same", bias_initializer="normal", name="depthwise")(x)
    x = layers.Conv2DTranspose(6, 3, strides=2, bias_initializer="normal", name="transposed")(x)
    x = layers.Conv2D(8, 3, groups=2, bias_initializer="normal", name="grouped")(x)
    x = layers.Reshape((361, 8), name="sequence")(x)
    x = layers.EinsumDense("abc,cd->abd", (361, 16), bias_axes="d", bias_initializer="normal", name="each")(x)
    x = layers.GlobalAveragePooling1D(name="mean")(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax", name="classes")(x))


@pytest.fixture
def all_outside(monkeypatch):
    """Also the constants of a small model count as large."""
    monkeypatch.setattr(onnx_constants, "LARGE_BYTES", 64)


def predicted(path, x):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def contents(model):
    from onnx import numpy_helper

    return Counter(
        (tuple(tensor.dims), tensor.data_type, numpy_helper.to_array(tensor).tobytes())
        for tensor in model.graph.initializer
    )


@pytest.mark.parametrize("build", [recurrent, convolutional])
def test_the_file_is_that_of_the_converter_alone(build, all_outside, monkeypatch, tmp_path):
    import keras
    import onnx
    from tf2onnx import optimizer

    keras.utils.set_random_seed(2)
    model = build()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, *model.inputs[0].shape[1:])).astype(np.float32)
    if model.inputs[0].dtype == "int32":
        x = rng.integers(0, 50, (3, 12)).astype(np.int32)

    copied = []
    plain = optimizer.copy.deepcopy

    def counting(thing, *arguments):
        if hasattr(thing, "get_nodes"):
            constants = [node for node in thing.get_nodes() if node.is_const()]
            copied.append(sum(len(node.attr["value"].t.raw_data) for node in constants))
        return plain(thing, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(optimizer.copy, "deepcopy", counting)
        path = to_onnx(model, tmp_path / "outside.onnx")
    two = to_onnx(model, tmp_path / "two.onnx", weights=tmp_path / "two.data")
    monkeypatch.setattr(conversion, "constants_outside", lambda weights: nullcontext())
    reference = to_onnx(model, tmp_path / "plain.onnx")

    found, expected = onnx.load(str(path)), onnx.load(str(reference))
    onnx.checker.check_model(found, full_check=True)
    assert [node.op_type for node in found.graph.node] == [node.op_type for node in expected.graph.node]
    assert contents(found) == contents(expected)
    assert len(found.SerializeToString()) == path.stat().st_size  # one field each, nothing twice
    exact = predicted(reference, x)
    np.testing.assert_array_equal(predicted(path, x), exact)
    np.testing.assert_allclose(exact, model(x), atol=1e-5)

    # What the converter copies, before each of its passes, are digests.
    weights = 4 * model.count_params()
    assert len(copied) >= 12
    assert max(copied) < 0.6 * weights

    assert contents(onnx.load(str(two))) == contents(expected)
    assert two.stat().st_size < path.stat().st_size - 0.7 * weights
    np.testing.assert_array_equal(predicted(two, x), exact)


def test_nothing_of_it_stays_behind(all_outside, tmp_path):
    from onnx import numpy_helper
    from tensorflow.python.framework import convert_to_constants, tensor_util
    from tf2onnx import convert, graph, tf_utils

    before = [
        convert.from_function,
        tensor_util.make_tensor_proto,
        tf_utils.get_tf_tensor_data,
        convert_to_constants._FunctionConverterDataInEager._eval,
    ]
    to_onnx(recurrent(), tmp_path / "model.onnx")
    assert graph.numpy_helper is tf_utils.numpy_helper is numpy_helper
    assert before == [
        convert.from_function,
        tensor_util.make_tensor_proto,
        tf_utils.get_tf_tensor_data,
        convert_to_constants._FunctionConverterDataInEager._eval,
    ]


def test_a_mark_stands_for_one_content():
    constants = onnx_constants.Constants()
    one = np.arange(100, dtype=np.float32)
    mark = constants.put(one)
    assert constants.put(one.copy()) == mark
    assert constants.put(one.astype(np.int32)) != mark
    assert constants.put(one.reshape(10, 10).T) != mark
    np.testing.assert_array_equal(constants.get(mark), one)
    np.testing.assert_array_equal(constants.get(constants.put(one.reshape(10, 10))), one)
    assert constants.get(b"") is constants.get(bytes(40)) is None
    wide = constants.put(np.broadcast_to(np.float32(0), (1 << 20, 1 << 20)))  # 4 TiB if it were written out
    assert constants.get(wide).shape == (1 << 40,)


def test_a_file_beyond_two_gibibytes_is_refused(monkeypatch, all_outside, tmp_path):
    monkeypatch.setattr(onnx_constants, "LARGEST_BYTES", 1000)
    with pytest.raises(InvalidInput, match="may hold 2 GiB"):
        to_onnx(recurrent(), tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_shapes_of_a_described_file_are_found_without_its_weights(all_outside, tmp_path):
    found = describe_onnx(to_onnx(convolutional(), tmp_path / "model.onnx"))
    assert found == describe_onnx_whole(tmp_path / "model.onnx")
    assert (8, 10, 10) in {layer.output_shape for layer in found.layers}


def describe_onnx_whole(path):
    from workbench.models.reading import onnx_graph

    light = onnx_graph._without_weights
    try:
        onnx_graph._without_weights = lambda model: model
        return describe_onnx(path)
    finally:
        onnx_graph._without_weights = light
