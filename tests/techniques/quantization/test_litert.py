import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import Reports, apply, predict, run_code, size
from workbench import techniques
from workbench.api.errors import Cancelled
from workbench.api.variant import RuntimeSettings
from workbench.runtimes import runtime

NAMES = {
    "quantization.float16": ("float16", 0.002),
    "quantization.dynamic_range": ("dynamic int8", 0.05),
    "quantization.int8": ("int8", 0.15),
    "quantization.int16x8": ("int16x8", 0.05),
}


@pytest.mark.parametrize("kind", small_models.KINDS)
@pytest.mark.parametrize("name", list(NAMES))
def test_the_file_is_what_was_asked_for(name, kind, parents, made):
    precision, tolerance = NAMES[name]
    parent, dataset = parents(kind)
    applied, float32 = made(name, kind), made("inference.runtime", kind, runtime="litert")

    assert (applied.format, applied.runtime) == ("tflite", "litert")
    assert applied.description.precision == precision
    assert applied.description.parameters == parent.description.parameters
    assert applied.description.from_logits == parent.description.from_logits
    assert [spec.name for spec in applied.description.inputs] == [
        spec.name for spec in parent.description.inputs
    ]
    assert size(applied.path) < size(float32.path)
    assert "weights" in str(applied.report.touched[0])
    touched = {layer.name for layer in applied.description.layers if layer.parameters} - {
        skip.name.rpartition(" (")[0] for skip in applied.report.skipped
    }
    assert touched

    x = dataset.x("test")
    expected, found = predict(float32, x), predict(applied, x)
    assert found.shape == expected.shape == (small_models.COUNTS["test"], small_models.CLASSES)
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()
    assert (found.argmax(-1) == expected.argmax(-1)).mean() > 0.9


@pytest.mark.parametrize("kind", small_models.KINDS)
def test_int8_throughout(kind, parents, made):
    applied = made("quantization.int8", kind, io="int8", allow_float=False)
    assert {spec.dtype for spec in applied.description.inputs + applied.description.outputs} == {"int8"}
    assert applied.report.skipped == ()
    kinds = {layer.precision for layer in applied.description.layers if layer.kind != "DEQUANTIZE"}
    assert "float32" not in kinds
    plain = made("quantization.int8", kind)
    x = parents(kind)[1].x("test")
    # the same integers inside: quantizing at the door or behind it is one and the same
    np.testing.assert_allclose(predict(applied, x), predict(plain, x), atol=1e-6)


def test_int16_inputs_and_outputs(parents, made):
    parent, dataset = parents("conv")
    applied = made("quantization.int16x8", "conv", io="int16")
    assert {spec.dtype for spec in applied.description.inputs + applied.description.outputs} == {"int16"}
    assert "reference kernels" in " ".join(map(str, applied.report.notes))
    expected = np.asarray(
        runtime("keras.function").load(parent.path, RuntimeSettings()).predict(dataset.x("test"))
    )
    assert np.abs(predict(applied, dataset.x("test")) - expected).max() < 0.05 * np.abs(expected).max()


def test_one_scale_per_tensor_is_another_smaller_file(made):
    channels = made("quantization.int8", "conv")
    tensors = made("quantization.int8", "conv", per_channel=False)
    assert size(tensors.path) < size(channels.path)


def test_dynamic_range_says_what_it_left(made):
    applied = made("quantization.dynamic_range", "conv")
    left = {skip.name for skip in applied.report.skipped}
    assert any("DEPTHWISE" in name for name in left)
    assert "too few" in str(applied.report.skipped[0].reason)


def test_calibration_samples_are_seeded_and_counted(parents, made, tmp_path):
    parent, dataset = parents("dense")

    def content(folder, **parameters):
        return apply("quantization.int8", parent, dataset, tmp_path / folder, **parameters).path.read_bytes()

    first = content("a", samples=16)
    assert first == content("b", samples=16)
    assert first != content("c", samples=16, seed=1)
    enough = apply("quantization.int8", parent, dataset, tmp_path / "d", samples=100, split="train")
    assert "100 samples of the train split" in str(enough.report.notes[0])
    few = made("quantization.int8", "dense")
    assert "all 64 samples" in str(few.report.notes[0])


