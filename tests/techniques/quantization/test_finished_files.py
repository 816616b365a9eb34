"""Every technique that writes a quantized LiteRT file ends in the same place: slimmed and described."""

import shutil

import pytest

from tests import small_models
from workbench import techniques
from workbench.api.errors import Refused
from workbench.api.variant import Layer, ModelDescription, TensorSpec
from workbench.exporting.litert_report import report_of
from workbench.models.reading.description import describe
from workbench.plain.litert.strip import strip_metadata

WRITERS = sorted(
    technique.name
    for technique in techniques.techniques().values()
    if technique.family == "quantization" and technique.produces == "tflite"
)
# What is quick, and made of the same model elsewhere.
QUICK = {
    "quantization.mixed_precision": {"by": "layers", "layers": 1, "samples": 16},
    "quantization.qat": {"epochs": 1},
}


def test_these_are_all():
    assert len(WRITERS) >= 9
    assert {"quantization.mixed_precision", "quantization.qat", "quantization.int8"} <= set(WRITERS)


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_left_to_be_slimmed_and_the_description_is_that_of_the_file(name, made, parents, tmp_path):
    applied = made(name, "conv", **QUICK.get(name, {}))
    path = tmp_path / "model.tflite"
    shutil.copy(applied.path, path)
    strip_metadata(path)
    assert path.read_bytes() == applied.path.read_bytes()
    assert applied.description == describe(path, "tflite", like=parents("conv")[0].description)


def described(*layers):
    spec = TensorSpec(name="x", shape=(4,), dtype="float32")
    return ModelDescription(
        inputs=(spec,),
        outputs=(spec,),
        layers=layers,
        parameters=sum(layer.parameters for layer in layers),
        from_logits=True,
        precision="float32",
        macs=None,
    )


def layer(kind, parameters, precision="float32"):
    return Layer(
        name=kind.lower(),
        kind=kind,
        parameters=parameters,
        size_bytes=4 * parameters,
        output_shape=(4,),
        precision=precision,
    )


@pytest.mark.parametrize(
    ("layers", "problem", "action"),
    [
        ((layer("ADD", 0),), "has no weights", "another runtime"),
        ((layer("FULLY_CONNECTED", 512),), "512 weights", "float16"),
        ((layer("WHILE", 90_000),), "no such form of WHILE", "float16"),
        ((layer("PRELU", 64),), "no such form of PRELU", "float16"),
    ],
)
def test_a_refusal_says_what_holds_and_never_advises_what_was_asked_for(layers, problem, action):
    with pytest.raises(Refused) as refused:
        report_of(described(*layers), "int8", ())
    assert problem in str(refused.value.problem)
    assert action in str(refused.value.action)
    assert "int8," not in str(refused.value.action)


def test_a_batched_product_is_rounded_by_weight_and_by_sensitivity(tmp_path):
    """One matrix for each place of a sequence: LiteRT multiplies them in one operation, BATCH_MATMUL."""
    import keras
    from keras import layers

    from tests.techniques.applying import apply

    inputs = keras.Input((12, 5), name="steps")
    keras.utils.set_random_seed(1)
    x = layers.EinsumDense("abc,bcd->abd", (12, 32), activation="relu", name="own")(inputs)
    x = layers.GlobalAveragePooling1D(name="mean")(x)
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="logits")(x), name="batched")
    parent = small_models.baseline(small_models.train(model, "transformer"), tmp_path / "batched.keras")
    dataset = small_models.write_dataset("transformer", tmp_path / "data")
    cases = [
        ("quantization.int8_weights", {}, "int8"),
        ("quantization.int4_weights", {}, "int4"),
        ("quantization.int4_weights", {"weights_range": "octav"}, "int4"),
        ("quantization.mixed_precision", {"by": "layers", "layers": 0, "samples": 16}, "int4"),
        ("quantization.mixed_precision", {"low": "int8", "by": "layers", "layers": 0, "samples": 16}, "int8"),
    ]
    for number, (name, values, precision) in enumerate(cases):
        applied = apply(name, parent, dataset, tmp_path / str(number), **values)
        products = [item for item in applied.description.layers if item.kind == "BATCH_MATMUL"]
        assert [(item.precision, item.parameters) for item in products] == [(precision, 12 * 5 * 32)]
