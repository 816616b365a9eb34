"""What a file is said to hold, against numbers worked out by hand."""

import contextlib
import io
import warnings

import numpy as np
import pytest

from workbench.api.errors import InvalidInput
from workbench.models.reading.description import describe, describe_keras
from workbench.models.reading.precision import WeightUse, precision_of


@pytest.fixture(scope="module")
def model(keras):
    """Two inputs in an order that is not the alphabet's, a nested model, a shared layer."""
    layers = keras.layers
    picture = keras.Input((8, 8, 1), name="picture")
    extra = keras.Input((4,), name="extra")
    inner = keras.Sequential(
        [keras.Input((4, 4, 8)), layers.SeparableConv2D(8, 3, name="separable"), layers.DepthwiseConv2D(2)],
        name="inner",
    )
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="first")(picture)
    x = layers.BatchNormalization()(x)
    x = inner(x)
    x = layers.Flatten()(x)
    shared = layers.Dense(4, name="shared")
    x = layers.Concatenate()([shared(shared(extra)), x])
    x = layers.Dense(300, activation="relu", name="wide")(x)
    return keras.Model([picture, extra], layers.Dense(3, activation="softmax", name="classes")(x))


PARAMETERS = 80 + 32 + (72 + 64 + 8) + (32 + 8) + 20 + (12 * 300 + 300) + (300 * 3 + 3)
MACS = 16 * 72 + 4 * (72 + 64) + 1 * 32 + 2 * 16 + 12 * 300 + 900


def test_a_keras_model(model):
    description = describe_keras(model)
    assert [spec.name for spec in description.inputs] == ["picture", "extra"]
    assert description.outputs[0].shape == (3,)
    names = [layer.name for layer in description.layers]
    assert names.index("first") < names.index("inner/separable") < names.index("classes")
    assert description.parameters == PARAMETERS == model.count_params()
    assert sum(layer.parameters for layer in description.layers) == PARAMETERS
    assert sum(layer.size_bytes for layer in description.layers) == 4 * PARAMETERS
    assert description.macs == MACS
    assert description.precision == "float32"
    assert not description.from_logits


def test_zeros_and_shared_values_are_seen(keras):
    model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(30, name="hidden")])
    assert (describe_keras(model).sparse, describe_keras(model).clustered) == (False, False)
    kernel = model.get_layer("hidden").kernel
    dense = kernel.numpy()
    kernel.assign(np.where(np.abs(dense) < np.median(np.abs(dense)), 0, dense))
    assert (describe_keras(model).sparse, describe_keras(model).clustered) == (True, False)
    kernel.assign(np.where(dense < 0, -0.5, 0.5))
    assert (describe_keras(model).sparse, describe_keras(model).clustered) == (False, True)


def test_operations_are_unknown_where_a_length_is_free(keras):
    model = keras.Sequential([keras.Input((None, 4)), keras.layers.Dense(3)])
    description = describe_keras(model)
    assert description.macs is None
    assert description.inputs[0].shape == (None, 4)


@pytest.mark.parametrize(
    ("last", "from_logits"),
    [
        (["Dense"], True),
        (["Dense", "Softmax"], False),
        (["Dense", "Softmax", "Reshape"], False),
        (["Dense", "ReLU"], True),
        (["sigmoid"], False),
    ],
)
def test_what_the_output_means(last, from_logits, keras):
    made = {
        "Dense": lambda: keras.layers.Dense(4),
        "Softmax": keras.layers.Softmax,
        "ReLU": keras.layers.ReLU,
        "Reshape": lambda: keras.layers.Reshape((4,)),
        "sigmoid": lambda: keras.layers.Dense(1, activation="sigmoid"),
    }
    model = keras.Sequential([keras.Input((4,)), *(made[name]() for name in last)])
    assert describe_keras(model).from_logits is from_logits
    outer = keras.Sequential([keras.Input((4,)), model])
    assert describe_keras(outer).from_logits is from_logits


