"""New weights of a regressor start in the unit of what it predicts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from workbench.plain.keras.output_start import start_at_targets

keras = pytest.importorskip("keras")


def network(units=1, **last):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(units, **last),
        ]
    )


def test_bias_and_kernel_take_mean_and_spread_of_the_targets():
    targets = np.stack([np.arange(100.0) + 9_950, np.full(100, 3.0)], axis=1)
    model = network(2)
    before = np.asarray(model.layers[-1].kernel)
    assert start_at_targets(keras.Sequential([keras.Input((10,)), model]), targets)
    np.testing.assert_allclose(np.asarray(model.layers[-1].bias), [9_999.5, 3.0])
    np.testing.assert_allclose(
        np.asarray(model.layers[-1].kernel), before * [targets[:, 0].std(), 1], rtol=1e-5
    )
    weights = (np.arange(100) < 2).astype(float)
    assert start_at_targets(network(2), targets, weights)
    other = network(2)
    start_at_targets(other, targets, weights)
    np.testing.assert_allclose(np.asarray(other.layers[-1].bias), [9_950.5, 3.0])


@pytest.mark.parametrize(
    "last", [{"activation": "relu"}, {"activation": "softplus"}, {"use_bias": False}, {"trainable": False}]
)
def test_outputs_of_another_kind_stay_as_they_are(last):
    model = network(1, **last)
    before = model.get_weights()
    assert not start_at_targets(model, np.arange(50.0))
    for mine, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not start_at_targets(network(3), np.arange(50.0))


def test_a_student_of_large_targets_learns_in_epochs_in_which_it_would_still_be_on_its_way():
    x, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = (x / x.std(axis=0))[order].astype(np.float32), (65 * y[order]).astype(np.float32)
    constant = np.abs(y[300:] - np.median(y[:300])).mean()
    errors = []
    for start in (False, True):
        model = network()
        if start:
            assert start_at_targets(model, y[:300])
        model.compile(keras.optimizers.Adam(1e-3), "mse")
        model.fit(x[:300], y[:300], epochs=15, batch_size=32, verbose=0)
        errors.append(np.abs(model.predict(x[300:], verbose=0)[:, 0] - y[300:]).mean())
    assert errors[0] > 1.5 * constant  # it has learned less than the mean
    assert errors[1] < 0.85 * constant
