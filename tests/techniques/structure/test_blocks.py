import numpy as np
import pytest

from workbench.graph.blocks import find_blocks
from workbench.plain.keras.blocks import without

keras = pytest.importorskip("keras")
layers = keras.layers


def residual():
    """Two plain residual blocks (one with an operator), a projection, a transformer block, a nested model."""
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 2), name="image")
    x = layers.Conv2D(8, 3, padding="same", name="stem")(image)
    y = layers.Conv2D(8, 3, padding="same", activation="relu", name="a1")(x)
    y = layers.BatchNormalization(name="a2")(y)
    x = layers.ReLU(name="after_a")(layers.Add(name="add_a")([x, y]))
    y = layers.Conv2D(8, 3, padding="same", name="b1")(x)
    x = x + y
    y = layers.Conv2D(12, 3, strides=2, padding="same", name="c1")(x)
    x = layers.Add(name="add_c")([layers.Conv2D(12, 1, strides=2, name="c0")(x), y])
    x = layers.Reshape((16, 12), name="tokens")(x)
    y = layers.LayerNormalization(name="t0")(x)
    y = layers.MultiHeadAttention(2, 6, name="t1")(y, y)
    x = layers.Add(name="add_t")([y, x])
    x = layers.GlobalAveragePooling1D(name="pool")(x)
    given = keras.Input((12,), name="given")
    z = layers.Dense(12, activation="relu", name="n1")(given)
    inner = keras.Model(given, layers.Add(name="n2")([z, given]), name="inner")
    x = inner(x)
    x = layers.Dense(12, name="same")(x)
    x = layers.BatchNormalization(name="same_norm")(x)
    x = layers.Activation("relu", name="same_relu")(x)
    return keras.Model(image, layers.Dense(5, name="scores")(x), name="residual")


def test_what_is_found():
    blocks = find_blocks(residual().get_config())
    found = {block.name: block for block in blocks.found}
    plus = next(name for name in found if name not in {"add_a", "add_t", "inner/n2", "same"})
    assert set(found) == {"add_a", plus, "add_t", "inner/n2", "same"}
    assert found["add_a"].layers == ("a1", "a2")
    assert found["add_a"].bypass == {("add_a",): 0}
    assert found["add_t"].bypass == {("add_t",): 1}
    assert found["add_t"].layers == ("t0", "t1")
    assert found[plus].layers == ("b1",)
    assert found["inner/n2"].bypass == {("inner", "n2"): 1}
    assert found["same"].layers == ("same", "same_norm", "same_relu")
    assert not found["same"].residual
    (skip,) = blocks.skipped
    assert skip.name == "add_c"
    assert "plain shortcut" in str(skip.reason)


@pytest.mark.slow
def test_a_block_that_is_left_out_is_as_if_its_branch_gave_nothing():
    model = residual()
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 2)).astype(np.float32)
    for block in find_blocks(model.get_config()).found:
        if not block.residual:
            continue
        shorter = without(model, [block])
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        # By hand: the last layer of the branch with weights gives zeros.
        inside = copy.get_layer("inner") if block.path else copy
        last = inside.get_layer(block.layers[-1])
        last.set_weights([0 * weight for weight in last.get_weights()[:2]] + last.get_weights()[2:])
        if block.layers[-1] == "t1":
            last.set_weights([0 * weight for weight in last.get_weights()])
        np.testing.assert_allclose(np.asarray(shorter(x)), np.asarray(copy(x)), atol=1e-5, err_msg=block.name)
        assert shorter.count_params() < model.count_params()


def test_several_and_all(tmp_path):
    model = residual()
    blocks = find_blocks(model.get_config()).found
    shorter = without(model, blocks)
    gone = {layer for block in blocks for layer in block.layers}
    assert gone.isdisjoint({layer.name for layer in shorter.layers})
    shorter.save(tmp_path / "shorter.keras")
    assert keras.models.load_model(tmp_path / "shorter.keras").output_shape == (None, 5)


def test_a_chain():
    model = keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(64, name="in"),
            layers.Dense(64, activation="relu", name="one"),
            layers.Dropout(0.1, name="drop"),
            layers.Dense(64, name="two"),
            layers.Dense(64, name="out"),
        ]
    )
    blocks = find_blocks(model.get_config())
    assert [block.layers for block in blocks.found] == [("one", "drop"), ("two",)]
    shorter = without(model, blocks.found)
    x = np.ones((2, 20), np.float32)
    by_hand = model.get_layer("out")(model.get_layer("in")(x))
    np.testing.assert_allclose(shorter(x), by_hand, atol=1e-5)


@pytest.mark.parametrize("kind", ["used elsewhere", "an output", "shared", "broadcast", "another input"])
def test_what_only_looks_like_a_block(kind):
    a = keras.Input((6,), name="a")
    b = keras.Input((6,), name="b")
    x = layers.Dense(6, name="x")(a)
    y = layers.Dense(6, name="y")(x)
    add = layers.Add(name="add")
    inputs, outputs = [a], None
    if kind == "used elsewhere":
        outputs = layers.Concatenate()([add([x, y]), y])
    elif kind == "an output":
        outputs = [add([x, y]), y]
    elif kind == "shared":
        outputs = add([add([x, y]), layers.Dense(6)(y)])
    elif kind == "broadcast":
        outputs = add([x, layers.Dense(1)(y)])
    else:
        inputs = [a, b]
        outputs = add([x, layers.Dense(6)(layers.Concatenate()([y, b]))])
    blocks = find_blocks(keras.Model(inputs, outputs).get_config())
    assert not [block for block in blocks.found if block.residual]
    assert [skip.name for skip in blocks.skipped] == ["add"] * len(blocks.skipped)
    assert blocks.skipped


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("MobileNetV2", 10), ("ConvNeXtTiny", 18)])
def test_real_architectures(name, count):
    shape = (64, 64, 3)
    model = getattr(keras.applications, name)(weights=None, input_shape=shape, classes=4)
    blocks = find_blocks(model.get_config())
    residual = [block for block in blocks.found if block.residual]
    assert len(residual) == count
    shorter = without(model, residual[:3])
    assert shorter.count_params() < model.count_params()
    assert shorter.output_shape == (None, 4)
