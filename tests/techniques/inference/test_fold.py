import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import apply, predict, run_code
from workbench import techniques
from workbench.api.errors import Refused
from workbench.api.variant import RuntimeSettings
from workbench.models.converting.conversion import load_keras
from workbench.runtimes import runtime

NAME = "inference.fold"


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    """A model with everything that is folded: scaling in front, nested blocks, dropout."""
    import keras
    from keras import layers

    folder = tmp_path_factory.mktemp("nested")
    block = keras.Sequential(
        [layers.DepthwiseConv2D(3, name="deep"), layers.BatchNormalization(name="deep_bn")], name="block"
    )
    inputs = keras.Input((12, 12, 3), name="image")
    x = layers.Rescaling(0.5, 0.1, name="scale")(inputs)
    x = layers.SeparableConv2D(6, 3, use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_bn")(x)
    x = layers.Dropout(0.2, name="drop")(block(layers.ReLU(name="relu")(x)))
    x = layers.Conv2DTranspose(4, 2, name="wide")(x)
    x = layers.BatchNormalization(name="wide_bn")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="logits")(x), name="nested")
    small_models.train(model, "conv")
    dataset = small_models.write_dataset("conv", folder / "conv-data")
    dataset.save_npz(folder / "conv.npz")
    return small_models.baseline(model, folder / "nested.keras"), dataset


def test_the_same_predictions_with_fewer_layers(parents, made):
    parent, dataset = parents("conv")
    applied = made(NAME, "conv")
    x = dataset.x("test")
    expected = runtime("keras.function").load(parent.path, RuntimeSettings()).predict(x)
    assert np.abs(predict(applied, x) - expected).max() < 1e-5 * np.abs(expected).max()
    kinds = [layer.kind for layer in applied.description.layers]
    assert "BatchNormalization" not in kinds
    assert len(kinds) == len(parent.description.layers) - 2
    assert applied.description.parameters == parent.description.parameters - 2 * 4 * 16 + 16
    assert (applied.runtime, applied.format) == ("keras.function", "keras")
    assert "stem_bn (BatchNormalization): folded into stem." in map(str, applied.report.touched)


def test_the_report_has_the_factors(parents, made):
    (table,) = made(NAME, "conv").report.tables
    model = load_keras(parents("conv")[0].path)
    layer = model.get_layer("depthwise_bn")
    factor = np.abs(np.asarray(layer.gamma) / np.sqrt(np.asarray(layer.moving_variance) + layer.epsilon))
    row = dict(zip(map(str, table.columns), table.rows[1], strict=True))
    assert row["Folded into"] == "depthwise"
    assert row["Largest factor"] == pytest.approx(factor.max(), rel=1e-5)
    assert row["Smallest factor"] == pytest.approx(factor.min(), rel=1e-5)
    words = " ".join(map(str, made(NAME, "conv").report.notes))
    assert "fold by themselves" in words


def test_everything_at_once_and_one_by_one(nested, tmp_path):
    parent, dataset = nested
    x = dataset.x("test")
    expected = runtime("keras.function").load(parent.path, RuntimeSettings()).predict(x)
    cases = [
        ({}, {"scale", "stem_bn", "block/deep_bn", "wide_bn", "drop"}),
        ({"normalization": False, "inputs": False}, {"drop"}),
        ({"normalization": False, "identities": False}, {"scale"}),
        ({"inputs": False, "identities": False}, {"stem_bn", "block/deep_bn", "wide_bn"}),
    ]
    before = {layer.name for layer in parent.description.layers}
    for number, (parameters, gone) in enumerate(cases):
        applied = apply(NAME, parent, dataset, tmp_path / str(number), **parameters)
        assert before - {layer.name for layer in applied.description.layers} == gone
        assert np.abs(predict(applied, x) - expected).max() < 1e-5 * max(1, np.abs(expected).max())


def test_reasons(parents, made):
    technique = techniques.technique(NAME)
    values = technique.parameters_type()
    parent, dataset = parents("dense")
    assert "no layer that can be folded" in str(technique.obstacle(parent, dataset.info, values))
    conv, dataset = parents("conv")
    finished = small_models.child(made("inference.runtime", "conv", runtime="litert"), conv)
    assert "its runtime folds it" in str(technique.obstacle(finished, dataset.info, values))
    nothing = technique.parameters_type(normalization=False)
    assert "nothing that could be folded" in str(technique.obstacle(conv, dataset.info, nothing))
    assert technique.estimate(conv, dataset.info, values).size_ratio < 1
    assert technique.loses == {"clusters", "trained ranges"}


def test_statistics_beyond_float32_are_refused(tmp_path):
    import keras
    from keras import layers

    inputs = keras.Input((12, 12, 3), name="image")
    x = layers.Conv2D(4, 3, name="stem")(inputs)
    x = layers.BatchNormalization(name="bn", epsilon=1e-30)(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="logits")(x))
    bn = model.get_layer("bn")
    # Offsets of the convolution that the statistics take away again, a million times its signal.
    model.get_layer("stem").bias.assign([1e6] * 4)
    bn.moving_mean.assign([1e6] * 4)
    parent = small_models.baseline(model, tmp_path / "model.keras")
    dataset = small_models.write_dataset("conv", tmp_path / "data")
    with pytest.raises(Refused, match="predicts otherwise"):
        apply(NAME, parent, dataset, tmp_path / "out")


@pytest.mark.slow
def test_the_plain_code_writes_the_same_weights(parents, made, nested, tmp_path):
    cases = [
        ("conv", *parents("conv"), {}),
        ("nested", *nested, {}),
        ("drop", *nested, {"normalization": False, "inputs": False}),
    ]
    run_code(
        [(NAME, parent, dataset, values, str(tmp_path / name)) for name, parent, dataset, values in cases],
        tmp_path / "code",
    )
    for name, parent, dataset, values in cases:
        ours = load_keras(apply(NAME, parent, dataset, tmp_path / f"{name}-ours", **values).path)
        twin = load_keras(tmp_path / f"{name}.keras")
        assert [layer.name for layer in twin.layers] == [layer.name for layer in ours.layers]
        for a, b in zip(twin.get_weights(), ours.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
