import numpy as np
import pytest

from tests.techniques.structure.changing import accuracy, apply, assert_same_weights, parent_of, train, twins
from workbench.api.errors import Refused
from workbench.techniques.structure.depth import DepthParameters, DepthScaling

keras = pytest.importorskip("keras")
layers = keras.layers


def deep_model():
    keras.utils.set_random_seed(1)
    pixels = keras.Input((64,), name="pixels")
    x = layers.Dense(32, activation="relu", name="stem")(pixels)
    for number in range(4):
        y = layers.Dense(32, activation="relu", name=f"first_{number}")(x)
        x = layers.Add(name=f"block_{number}")([x, layers.Dense(32, name=f"second_{number}")(y)])
    x = layers.Dense(32, activation="relu", name="chain")(x)
    return keras.Model(pixels, layers.Dense(10, name="scores")(x), name="deep")


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory):
    model = train(deep_model(), digits)
    # One block that does nothing: the least important one.
    model.get_layer("second_2").set_weights([np.zeros((32, 32)), np.zeros(32)])
    train(model, digits, epochs=0)
    return parent_of(model, tmp_path_factory.mktemp("depth"))


@pytest.mark.slow
def test_the_least_important_go(digits, trained, recorder, tmp_path):
    parameters = {"blocks": 2, "search": "again after each", "epochs": 2}
    applied, model = apply(DepthScaling(), trained, digits, tmp_path / "out", recorder, **parameters)
    assert len(applied.report.touched) == 2
    assert str(applied.report.touched[0]).startswith("block_2 was left out: first_2, second_2.")
    (table,) = applied.report.tables
    rows = {(row[4], row[0]): row for row in table.rows}
    assert len(rows) == 5 + 4
    assert rows[1, "block_2"][1] == pytest.approx(0, abs=1e-4)
    assert rows[1, "block_2"][3] == 2 * (32 * 32 + 32)
    assert min(row[1] for row in table.rows if row[4] == 1) == rows[1, "block_2"][1]
    assert accuracy(model, digits) > 0.9
    assert applied.description.parameters < trained.description.parameters


@pytest.mark.slow
def test_without_training_it_is_the_model_with_the_block_bypassed(digits, trained, recorder, tmp_path):
    once = {"epochs": 0, "importance": "F1"}
    again = {"epochs": 0, "blocks": 2, "search": "again after each"}
    _, model = apply(DepthScaling(), trained, digits, tmp_path / "once", recorder, **once)
    parent = keras.models.load_model(trained.path, compile=False)
    x = np.array(digits.x("validation"))
    assert model.count_params() < parent.count_params()
    # The block gave zeros: nothing changes, and no other block can be less important.
    np.testing.assert_allclose(model(x), parent(x), atol=1e-5)
    recorder.fractions.clear()
    _, shorter = apply(DepthScaling(), trained, digits, tmp_path / "again", recorder, **again)
    scripts = [(DepthScaling(), trained, values) for values in (once, again, again | {"epochs": 1})]
    *theirs, trained_further = twins(scripts, digits, tmp_path / "code")
    for mine, one in zip((model, shorter), theirs, strict=True):
        assert [layer.name for layer in one.layers] == [layer.name for layer in mine.layers]
        assert_same_weights(mine, one, rtol=0, atol=0)
    assert [layer.name for layer in trained_further.layers] == [layer.name for layer in shorter.layers]
    assert accuracy(trained_further, digits) > 0.9


def test_before_applying(digits, trained, recorder, tmp_path):
    technique = DepthScaling()
    assert technique.obstacle(trained, digits.info, DepthParameters(blocks=5)) is None
    assert "Only 5 blocks can be left out: block_0" in str(
        technique.obstacle(trained, digits.info, DepthParameters(blocks=6))
    )
    flat = keras.Sequential([keras.Input((64,)), layers.Dense(32), layers.Dense(10)])
    parent = parent_of(flat, tmp_path / "flat")
    assert "no residual block" in str(technique.obstacle(parent, digits.info, DepthParameters()))
    lite = trained.model_copy(update={"format": "tflite"})
    assert "Keras" in str(technique.obstacle(lite, digits.info, DepthParameters()))
    gone = trained.model_copy(update={"path": tmp_path / "gone.keras"})
    assert technique.obstacle(gone, digits.info, DepthParameters()) is None
    one = technique.estimate(trained, digits.info, DepthParameters())
    two = technique.estimate(trained, digits.info, DepthParameters(blocks=2, search="again after each"))
    assert 0 < two.size_ratio < one.size_ratio < 1
    assert two.seconds > one.seconds
    assert technique.variant_name(DepthParameters(blocks=3)) == "depth -3"


def test_apply_refuses_what_fits_could_not_see(digits, trained, recorder, tmp_path):
    flat = keras.Sequential([keras.Input((64,)), layers.Dense(32), layers.Dense(10)])
    parent = parent_of(flat, tmp_path / "flat")
    from workbench.api.technique import Context

    (tmp_path / "out").mkdir()
    context = Context(parent=parent, dataset=digits, folder=tmp_path / "out", report=recorder, seed=0)
    with pytest.raises(Refused, match="no residual block"):
        DepthScaling().apply(context, DepthParameters())