def test_a_model_that_is_not_built(keras):
    with pytest.raises(InvalidInput) as caught:
        describe_keras(keras.Sequential([keras.layers.Dense(3)]))
    assert str(caught.value) == (
        "The model has no known input shape. "
        "Build it with keras.Input (functional or Sequential), or call it once on a batch."
    )


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    """The model as .tflite in several precisions, .onnx and an OpenVINO folder."""
    import numpy as np
    import tensorflow as tf

    from workbench.api.privacy import import_openvino

    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    specs = {"picture": (1, 8, 8, 1), "extra": (1, 4)}
    samples = [{name: rng.random(shape, dtype=np.float32) for name, shape in specs.items()} for _ in range(4)]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the converters' own, while the files are made
        model([np.zeros(shape, "float32") for shape in specs.values()])
        model.export(folder / "saved", verbose=False)
        model.export(folder / "float32.onnx", format="onnx", verbose=False)
        openvino = import_openvino()
        openvino.save_model(openvino.convert_model(folder / "saved"), folder / "ov" / "model.xml")

        def convert(name, **settings):
            converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))
            for key, value in settings.items():
                setattr(converter, key, value)
            converter.target_spec.supported_types = [tf.float16] if name == "float16" else []
            if name == "int8":
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                converter.inference_input_type = tf.int8
            if name == "int16x8":
                form = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"
                converter.target_spec.supported_ops = [tf.lite.OpsSet[form]]
            (folder / f"{name}.tflite").write_bytes(converter.convert())

        default = [tf.lite.Optimize.DEFAULT]
        convert("float32")
        convert("float16", optimizations=default)
        convert("dynamic int8", optimizations=default)
        convert("int8", optimizations=default, representative_dataset=lambda: iter(samples))
        convert("int16x8", optimizations=default, representative_dataset=lambda: iter(samples))
    return folder


@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic int8", "int8", "int16x8"])
def test_a_litert_file(precision, files, model):
    alone = describe(files / f"{precision}.tflite", "tflite")
    assert alone.precision == precision
    assert not alone.from_logits
    assert alone.macs == MACS
    wide = next(layer for layer in alone.layers if layer.parameters >= 3600)
    per_weight = {"float32": 4, "float16": 2}.get(precision, 1)
    assert 3600 * per_weight <= wide.size_bytes <= 3600 * per_weight + 300 * 8
    original = describe_keras(model)
    like = describe(files / f"{precision}.tflite", "tflite", original)
    assert [spec.name for spec in like.inputs] == ["picture", "extra"]
    assert like.inputs[0].dtype == ("int8" if precision == "int8" else "float32")
    assert like.parameters == original.parameters


def test_an_onnx_file(files, model):
    alone = describe(files / "float32.onnx", "onnx")
    assert alone.precision == "float32"
    assert alone.macs == MACS
    assert not alone.from_logits
    assert [spec.name for spec in describe(files / "float32.onnx", "onnx", describe_keras(model)).inputs] == [
        "picture",
        "extra",
    ]


def test_an_openvino_folder(files, model):
    found = describe(files / "ov", "openvino", describe_keras(model))
    assert found.precision == "float16"  # OpenVINO compresses unless told otherwise
    assert [spec.name for spec in found.inputs] == ["picture", "extra"]
    assert found.macs == MACS


def test_a_missing_file(tmp_path):
    with pytest.raises(InvalidInput, match="There is no model file"):
        describe(tmp_path / "none.tflite", "tflite")


def test_mixed_precision_is_called_so():
    whole = [WeightUse("int8", "int8", 5000)]
    assert precision_of(whole) == "int8"
    assert precision_of([*whole, WeightUse("float32", "float32", 5000)]) == "mixed"
    # what converters leave alone because it is small
    assert precision_of([WeightUse("int8", "float32", 5000), WeightUse("float32", "float32", 100)]) == (
        "dynamic int8"
    )
    assert precision_of([]) == "float32"


def test_whole_numbers_that_are_widened_before_the_product_are_weights_only():
    assert precision_of([WeightUse("int8", "float32", 5000)]) == "dynamic int8"
    assert precision_of([WeightUse("int8", "float32", 5000, widened=True)]) == "int8 weights"
    assert precision_of([WeightUse("int8", "int8", 5000, widened=True)]) == "int8"
    assert precision_of([WeightUse("float16", "float32", 5000, widened=True)]) == "float16"


def test_an_onnx_file_whose_weights_alone_are_in_8_bits(tmp_path):
    import onnx

    weights = np.arange(1800, dtype=np.int8).reshape(60, 30)
    stored = [
        onnx.numpy_helper.from_array(weights, "weights"),
        onnx.numpy_helper.from_array(np.float32(0.5), "scale"),
        onnx.numpy_helper.from_array(np.int8(0), "zero"),
    ]
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("DequantizeLinear", ["weights", "scale", "zero"], ["wide"]),
            onnx.helper.make_node("MatMul", ["x", "wide"], ["y"]),
        ],
        "weights alone",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 60])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 30])],
        stored,
    )
    file = tmp_path / "weights.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)]), file)
    assert describe(file, "onnx").precision == "int8 weights"