def test_cancel_while_calibrating(parents, tmp_path):
    parent, dataset = parents("dense")
    report = Reports(cancel_at=6)
    with pytest.raises(Cancelled):
        apply("quantization.int8", parent, dataset, tmp_path, report=report)
    assert 0.2 < report.fractions[-1] < 0.8
    assert not list(tmp_path.glob("*.tflite"))


@pytest.mark.parametrize("name", list(NAMES))
def test_a_finished_file_is_taken_where_it_can_be_rounded_and_never_twice(name, parents, made):
    parent, dataset = parents("conv")
    technique = techniques.technique(name)
    parameters = technique.parameters_type()
    whole = small_models.child(made("inference.runtime", "conv", runtime="litert"), parent)
    reason = technique.obstacle(whole, dataset.info, parameters)
    if name in ("quantization.float16", "quantization.dynamic_range"):
        assert reason is None
    else:
        assert "this starts from Keras. Apply it to the variant that child was made from." in str(reason)
    int8 = made("quantization.int8", "conv")
    reason = str(technique.obstacle(small_models.child(int8, parent), dataset.info, parameters))
    assert "already int8" in reason
    assert "Start from the model in float32" in reason


def test_dynamic_range_refuses_what_it_would_leave_alone(parents):
    parent, dataset = parents("dense")
    description = parent.description
    layers = tuple(layer.model_copy(update={"parameters": 99}) for layer in description.layers)
    small = parent.model_copy(update={"description": description.model_copy(update={"layers": layers})})
    technique = techniques.technique("quantization.dynamic_range")
    assert "1,024" in str(technique.obstacle(small, dataset.info, technique.parameters_type()))


@pytest.mark.parametrize("name", list(NAMES))
def test_estimates_and_forms(name, parents):
    parent, dataset = parents("conv")
    technique = techniques.technique(name)
    estimate = technique.estimate(parent, dataset.info, technique.parameters_type())
    assert 0 < estimate.seconds < 60
    assert estimate.size_ratio is not None
    assert 0.1 < estimate.size_ratio < 1
    assert "Size" in str(estimate.expectation)
    for field in technique.parameters_type.model_fields.values():
        assert field.title
        assert field.description
    assert technique.variant_name(technique.parameters_type()) == name.rpartition(".")[2].replace("_", " ")


@pytest.mark.slow
def test_the_plain_code_writes_the_same_file(parents, made, tmp_path):
    cases = [
        ("quantization.float16", "conv", {}),
        ("quantization.dynamic_range", "two_inputs", {}),
        ("quantization.int8", "two_inputs", {}),
        ("quantization.int8", "conv", {"io": "int8", "allow_float": False}),
        ("quantization.int8", "conv", {"per_channel": False}),
        ("quantization.int16x8", "conv", {"io": "int16"}),
    ]
    run_code(
        [
            (name, *parents(kind), values, str(tmp_path / f"{n}.tflite"))
            for n, (name, kind, values) in enumerate(cases)
        ],
        tmp_path / "code",
    )
    for number, (name, kind, values) in enumerate(cases):
        assert (tmp_path / f"{number}.tflite").read_bytes() == made(name, kind, **values).path.read_bytes(), (
            name
        )


@pytest.mark.slow
def test_a_fixed_batch_is_calibrated_with_whole_batches(parents, tmp_path):
    import keras

    _, dataset = parents("dense")
    keras.utils.set_random_seed(2)
    inputs = keras.Input(batch_shape=(4, 20), name="features")
    outputs = keras.layers.Dense(small_models.CLASSES, activation="softmax")(inputs)
    parent = small_models.baseline(keras.Model(inputs, outputs), tmp_path / "fixed.keras")
    ours = apply("quantization.int8", parent, dataset, tmp_path / "made", samples=22)
    output = str(tmp_path / "theirs.tflite")
    run_code([("quantization.int8", parent, dataset, {"samples": 22}, output)], tmp_path / "code")
    assert (tmp_path / "theirs.tflite").read_bytes() == ours.path.read_bytes()
