from __future__ import annotations

import numpy as np
import pytest

from workbench.training import TrainingSettings
from workbench.training.profile import InputProfile, profile_input

keras = pytest.importorskip("keras")


def profile(real: float, ready: float) -> InputProfile:
    return InputProfile(real_ms=real, ready_ms=ready, pipeline="arrays", steps=10)


@pytest.mark.parametrize(
    ("real", "ready", "words"),
    [
        (1.0, 1.2, "takes 1.00 ms, no more than"),
        (1.0, 0.95, "The model is the bottleneck"),
        (1.0, 0.7, "The input costs 30%"),
        (4.0, 1.0, "The input is the bottleneck: 75%"),
    ],
)
def test_words(real, ready, words):
    found = profile(real, ready)
    assert words in str(found.note())
    rows = found.table().rows
    assert rows[0][1] == real
    assert rows[2][1] == pytest.approx(max(0.0, real - ready))
    assert found.table().picture == "bars"


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["arrays", "parallel map"])
def test_times_both_inputs_and_leaves_the_training_as_it_was(pipeline):
    from workbench.training.input_pipeline import Feed

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(96, 20)).astype(np.float32), rng.integers(0, 3, 96)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(8), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(use_ema=True), loss)
    feed = Feed(x, y, TrainingSettings(input_pipeline=pipeline))
    feed.fit(model, epochs=1, callbacks=[])
    weights = model.get_weights()
    state = [variable.numpy() for variable in model.optimizer.variables]
    checks = []

    found = profile_input(
        model,
        lambda **arguments: feed.fit(model, **arguments),
        lambda **arguments: feed.fit_ready(model, **arguments),
        pipeline=pipeline,
        steps_per_call=1,
        check=lambda: checks.append(1),
    )
    assert found.real_ms > 0
    assert found.ready_ms > 0
    assert found.steps > 20
    assert len(checks) == 10
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    for before, variable in zip(state, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(before, variable.numpy())
