import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.models.rebuilding.folding import plan_folding
from workbench.plain.keras.folding import Fold


def keras_layers():
    import keras

    return keras, keras.layers


def varied(model, seed=0):
    """Every weight random, variances positive: nothing is neutral."""
    rng = np.random.default_rng(seed)
    _, layers = keras_layers()
    for layer in model._flatten_layers(include_self=False):
        for weight in layer.weights if not hasattr(layer, "layers") else ():
            if not str(weight.dtype).startswith("float"):
                continue
            name = weight.path.rpartition("/")[2]
            low, high = (0.3, 2.0) if "variance" in name or name == "gamma" else (-0.5, 0.5)
            weight.assign(rng.uniform(low, high, weight.shape))
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    return model


def assert_same(model, x, *, gone=()):
    """Folds and compares; returns the plan and the new model."""
    from workbench.plain.keras.folding import fold

    keras, _ = keras_layers()
    plan = plan_folding(model.get_config())
    folded = fold(model, plan.folds, plan.removed)
    before = keras.tree.flatten(model(x, training=False))
    after = keras.tree.flatten(folded(x, training=False))
    for a, b in zip(before, after, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert np.abs(a - b).max() < 1e-5 * max(1, np.abs(a).max())
    names = {layer.name for layer in folded._flatten_layers()}
    assert not names & {place[-1] for place in plan.gone}
    assert {place[-1] for place in plan.gone} >= set(gone)
    assert [item._keras_history.operation.name for item in folded.inputs] == [
        item._keras_history.operation.name for item in model.inputs
    ]
    return plan, folded


def linear_layers():
    _, layers = keras_layers()
    return {
        "dense": ((7,), lambda: layers.Dense(5)),
        "dense over time": ((4, 7), lambda: layers.Dense(5)),
        "conv1d": ((9, 4), lambda: layers.Conv1D(6, 3)),
        "conv2d": ((8, 8, 4), lambda: layers.Conv2D(6, 3)),
        "grouped": ((8, 8, 4), lambda: layers.Conv2D(6, 3, groups=2)),
        "dilated": ((9, 9, 4), lambda: layers.Conv2D(6, 3, dilation_rate=2)),
        "conv3d": ((5, 5, 5, 2), lambda: layers.Conv3D(3, 2)),
        "depthwise1d": ((8, 4), lambda: layers.DepthwiseConv1D(3, depth_multiplier=2)),
        "depthwise2d": ((8, 8, 4), lambda: layers.DepthwiseConv2D(3, depth_multiplier=2)),
        "separable1d": ((8, 4), lambda: layers.SeparableConv1D(6, 3, depth_multiplier=2)),
        "separable2d": ((8, 8, 4), lambda: layers.SeparableConv2D(6, 3, depth_multiplier=2)),
        "transposed1d": ((8, 4), lambda: layers.Conv1DTranspose(6, 3, strides=2)),
        "transposed2d": ((6, 6, 4), lambda: layers.Conv2DTranspose(6, 3, strides=2, padding="same")),
        "transposed3d": ((4, 4, 4, 2), lambda: layers.Conv3DTranspose(3, 2)),
    }


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("name", [
    "dense", "dense over time", "conv1d", "conv2d", "grouped", "dilated", "conv3d", "depthwise1d",
    "depthwise2d", "separable1d", "separable2d", "transposed1d", "transposed2d", "transposed3d",
])  # fmt: skip
def test_behind_every_linear_layer(name, bias):
    keras, layers = keras_layers()
    shape, make = linear_layers()[name]
    linear = make()
    linear.use_bias = bias
    model = varied(keras.Sequential([keras.Input(shape), linear, layers.BatchNormalization(name="bn")]))
    x = np.random.default_rng(1).normal(size=(3, *shape)).astype("float32")
    plan, folded = assert_same(model, x, gone={"bn"})
    assert [item.after for item in plan.folds] == [True]
    assert len(folded.layers) == 1
    assert folded.layers[0].use_bias


@pytest.mark.parametrize("name", ["dense", "conv1d", "conv2d", "dilated", "conv3d", "depthwise1d",
    "depthwise2d", "separable1d", "separable2d"])  # fmt: skip
@pytest.mark.parametrize("kind", ["BatchNormalization", "Normalization", "Rescaling"])
def test_in_front_of_a_linear_layer(name, kind):
    keras, layers = keras_layers()
    shape, make = linear_layers()[name]
    affine = layers.Rescaling(1 / 127.5, -1) if kind == "Rescaling" else getattr(layers, kind)()
    model = varied(keras.Sequential([keras.Input(shape), affine, make()]))
    x = np.random.default_rng(1).normal(size=(3, *shape)).astype("float32")
    plan, folded = assert_same(model, x, gone={affine.name})
    assert [item.after for item in plan.folds] == [False]
    assert len(folded.layers) == 1


def test_padding_takes_a_factor_and_no_offset():
    keras, layers = keras_layers()
    x = np.random.default_rng(1).uniform(0, 255, size=(3, 6, 6, 2)).astype("float32")
    for make in (lambda: layers.Conv2D(3, 3, padding="same"), lambda: layers.Conv2DTranspose(3, 3)):
        exact = varied(keras.Sequential([keras.Input((6, 6, 2)), layers.Rescaling(1 / 255), make()]))
        assert assert_same(exact, x)[0].folds
        shifted = varied(keras.Sequential([keras.Input((6, 6, 2)), layers.Rescaling(1 / 255, -1), make()]))
        (skip,) = plan_folding(shifted.get_config()).skipped
        assert "pads with zeros" in str(skip.reason)


def test_a_chain_goes_into_one_layer():
    keras, layers = keras_layers()
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Rescaling(0.5, 0.1, name="scale"),
            layers.Dropout(0.5, name="drop"),
            layers.BatchNormalization(name="first"),
            layers.Conv2D(4, 3, use_bias=False, name="conv"),
            layers.GaussianNoise(0.1, name="noise"),
            layers.BatchNormalization(name="second"),
            layers.Activation("linear", name="line"),
            layers.BatchNormalization(name="third", scale=False, center=False),
            layers.ReLU(),
        ]
    )
    x = np.random.default_rng(1).normal(size=(3, 6, 6, 2)).astype("float32")
    gone = {"scale", "drop", "first", "noise", "second", "line", "third"}
    plan, folded = assert_same(varied(model), x, gone=gone)
    assert len(folded.layers) == 2
    assert len(plan.folds) == 4


