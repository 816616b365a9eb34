import subprocess
import sys

import numpy as np
import pytest

from workbench.api.errors import InvalidInput
from workbench.measure.weights import TensorEffects, WeightEffects, losses, weight_effects
from workbench.models.converting.conversion import to_onnx, to_openvino, to_tflite

keras = pytest.importorskip("keras")
layers = keras.layers

SPARSE = 0.7
CLUSTERS = 12


def build(normalized=False):
    """A convolution and a Dense layer that are sparse, and a Dense layer of few shared values."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 4), name="image")
    x = layers.Conv2D(16, 3, name="conv")(inputs)
    if normalized:
        x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(48, activation="relu", name="sparse")(x)
    x = layers.Dense(32, activation="relu", name="few")(x)
    model = keras.Model(inputs, layers.Dense(5, name="scores")(x))
    rng = np.random.default_rng(1)
    for name in ("conv", "sparse"):
        kernel = model.get_layer(name).kernel
        kernel.assign(np.where(rng.random(kernel.shape) < SPARSE, 0, rng.normal(size=kernel.shape)))
    few = model.get_layer("few").kernel
    few.assign(rng.choice(rng.normal(size=CLUSTERS), few.shape))
    if normalized:
        norm = model.get_layer("norm")
        norm.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in norm.get_weights()])
    return model


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def in_keras(model, folder):
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 8, 8, 4)), np.zeros((4, 5)), epochs=0, verbose=0)
    model.save(folder / "model.keras")  # with an optimizer, which is no weight
    return weight_effects(folder / "model.keras", "keras")


def by_size(effects):
    return {tensor.elements: tensor for tensor in effects.tensors}


def expected(model):
    kernels = {name: np.asarray(model.get_layer(name).kernel) for name in ("conv", "sparse", "few", "scores")}
    return {kernel.size: kernel for kernel in kernels.values()}


def calibration(batch):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(batch, 8, 8, 4)).astype(np.float32) for _ in range(8)]


def onnx_int8(path, target, **options):
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rest = iter(calibration(1))

        def get_next(self):
            batch = next(self.rest, None)
            return None if batch is None else {"image": batch}

    quantize_static(str(path), str(target), Reader(), **options)
    return target


def files(model, folder):
    """A file of every format and precision."""
    import nncf
    import openvino
    import tensorflow as tf
    from onnxruntime.quantization import QuantType

    def samples():
        yield from ([batch] for batch in calibration(1))

    optimize = {"optimizations": [tf.lite.Optimize.DEFAULT]}
    yield "tflite", to_tflite(model, folder / "float32.tflite"), "float32"
    yield (
        "tflite",
        to_tflite(
            model,
            folder / "float16.tflite",
            **optimize,
            target_spec={"supported_types": [tf.float16], "supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
        ),
        "float16",
    )
    yield (
        "tflite",
        to_tflite(model, folder / "int8.tflite", **optimize, representative_dataset=samples),
        "int8",
    )
    onnx = to_onnx(model, folder / "float32.onnx")
    yield "onnx", onnx, "float32"
    yield "onnx", onnx_int8(onnx, folder / "int8.onnx", per_channel=True), "int8"
    # Unsigned with a zero point that is not 0.
    yield (
        "onnx",
        onnx_int8(
            onnx, folder / "uint8.onnx", weight_type=QuantType.QUInt8, activation_type=QuantType.QUInt8
        ),
        "uint8",
    )
    yield "openvino", to_openvino(model, folder / "float32"), "float32"
    nncf.set_log_level(40)
    core = openvino.Core()
    quantized = nncf.quantize(core.read_model(folder / "float32" / "model.xml"), nncf.Dataset(calibration(1)))
    openvino.save_model(quantized, folder / "int8" / "model.xml")
    yield "openvino", folder / "int8", "int8"
    compressed = nncf.compress_weights(
        core.read_model(folder / "float32" / "model.xml"),
        mode=nncf.CompressWeightsMode.INT4_ASYM,
        ratio=1.0,
        group_size=-1,
        all_layers=True,
    )
    openvino.save_model(compressed, folder / "int4" / "model.xml")
    yield "openvino", folder / "int4", None


def test_a_keras_file(model, in_keras):
    assert {tensor.elements for tensor in in_keras.tensors} == set(expected(model))
    for size, kernel in expected(model).items():
        found = by_size(in_keras)[size]
        assert found.zeros == pytest.approx(float(np.mean(kernel == 0)))
        assert found.distinct == len(np.unique(kernel))
        assert found.precision == "float32"
    assert in_keras.zeros == pytest.approx(
        sum((kernel == 0).sum() for kernel in expected(model).values()) / in_keras.elements
    )
    assert in_keras.precisions == {"float32": in_keras.elements}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:::nncf", "ignore:::onnxruntime", "ignore:::openvino")
def test_zeros_are_found_in_every_format(model, in_keras, folder, capfd):
    for kind, path, precision in files(model, folder):
        found = weight_effects(path, kind)
        for size, kernel in expected(model).items():
            tensors = [tensor for tensor in found.tensors if tensor.elements == size]
            assert len(tensors) == 1, (path, size, [tensor.name for tensor in found.tensors])
            # Small weights are rounded to zero as well; a zero is never rounded to something else.
            share = float(np.mean(kernel == 0))
            assert share - 1e-6 <= tensors[0].zeros <= share + (0.02 if precision else 0.2), path
        assert not any("Zeros" in str(text) for text in losses(in_keras, found)), path
        if precision:
            assert set(found.precisions) == {precision}, path
        if precision in {"float32", "float16"}:
            assert by_size(found)[48 * 32].distinct == CLUSTERS
            assert losses(in_keras, found) == ()
        elif precision:
            # Codes: one scale for each channel spreads them.
            assert by_size(found)[48 * 32].distinct <= 255


def test_folding_a_normalization_loses_shared_values(folder):
    model = build(normalized=True)
    conv = model.get_layer("conv").kernel
    conv.assign(np.random.default_rng(0).choice([-1.0, 0.5, 0.0, 1.5], conv.shape))
    model.save(folder / "normalized.keras")
    before = weight_effects(folder / "normalized.keras", "keras")
    after = weight_effects(to_tflite(model, folder / "normalized.tflite"), "tflite")
    (loss,) = losses(before, after)
    assert "1 of 2 layers" in str(loss)
    assert "4 distinct values became" in str(loss)


def tensor(zeros=0.0, distinct=1000, elements=4000):
    return TensorEffects(
        name="a", shape=(elements // 10, 10), precision="float32", zeros=zeros, distinct=distinct
    )


def test_losses_are_told_and_gains_are_not():
    def one(**how):
        return WeightEffects(tensors=(tensor(**how),))

    assert losses(one(zeros=0.5), one(zeros=0.6)) == ()
    assert losses(one(zeros=0.5), one(zeros=0.495)) == ()
    (loss,) = losses(one(zeros=0.5), one(zeros=0.1))
    assert "50.0% of the weights and are 10.0%" in str(loss)
    # Another number of tensors: compared as a whole.
    (loss,) = losses(one(zeros=0.5), one(zeros=0.1, elements=2000))
    assert "Zeros" in str(loss)
    assert losses(one(distinct=16), one(distinct=16)) == ()
    (loss,) = losses(one(distinct=16), one(distinct=900))
    assert "16 distinct values became 900" in str(loss)
    _, advice = losses(one(distinct=16), one(distinct=900), per_channel=True)
    assert "one for each layer keeps them" in str(advice)
    (loss,) = losses(one(zeros=0.5), one(zeros=0.1), per_channel=True)
    assert "Zeros" in str(loss)
    assert losses(one(), one(distinct=20)) == ()
    assert losses(WeightEffects(tensors=()), one()) == ()
    assert WeightEffects(tensors=()).distinct == 0


def test_bfloat16_and_float16_in_keras_files(folder):
    for precision in ("bfloat16", "float16"):
        model = keras.Sequential([keras.Input((16,)), layers.Dense(8, dtype=precision)])
        values = np.random.default_rng(0).choice([0.0, -0.0, 0.5, 1.25], (16, 8))
        model.layers[0].kernel.assign(values)
        model.save(folder / "half.keras")
        (found,) = weight_effects(folder / "half.keras", "keras").tensors
        assert found.precision == precision
        assert found.distinct == 3
        assert found.zeros == np.mean(values == 0)


def test_packed_integers():
    from workbench.measure.weight_files import _unpacked

    raw = np.array([0xF1, 0x80], np.uint8)
    assert _unpacked(raw, 4, 4).tolist() == [1, -1, 0, -8]
    assert _unpacked(raw, 4, 3).tolist() == [1, -1, 0]
    assert _unpacked(np.array([0b11_10_01_00], np.uint8), 2, 4).tolist() == [0, 1, -2, -1]


@pytest.mark.parametrize("kind", ["keras", "tflite", "onnx", "openvino"])
def test_a_file_that_is_none(kind, tmp_path):
    with pytest.raises(InvalidInput, match="no model file"):
        weight_effects(tmp_path / "missing", kind)
    (tmp_path / "broken").write_bytes(b"PK\x03\x04 not a model at all" * 20)
    with pytest.raises(InvalidInput, match="broken"):
        weight_effects(tmp_path / "broken", kind)


def test_tensorflow_is_not_needed(in_keras, folder):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from workbench.measure.weights import weight_effects\n"
            f"print(weight_effects(Path({str(folder / 'model.keras')!r}), 'keras').zeros)\n"
            "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) == pytest.approx(in_keras.zeros)
