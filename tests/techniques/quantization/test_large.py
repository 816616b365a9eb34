"""A transformer block of width 256 is quantized, and its files are described, like any small model."""

import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import apply, predict
from workbench.api.variant import Variant
from workbench.measure.weight_files import stored_tensors

WIDTH, TOKENS = 256, 6


@pytest.fixture(scope="module")
def block(tmp_path_factory):
    """The block as a variant, with its data."""
    import keras
    from keras import layers

    folder = tmp_path_factory.mktemp("block")
    keras.utils.set_random_seed(4)
    inputs = keras.Input((TOKENS, WIDTH), name="tokens")
    attended = layers.MultiHeadAttention(4, WIDTH // 4, name="attention")(inputs, inputs)
    x = layers.LayerNormalization(name="norm_1")(layers.Add(name="add_1")([inputs, attended]))
    hidden = layers.Dense(4 * WIDTH, activation="gelu", bias_initializer="normal", name="up")(x)
    hidden = layers.Dense(WIDTH, bias_initializer="normal", name="down")(hidden)
    x = layers.LayerNormalization(name="norm_2")(layers.Add(name="add_2")([x, hidden]))
    x = layers.GlobalAveragePooling1D(name="mean")(x)
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="logits")(x), name="block")
    small_models.SHAPES["block"] = {"": (TOKENS, WIDTH)}
    try:
        dataset = small_models.write_dataset("block", folder / "data")
    finally:
        del small_models.SHAPES["block"]
    return small_models.baseline(model, folder / "block.keras"), dataset, model


KERNELS = 4 * WIDTH * WIDTH + 2 * 4 * WIDTH * WIDTH + WIDTH * small_models.CLASSES


@pytest.mark.parametrize(
    ("name", "precision", "share"),
    [
        ("quantization.int8_weights", "int8", 0.27),
        ("quantization.int4_weights", "int4", 0.15),
        ("quantization.litert_int8", "int8", 0.28),
    ],
)
def test_a_wide_block(block, name, precision, share, tmp_path):
    parent, dataset, model = block
    applied = apply(name, parent, dataset, tmp_path / "folder")
    assert applied.path.stat().st_size < share * 4 * model.count_params()
    products = [layer for layer in applied.description.layers if layer.kind == "FULLY_CONNECTED"]
    assert [layer.precision for layer in products] == 7 * [precision]
    stored = sum(
        int(np.prod(tensor.shape))
        for tensor in stored_tensors(applied.path, "tflite")
        if tensor.precision == precision and len(tensor.shape) > 1 and tensor.shape[0] > 1
    )
    assert stored == KERNELS
    x = dataset.x("test")[:8]
    exact = model.predict(x, verbose=0)
    error = np.abs(predict(applied, x) - exact).max() / np.abs(exact).max()
    assert 0 < error < (0.5 if precision == "int4" else 0.1)


def test_the_file_of_another_quantizer_counts_its_weights(block, tmp_path):
    from litert_quantizer.qtyping import TFLOperationName
    from litert_quantizer.quantizer import Quantizer

    from workbench.models.converting.conversion import to_tflite
    from workbench.models.reading.description import describe

    _, _, model = block
    worker = Quantizer(str(to_tflite(model, tmp_path / "float32.tflite")))
    worker.add_dynamic_config(".*", TFLOperationName.ALL_SUPPORTED, 8)
    worker.quantize(enable_progress_report=False).export_model(str(tmp_path / "theirs.tflite"))
    found = describe(tmp_path / "theirs.tflite", "tflite")
    assert found.precision == "dynamic int8"
    assert KERNELS < found.parameters <= model.count_params()
    assert isinstance(block[0], Variant)
    assert found.macs == TOKENS * 12 * WIDTH * WIDTH + WIDTH * small_models.CLASSES