def test_what_is_left_alone_has_its_reason():
    keras, layers = keras_layers()
    inputs = keras.Input((6, 6, 4), name="image")
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    x = layers.BatchNormalization(name="of_shared")(shared(inputs))
    y = layers.ReLU(name="relu")(shared(x))
    y = layers.BatchNormalization(name="after_relu")(y)
    y = layers.Add(name="add")([x, y])
    read_twice = layers.Conv2D(4, 1, name="read_twice")(y)
    z = layers.BatchNormalization(name="of_read_twice")(read_twice)
    z = layers.Concatenate(name="join")([z, read_twice])
    z = layers.Conv2D(4, 1, activation="relu", name="activated")(z)
    z = layers.BatchNormalization(name="of_activated")(z)
    z = layers.Flatten(name="flat")(z)
    z = layers.Dense(3, name="half", dtype="mixed_float16")(z)
    z = layers.BatchNormalization(name="of_half")(z)
    z = layers.Dense(2, name="wrong_axis")(layers.Reshape((3, 1), name="shape")(z))
    z = layers.BatchNormalization(axis=1, name="over_time")(z)
    model = varied(keras.Model(inputs, z))
    reasons = {skip.name.split()[0]: str(skip.reason) for skip in plan_folding(model.get_config()).skipped}
    assert "shared is called 2 times" in reasons["of_shared"]
    assert "comes after relu (ReLU)" in reasons["after_relu"]
    assert "also used without it" in reasons["of_read_twice"]
    assert "activation (relu)" in reasons["of_activated"]
    assert "half computes in mixed_float16" in reasons["of_half"]
    assert "channels of wrong_axis" in reasons["over_time"]
    assert not plan_folding(model.get_config()).gone


def test_a_tensor_that_is_a_keyword_argument_is_read():
    keras, layers = keras_layers()
    inputs = keras.Input((4, 8), name="image")
    query = layers.Dense(8, name="query")(inputs)
    normal = layers.BatchNormalization(name="bn")(query)
    x = layers.MultiHeadAttention(2, 4, name="attention")(normal, value=query)
    model = varied(keras.Model(inputs, x))
    (skip,) = plan_folding(model.get_config()).skipped
    assert "query is also used without it" in str(skip.reason)


