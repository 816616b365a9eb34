"""Units that never fire go, just those that plain Keras never sees fire, and nothing else changes."""

import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import Reports, apply, predict, run_code
from workbench import techniques
from workbench.api.errors import Cancelled, Refused
from workbench.api.variant import RuntimeSettings
from workbench.models.converting.conversion import load_keras
from workbench.runtimes import runtime

NAME = "structure.dead_units"


def silence(layer, units, by=-100.0):
    """Pushes units far below zero by the last weight that is added to them."""
    weight = layer.beta if hasattr(layer, "beta") else layer.bias
    value = np.array(weight)
    value[units] = by
    weight.assign(value)


def planted():
    """A residual network with dead units behind each kind of activation, and constant ones."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(4)
    inputs = keras.Input((12, 12, 3), name="image")
    x = layers.Conv2D(12, 3, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.BatchNormalization(name="stem_bn")(x)
    x = short = layers.ReLU(name="stem_relu")(x)
    x = layers.Conv2D(12, 3, padding="same", activation="relu", name="branch")(x)
    x = layers.Activation("relu", name="met")(layers.Add(name="add")([short, x]))
    inner = keras.Sequential(
        [
            layers.Conv2D(8, 3, name="narrow"),
            layers.ReLU(6.0, name="relu6"),
            layers.MaxPooling2D(name="pool"),
        ],
        name="inner",
    )
    x = layers.Flatten(name="flatten")(inner(x))
    x = layers.Dense(16, activation="relu", name="wide")(x)
    x = layers.Dense(6, activation="tanh", name="soft")(x)
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="logits")(x), name="planted")
    silence(model.get_layer("stem_bn"), [0, 1, 2, 3])
    silence(model.get_layer("branch"), [1, 2, 5])  # only 1 and 2 are dead on both sides of the addition
    silence(model.get_layer("inner").get_layer("narrow"), [0, 7])
    wide = model.get_layer("wide")
    silence(wide, [0, 1, 2, 15])
    kernel = np.array(wide.kernel)
    kernel[:, 4] = 0
    wide.kernel.assign(kernel)
    silence(wide, [4], 0.7)  # fires always, and always the same
    soft = model.get_layer("soft")
    kernel = np.array(soft.kernel)
    kernel[:, 3] = 0
    soft.kernel.assign(kernel)  # zero without any ReLU
    return model


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dead")
    dataset = small_models.write_dataset("conv", folder / "conv-data")
    dataset.save_npz(folder / "conv.npz")
    return small_models.baseline(planted(), folder / "planted.keras"), dataset


@pytest.fixture(scope="module")
def without(subject, tmp_path_factory):
    return apply(NAME, *subject, tmp_path_factory.mktemp("without") / "made")


@pytest.fixture(scope="module")
def rounded(subject, tmp_path_factory):
    return apply(NAME, *subject, tmp_path_factory.mktemp("rounded") / "made", round_to=4)


def alive(model, x, *names):
    """How many channels fire for some sample in any of the layers, as Keras alone tells."""
    import keras

    fires = False
    for name in names:
        seen = np.asarray(keras.Model(model.inputs[0], model.get_layer(name).output)(x, training=False))
        fires = fires | (seen != 0).any(axis=tuple(range(seen.ndim - 1)))
    return int(fires.sum())


def test_just_what_plain_keras_never_sees_fire_is_gone(subject, without):
    parent, dataset = subject
    before, after, x = load_keras(parent.path), load_keras(without.path), np.array(dataset.x("train"))
    # A channel that an addition ties is of use if it fires before or behind it.
    tied = alive(before, x, "stem_relu", "met")
    assert tied == 10
    assert after.get_layer("stem").filters == after.get_layer("branch").filters == tied
    assert after.get_layer("inner").get_layer("narrow").filters == alive(before, x, "inner") == 6
    # Of these a few more are dead by chance.
    assert after.get_layer("wide").units == alive(before, x, "wide") <= 12
    assert after.get_layer("soft").units == alive(before, x, "soft") == 5
    for split in ("train", "validation"):
        x = dataset.x(split)
        expected = runtime("keras.function").load(parent.path, RuntimeSettings()).predict(x)
        assert np.abs(predict(without, x) - expected).max() < 1e-5 * max(1, np.abs(expected).max())


def test_the_report_says_what_went_and_why_the_rest_stays(without):
    report = without.report
    assert "stem, branch: 12 channels became 10." in map(str, report.touched)
    stays = {(skip.name, str(skip.reason)) for skip in report.skipped}
    assert any(name == "wide" and "1 channel always gives the same value" in reason for name, reason in stays)
    assert ("logits", "It gives the model's output.") in stays
    notes = " ".join(map(str, report.notes))
    assert "160 samples of the train split" in notes
    assert "64 samples of the validation split" in notes
    (table,) = report.tables
    assert [row[1] for row in table.rows] == [12, 8, 16, 6]
    assert [row[2] for row in table.rows if str(row[0]) != "wide"] == [10, 6, 5]


def test_widths_are_multiples_where_that_is_asked_for_and_int8_follows(subject, rounded, tmp_path):
    parent, dataset = subject
    model = load_keras(rounded.path)
    assert (model.get_layer("stem").filters, model.get_layer("wide").units) == (12, 12)
    assert model.get_layer("inner").get_layer("narrow").filters == 8
    assert any("so that the width is a multiple of 4" in str(skip.reason) for skip in rounded.report.skipped)
    child = small_models.child(rounded, parent, NAME)
    smaller = apply("quantization.int8", child, dataset, tmp_path / "int8", samples=32)
    x = dataset.x("test")
    agree = predict(smaller, x).argmax(-1) == predict(rounded, x).argmax(-1)
    assert agree.mean() > 0.8


def test_several_inputs_and_a_layer_that_is_dead_as_a_whole(tmp_path):
    model = small_models.build("pair")
    silence(model.get_layer("look"), [2])
    silence(model.get_layer("count"), list(range(8)))
    parent = small_models.baseline(model, tmp_path / "pair.keras")
    dataset = small_models.write_dataset("pair", tmp_path / "data")
    applied = apply(NAME, parent, dataset, tmp_path / "made", batch_size=100)
    after = load_keras(applied.path)
    assert (after.get_layer("look").filters, after.get_layer("count").units) == (7, 1)
    assert any(
        "None of its channels ever fires. 1 stays" in str(skip.reason) for skip in applied.report.skipped
    )
    x = dataset.x("test")
    expected = runtime("keras.function").load(parent.path, RuntimeSettings()).predict(x)
    np.testing.assert_allclose(predict(applied, x), expected, atol=1e-5)


def test_reasons(subject, parents, made, tmp_path):
    technique = techniques.technique(NAME)
    values = technique.parameters_type()
    parent, dataset = subject
    finished = small_models.child(made("inference.runtime", "conv", runtime="litert"), parent)
    assert "this starts from Keras" in str(technique.obstacle(finished, dataset.info, values))
    assert technique.estimate(parent, dataset.info, values).seconds > 0
    # Only looking at what fires tells that nothing is dead: no obstacle, but a refusal that is declared.
    dense = small_models.build("dense")
    for name, high in (("wide", 100.0), ("narrow", 10000.0)):
        silence(dense.get_layer(name), slice(None), high)
    lively = small_models.baseline(dense, tmp_path / "lively.keras")
    with pytest.raises(Refused, match="wide: All 64 channels fire") as refused:
        apply(NAME, lively, parents("dense")[1], tmp_path / "none")
    assert refused.value.problem.template in {text.template for text in technique.refusals()}
    with pytest.raises(Cancelled):
        apply(NAME, parent, dataset, tmp_path / "cancelled", report=Reports(cancel_at=3))
    assert "more varied" in str(technique.advice("lost F1", parent))
    assert "multiples of 8" in str(technique.advice("not faster", parent))


def test_units_that_only_their_own_layer_reads_are_left_alone(tmp_path):
    import keras
    from keras import layers

    inputs = keras.Input((12, 5), name="steps")
    x = layers.LSTM(6, name="reader")(layers.Dense(8, activation="relu", name="each")(inputs))
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="logits")(x))
    silence(model.get_layer("each"), [0, 5])
    parent = small_models.baseline(model, tmp_path / "model.keras")
    dataset = small_models.write_dataset("transformer", tmp_path / "data")
    applied = apply(NAME, parent, dataset, tmp_path / "made")
    assert load_keras(applied.path).get_layer("reader").units == 6
    assert load_keras(applied.path).get_layer("each").units <= 6
    assert any(
        skip.name == "reader" and "inside the layer" in str(skip.reason) for skip in applied.report.skipped
    )
    alone = keras.Model(inputs, layers.Dense(small_models.CLASSES)(layers.LSTM(6)(inputs)))
    reason = techniques.technique(NAME).obstacle(
        small_models.baseline(alone, tmp_path / "alone.keras"),
        dataset.info,
        techniques.technique(NAME).parameters_type(),
    )
    assert "summed over inside their layers" in str(reason)


def test_the_plain_code_writes_the_same_weights(subject, without, rounded, tmp_path):
    cases = {"all": {}, "rounded": {"round_to": 4}}
    run_code(
        [(NAME, *subject, values, str(tmp_path / name)) for name, values in cases.items()], tmp_path / "code"
    )
    for name, made in (("all", without), ("rounded", rounded)):
        ours, twin = load_keras(made.path), load_keras(tmp_path / f"{name}.keras")
        assert [layer.name for layer in twin.layers] == [layer.name for layer in ours.layers]
        for one, other in zip(twin.get_weights(), ours.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
