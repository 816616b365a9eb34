import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import Reports, apply, predict, run_code, size
from workbench import techniques
from workbench.api.errors import Cancelled
from workbench.techniques.quantization.keras_quantize import KerasQuantizeParameters

NAME = "quantization.keras"


@pytest.mark.parametrize("mode", ["int8", "int4"])
@pytest.mark.parametrize("kind", ["dense", "conv", "two_inputs"])
def test_dense_layers_are_quantized_and_the_others_named(kind, mode, parents, made):
    parent, dataset = parents(kind)
    applied = made(NAME, kind, mode=mode)
    assert (applied.format, applied.runtime) == ("keras", "keras.function")
    dense = [layer.name for layer in parent.description.layers if layer.kind == "Dense"]
    assert str(applied.report.touched[0]).startswith(
        f"{len(dense)} layers hold {mode} weights" if len(dense) > 1 else f"1 layer holds {mode} weights"
    )
    assert {layer.name for layer in applied.description.layers if layer.precision == mode} == set(dense)
    left = {skip.name.partition(" ")[0] for skip in applied.report.skipped}
    assert (
        left
        == {
            "dense": set(),
            "conv": {"stem", "stem_bn", "block", "depthwise", "depthwise_bn"},
            "two_inputs": {"look"},
        }[kind]
    )
    assert applied.description.parameters == parent.description.parameters
    assert "LiteRT" in str(applied.report.notes[0])
    float32 = predict_keras(parent, dataset)
    found = predict(applied, dataset.x("test"))
    assert (found.argmax(-1) == float32.argmax(-1)).mean() > 0.85
    assert not np.array_equal(found, float32)


def test_what_attention_is_made_of_is_left_since_it_could_not_be_loaded_again(parents, made):
    applied = made(NAME, "transformer")
    left = {skip.name.partition(" ")[0]: str(skip.reason) for skip in applied.report.skipped}
    assert "could not load it again" in left["query"]
    dataset = parents("transformer")[1]
    float32 = predict_keras(parents("transformer")[0], dataset)
    found = predict(applied, dataset.x("test"))  # it is loaded for that
    assert (found.argmax(-1) == float32.argmax(-1)).mean() > 0.85


def predict_keras(parent, dataset):
    from workbench.runtimes import runtime

    return np.asarray(runtime("keras.function").load(parent.path, parent.settings).predict(dataset.x("test")))


def test_the_weights_are_really_stored_in_8_bits(made):
    import keras

    model = keras.models.load_model(made(NAME, "dense").path, compile=False)
    assert str(model.get_layer("wide")._kernel.dtype) == "int8"
    assert made(NAME, "dense").description.precision == "dynamic int8"
    assert made(NAME, "dense", mode="int4").description.precision == "int4"
    assert made(NAME, "conv").description.precision == "mixed"
    assert size(made(NAME, "dense").path) > 0


def test_what_does_not_fit(parents, made):
    technique = techniques.technique(NAME)
    parent, dataset = parents("conv")
    again = small_models.child(made(NAME, "dense"), parent)
    assert "already dynamic int8" in str(technique.obstacle(again, dataset.info, KerasQuantizeParameters()))
    layers = tuple(layer for layer in parent.description.layers if layer.kind != "Dense")
    convolutions = parent.model_copy(
        update={"description": parent.description.model_copy(update={"layers": layers})}
    )
    assert "no Dense" in str(technique.obstacle(convolutions, dataset.info, KerasQuantizeParameters()))


def test_cancel(parents, tmp_path):
    with pytest.raises(Cancelled):
        apply(NAME, *parents("dense"), tmp_path, report=Reports(cancel_at=2))
    assert not list(tmp_path.iterdir())


def test_estimate_and_name(parents):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)
    estimate = technique.estimate(parent, dataset.info, KerasQuantizeParameters())
    assert 0 < estimate.seconds < 60
    assert 0.2 < estimate.size_ratio < 1
    assert technique.variant_name(KerasQuantizeParameters(mode="int4")) == "Keras int4"
    assert KerasQuantizeParameters.model_fields["mode"].description


@pytest.mark.slow
def test_the_plain_code_gives_the_same_predictions(parents, made, tmp_path):
    from dataclasses import replace

    cases = [("conv", {}), ("dense", {"mode": "int4"}), ("transformer", {})]
    run_code(
        [
            (NAME, *parents(kind), values, str(tmp_path / f"{kind}.keras"))
            for number, (kind, values) in enumerate(cases)
        ],
        tmp_path / "code",
    )
    for kind, values in cases:
        ours = made(NAME, kind, **values)
        x = parents(kind)[1].x("test")
        twin = replace(ours, path=tmp_path / f"{kind}.keras")
        np.testing.assert_array_equal(predict(twin, x), predict(ours, x))