def test_nested_models_and_several_outputs():
    keras, layers = keras_layers()
    augment = keras.Sequential([layers.RandomFlip(), layers.RandomContrast(0.2)], name="augment")
    block_in = keras.Input((6, 6, 4), name="block_in")
    block_out = layers.BatchNormalization(name="inner_bn")(layers.Conv2D(4, 3, name="inner")(block_in))
    block = keras.Model(
        block_in, [block_out, layers.Dropout(0.1, name="inner_drop")(block_out)], name="block"
    )
    tower = keras.Sequential(
        [layers.Conv2D(4, 1, name="t"), layers.BatchNormalization(name="t_bn")], name="tower"
    )
    image = keras.Input((8, 8, 3), name="image")
    x = layers.BatchNormalization(name="stem_bn")(layers.Conv2D(4, 3, name="stem")(augment(image)))
    a, b = block(x)
    outputs = {"first": tower(a), "second": layers.Activation("linear", name="as_it_is")(b)}
    model = varied(keras.Model(image, outputs))
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype("float32")
    plan, folded = assert_same(
        model, x, gone={"augment", "inner_bn", "inner_drop", "t_bn", "stem_bn", "as_it_is"}
    )
    assert ("block", "inner_bn") in plan.gone
    assert Fold(("tower", "t_bn"), "BatchNormalization", ("tower", "t"), after=True) in plan.folds
    assert set(folded.output) == {"first", "second"}


def test_functions_among_the_layers():
    """As in MobileNetV3, whose hard sigmoid is ``relu6(x + 3) / 6``."""
    keras, layers = keras_layers()
    inputs = keras.Input((8, 8, 3), name="image")
    x = layers.BatchNormalization(name="bn")(layers.Conv2D(4, 3, name="stem")(inputs))
    x = x * layers.Rescaling(1 / 6)(layers.ReLU(6.0)(x + 3.0))
    model = varied(keras.Model(inputs, keras.ops.mean(x, axis=(1, 2))))
    assert_same(model, np.random.default_rng(2).normal(size=(2, 8, 8, 3)).astype("float32"), gone={"bn"})


def test_a_model_is_never_folded_to_nothing():
    keras, layers = keras_layers()
    model = keras.Sequential([keras.Input((4,)), layers.Dropout(0.1, name="only")])
    plan = plan_folding(model.get_config())
    assert not plan.gone
    assert "would be its input" in str(plan.skipped[0].reason)


def test_a_class_of_its_own_is_left_alone():
    keras, layers = keras_layers()

    class Conv2D(layers.Conv2D):
        def call(self, inputs):
            return super().call(inputs) * 2

    model = keras.Sequential([keras.Input((6, 6, 2)), Conv2D(3, 3, name="own"), layers.BatchNormalization()])
    (skip,) = plan_folding(model.get_config()).skipped
    assert "own is a class of its own" in str(skip.reason)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_random_graphs_predict_the_same(data):
    keras, layers = keras_layers()
    keras.utils.clear_session()
    inputs = keras.Input((6, 6, 3), name="image")
    known = [inputs]
    kinds = ["conv", "depthwise", "bn", "bn", "dropout", "relu", "add", "rescale", "transposed"]
    for kind in data.draw(st.lists(st.sampled_from(kinds), min_size=2, max_size=9)):
        x = known[data.draw(st.integers(0, len(known) - 1))] if data.draw(st.booleans()) else known[-1]
        known.append(
            {
                "conv": lambda x: layers.Conv2D(3, 3, padding="same", use_bias=False)(x),
                "depthwise": lambda x: layers.DepthwiseConv2D(3, padding="same")(x),
                "transposed": lambda x: layers.Conv2DTranspose(3, 3, padding="same")(x),
                "bn": lambda x: layers.BatchNormalization()(x),
                "dropout": lambda x: layers.Dropout(0.3)(x),
                "relu": lambda x: layers.ReLU()(x),
                "add": lambda x: layers.Add()([x, known[0]]),
                "rescale": lambda x: layers.Rescaling(0.5)(x),
            }[kind](x)
        )
    outputs = [layers.Conv2D(2, 1, name="head")(known[-1])]
    if data.draw(st.booleans()):
        outputs.append(known[len(known) // 2])
    model = varied(keras.Model(inputs, outputs))
    x = np.random.default_rng(1).normal(size=(2, 6, 6, 3)).astype("float32")
    assert_same(model, x)


def test_a_layer_that_cannot_be_built_again_is_named():
    from workbench.plain.keras.errors import NotRebuilt
    from workbench.plain.keras.folding import fold

    keras, layers = keras_layers()

    class Odd(layers.Layer):
        @classmethod
        def from_config(cls, config):
            raise TypeError("size is missing")

        def call(self, inputs):
            return inputs

    model = keras.Sequential([keras.Input((4,)), Odd(name="odd"), layers.Dropout(0.1, name="drop")])
    with pytest.raises(NotRebuilt, match="layer odd") as raised:
        fold(model, [], [("drop",)])
    assert "size is missing" in str(raised.value.__cause__)
