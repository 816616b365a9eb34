"""Random graphs: dead channels go without a trace, and no other group is touched."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.graph.zeroing import (
    largest_change,
    layer_at,
    randomized,
    samples,
    some_units,
    units_of,
    zero_outgoing,
)
from workbench.graph.channel_removal import without_channels

keras = pytest.importorskip("keras")
L = keras.layers

STEPS = (
    "conv", "grouped", "depthwise", "separable", "norm", "group_norm", "activation", "prelu", "add", "concat",
    "excite", "shared", "nested", "dense", "layer_norm", "pool", "attention",
)  # fmt: skip


class Choices:
    """Choices read from a list of numbers, zeros after its end. Keras draws numbers of its own while a
    model is built, which a strategy of hypothesis must not do."""

    def __init__(self, numbers):
        self._numbers = iter(numbers)

    def __call__(self, options):
        options = list(options)
        return options[next(self._numbers, 0) % len(options)]


def build(steps, numbers):
    """A functional model over 6x6 pictures: every tensor stays 6x6, so that any can meet."""
    keras.utils.set_random_seed(0)
    choose = Choices(numbers)
    inputs = keras.Input((6, 6, choose(range(1, 5))))
    tensors, shared = [inputs], {}
    for step in steps:
        # The latest half of the time: deep graphs tie more than wide ones.
        x = choose([tensors[-1], choose(tensors)])
        tensors.append(_step(step, x, x.shape[-1], tensors, shared, choose))
    last = choose([L.Flatten, L.GlobalAveragePooling2D])()(tensors[-1])
    outputs = [L.Dense(3)(last)]
    if choose([False, True]):
        outputs.append(L.Conv2D(2, 1)(tensors[len(tensors) // 2]))
    return keras.Model(inputs, outputs)


def _step(step, x, channels, tensors, shared, choose):
    wide = choose([4, 2, 6, 8])
    match step:
        case "conv":
            return L.Conv2D(wide, choose([1, 3]), padding="same", use_bias=choose([True, False]))(x)
        case "grouped":
            groups = choose(n for n in (1, 2, 3, 4, 8) if channels % n == 0)
            return L.Conv2D(groups * choose([1, 2, 3]), 3, padding="same", groups=groups)(x)
        case "depthwise":
            return L.DepthwiseConv2D(3, padding="same", depth_multiplier=choose([1, 2]))(x)
        case "separable":
            return L.SeparableConv2D(wide, 3, padding="same", depth_multiplier=choose([1, 2]))(x)
        case "norm":
            return L.BatchNormalization(scale=choose([True, False]))(x)
        case "group_norm":
            return L.GroupNormalization(choose(n for n in (1, 2, 4) if channels % n == 0))(x)
        case "layer_norm":
            return L.LayerNormalization()(x)
        case "activation":
            return L.Activation(choose(["relu", "tanh", "silu"]))(x)
        case "prelu":
            return L.PReLU(shared_axes=choose([None, [1, 2]]))(x)
        case "pool":
            return L.AveragePooling2D(2, strides=1, padding="same")(x)
        case "add":
            alike = [tensor for tensor in tensors if tensor.shape[-1] == channels]
            return choose([L.Add, L.Multiply, L.Maximum])()([x, choose(alike)])
        case "concat":
            return L.Concatenate()([x, choose(tensors)])
        case "excite":
            gate = L.Dense(wide, activation="relu")(L.GlobalAveragePooling2D(keepdims=True)(x))
            return L.Multiply()([x, L.Dense(channels, activation="sigmoid")(gate)])
        case "shared":
            return shared.setdefault(channels, L.Conv2D(wide, 1))(x)
        case "nested":
            return shared.setdefault(("nested", channels), keras.Sequential([L.Conv2D(wide, 1), L.ReLU()]))(x)
        case "attention":
            flat = L.Reshape((36, channels))(x)
            return L.Reshape((6, 6, channels))(L.MultiHeadAttention(2, 3)(flat, flat))
    return L.Dense(wide)(x)


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(STEPS), min_size=2, max_size=9),
    st.lists(st.integers(0, 10**6), max_size=60),
    st.integers(0, 1000),
)
def test_dead_channels_go_without_a_trace(steps, numbers, seed):
    model = build(steps, numbers)
    units = units_of(model)
    assert not units.graph.closed
    chosen = some_units(units, 0.5, seed)
    some = np.random.default_rng(seed).permutation(len(units.groups))[: -(-len(units.groups) // 2)]
    chosen = chosen[np.isin(chosen, np.concatenate([[-1], *(units.groups[at].units for at in some)]))]
    removed = units.removing(chosen)
    randomized(model)
    zero_outgoing(model, units, removed)
    smaller = without_channels(model, units.channels, removed)
    assert largest_change(model, smaller, samples(model)) < 1e-5

    again = units_of(smaller)
    # The last channel of an axis may be fixed where a longer axis was not, by a Reshape or a repetition.
    left = [int((~removed[group.units]).sum()) for group in units.groups]
    assert sorted(len(group.units) for group in again.groups if len(group.units) > 1) == sorted(
        number for number in left if number > 1
    )
    for path, parts in units.graph.layers.items():
        if any(removed[axis].any() for axis in units.channels.layers[parts.name].axes()):
            continue
        if parts.weights:
            for one, other in zip(
                layer_at(model, path).get_weights(), layer_at(smaller, path).get_weights(), strict=True
            ):
                np.testing.assert_array_equal(one, other)
