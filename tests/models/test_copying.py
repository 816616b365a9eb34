"""Copied weights compute what the original computes, without saving and loading in between."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.plain.keras.copying import copy_weights

keras = pytest.importorskip("keras")
layers = keras.layers


def test_an_adapted_normalization_computes_with_its_new_statistics():
    x = np.random.default_rng(0).normal(5, 3, (200, 4)).astype(np.float32)
    normalization = layers.Normalization(name="adapted")
    normalization.adapt(x)
    inner = keras.Sequential([keras.Input((4,)), normalization, layers.Dense(3)], name="inner")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(2)(inner(inputs)))
    copy = keras.models.clone_model(model)
    copy_weights(model, copy)
    np.testing.assert_allclose(copy(x), model(x), atol=1e-6)
    # What the copying is for: the statistics are more than a rescaling by 1.
    assert np.abs(model(x) - keras.models.clone_model(model)(x)).max() > 0.1
