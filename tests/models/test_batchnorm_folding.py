import numpy as np
import pytest

from tests.small_models import build

keras = pytest.importorskip("keras")
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.plain.keras.batchnorm_folding import flattened, folded

layers = keras.layers


def with_statistics(model, seed=0):
    """Every normalization gets statistics of its own, so that folding it wrongly would show."""
    rng = np.random.default_rng(seed)
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, value.shape)
                    if index in (len(layer.weights) - 1, 0)
                    else rng.normal(size=value.shape) * 0.3
                    for index, value in enumerate(layer.get_weights())
                ]
            )
    return model


def outputs(model, seed=1):
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=(5, *[n or 7 for n in t.shape[1:]])).astype(np.float32) for t in model.inputs]
    return [np.asarray(y) for y in keras.tree.flatten(model(x if len(x) > 1 else x[0], training=False))]


def assert_same(model):
    before = outputs(model)
    new, done, left = folded(flattened(model))
    for expected, found in zip(before, outputs(new), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5 * max(1.0, np.abs(expected).max()))
    return new, done, left


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def linear(kind, **keywords):
    shape = {"1D": (16, 4), "2D": (12, 12, 4), "3D": (6, 6, 6, 2)}
    rank = kind.removesuffix("Transpose")[-2:]
    inputs = keras.Input(shape.get(rank, (9,)), name="x")
    if kind == "Dense":
        layer = layers.Dense(6, **keywords)
    elif kind.startswith("Depthwise"):
        layer = getattr(layers, kind)(3, padding="same", **keywords)
    else:
        layer = getattr(layers, kind)(6, 3, padding="same", **keywords)
    x = layers.BatchNormalization(name="bn")(layer(inputs))
    return with_statistics(keras.Model(inputs, layers.ReLU()(x)))


@pytest.mark.parametrize(
    ("kind", "keywords"),
    [
        ("Dense", {}),
        ("Dense", {"use_bias": False}),
        ("Conv1D", {"dilation_rate": 2}),
        ("Conv2D", {"strides": 2, "use_bias": False}),
        ("Conv2D", {"groups": 2}),
        ("Conv3D", {}),
        ("DepthwiseConv1D", {"depth_multiplier": 2}),
        ("DepthwiseConv2D", {"depth_multiplier": 3, "use_bias": False}),
        ("SeparableConv1D", {}),
        ("SeparableConv2D", {"depth_multiplier": 2, "strides": 2}),
        ("Conv1DTranspose", {"strides": 2}),
        ("Conv2DTranspose", {"strides": 2, "use_bias": False}),
        ("Conv3DTranspose", {}),
    ],
)
def test_a_normalization_behind_each_linear_layer_is_folded(kind, keywords):
    new, done, left = assert_same(linear(kind, **keywords))
    assert (done, left) == (["bn"], [])
    assert "BatchNormalization" not in kinds(new)
    assert not any(name.startswith("Separable") for name in kinds(new))


def test_where_it_cannot_be_folded_it_becomes_a_depthwise_convolution():
    inputs = keras.Input((8, 8, 3), name="x")
    x = layers.BatchNormalization(name="first")(inputs)
    y = layers.Conv2D(4, 3, name="used_twice")(x)
    z = layers.BatchNormalization(name="behind", scale=False)(y)
    x = layers.Concatenate()([y, z])
    x = layers.Conv2D(4, 1, activation="relu")(x)
    x = layers.BatchNormalization(name="after_relu", center=False)(x)
    new, done, left = assert_same(with_statistics(keras.Model(inputs, x)))
    assert sorted(done) == ["after_relu", "behind", "first"]
    assert left == []
    assert kinds(new).count("DepthwiseConv2D") == 3


def test_one_without_a_layer_to_go_into_stays_and_is_named():
    inputs = keras.Input((9,), name="x")
    x = layers.BatchNormalization(name="alone")(inputs)
    x = layers.Dense(4, activation="relu")(x)
    new, done, left = assert_same(with_statistics(keras.Model(inputs, x)))
    assert (done, left) == ([], ["alone"])
    assert "BatchNormalization" in kinds(new)


def test_shared_layers_keep_their_normalizations_apart():
    inputs = [keras.Input((8, 8, 3), name="a"), keras.Input((8, 8, 3), name="b")]
    shared = layers.Conv2D(4, 3, name="shared")
    x = [layers.BatchNormalization(name=f"bn_{i}")(shared(each)) for i, each in enumerate(inputs)]
    new, done, _ = assert_same(with_statistics(keras.Model(inputs, layers.Add()(x))))
    assert sorted(done) == ["bn_0", "bn_1"]
    assert kinds(new).count("Conv2D") == 1


def test_nested_models_are_inlined_and_equal_names_told_apart():
    inner = keras.Sequential(
        [keras.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same", name="c"), layers.BatchNormalization()],
        name="inner",
    )
    inputs = keras.Input((8, 8, 4), name="x")
    x = layers.Conv2D(4, 1, name="c")(inputs)
    x = inner(inner(x))  # shared: called twice
    new, done, _ = assert_same(with_statistics(keras.Model(inputs, x + 1.0)))
    assert "Sequential" not in kinds(new)
    assert len(done) == 1
    assert {"c", "c_2"} <= {layer.name for layer in new.layers}


def test_activations_inside_a_layer_become_layers_unless_they_are_fused():
    inputs = keras.Input((9,), name="x")
    x = layers.Dense(4, activation="swish", name="a")(inputs)
    x = layers.Dense(4, activation="relu", name="b")(x)
    new, _, _ = assert_same(keras.Model(inputs, layers.Dense(3, activation="softmax", name="c")(x)))
    assert [layer.name for layer in new.layers] == ["x", "a", "a_activation", "b", "c", "c_activation"]


@pytest.mark.parametrize("kind", ["dense", "conv", "two_inputs"])
def test_small_models(kind):
    model = build(kind)
    new, _, _ = assert_same(model)
    assert [x.name for x in new.inputs] == [x.name for x in model.inputs]


KINDS = ("conv", "depthwise", "separable", "bn", "bn", "relu", "add")
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 6), st.booleans()), min_size=2, max_size=7)


def graph(steps, outputs, seed):
    """Convolutions, normalizations, sums and branches, as drawn."""
    inputs = keras.Input((8, 8, 4), name="x")
    tensors = [inputs]
    for kind, source, flag in steps:
        x = tensors[source % len(tensors)]
        if kind == "conv":
            x = layers.Conv2D(4, 3, padding="same", use_bias=flag)(x)
        elif kind == "depthwise":
            x = layers.DepthwiseConv2D(3, padding="same", use_bias=flag)(x)
        elif kind == "separable":
            x = layers.SeparableConv2D(4, 3, padding="same", activation="elu" if flag else None)(x)
        elif kind == "bn":
            x = layers.BatchNormalization(scale=flag)(x)
        elif kind == "relu":
            x = layers.ReLU()(x)
        else:
            x = layers.Add()([x, tensors[-1]])
        tensors.append(x)
    chosen = tensors[-outputs:]
    return with_statistics(keras.Model(inputs, chosen if len(chosen) > 1 else chosen[0]), seed)


@settings(max_examples=25, deadline=None)
@given(STEPS, st.integers(1, 2), st.integers(0, 99))
def test_random_graphs(steps, count, seed):
    model = graph(steps, count, seed)
    new, done, left = assert_same(model)
    assert left == []
    assert "BatchNormalization" not in kinds(new)
    assert len(done) == kinds(model).count("BatchNormalization")
