from __future__ import annotations

import numpy as np
import pytest

from workbench.plain.keras.precision import computing_in

keras = pytest.importorskip("keras")
layers = keras.layers


def nested() -> keras.Model:
    keras.utils.set_random_seed(0)
    inner = keras.Sequential(
        [keras.Input((8,)), layers.Dense(6, name="hidden"), layers.Dense(4, name="last")]
    )
    inputs = keras.Input((7, 3))
    x = layers.MultiHeadAttention(2, 4, name="attention")(inputs, inputs)
    x = layers.Bidirectional(layers.LSTM(4), name="both")(x)
    return keras.Model(inputs, inner(x))


def policies(model: keras.Model) -> dict[str, str]:
    return {layer.name: layer.dtype_policy.name for layer in model._flatten_layers(include_self=False)}


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_all_but_the_output_layer_compute_in_16_bits(policy):
    model = nested()
    x = np.random.default_rng(0).normal(size=(5, 7, 3)).astype(np.float32)
    before = model(x).numpy()
    with computing_in(model, policy):
        inside = policies(model)
        assert {name for name, own in inside.items() if own != policy} == {"last"}
        assert {"query", "lstm_cell", "hidden"} <= set(inside)
        assert model.get_layer("both")(x).dtype.name == policy.removeprefix("mixed_")
        assert {weight.dtype for weight in model.weights} == {"float32"}
        half = model(x)
        assert half.dtype.name == "float32"
        assert 0 < np.abs(half - before).max() < 0.1
    assert set(policies(model).values()) == {"float32"}
    np.testing.assert_array_equal(model(x), before)


def test_put_back_after_an_error_too():
    model = nested()
    with pytest.raises(RuntimeError, match="stop"), computing_in(model, "mixed_bfloat16"):
        raise RuntimeError("stop")
    assert set(policies(model).values()) == {"float32"}


def test_float32_changes_nothing():
    model = nested()
    with computing_in(model, "float32"):
        assert set(policies(model).values()) == {"float32"}
