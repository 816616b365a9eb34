from __future__ import annotations

import numpy as np
import pytest

from workbench.api.errors import Cancelled, JobFailed
from workbench.plain.keras.rate_sweep import RateSweep
from workbench.training.learning_rate import sweep_learning_rate, sweep_note, sweep_table

keras = pytest.importorskip("keras")

RATES = np.geomspace(1e-6, 1.0, 100)


def test_a_tenth_of_the_rate_where_the_loss_is_lowest():
    valley = (np.log10(RATES) + 2) ** 2  # lowest at 0.01
    noisy = valley + 0.2 * np.random.default_rng(0).normal(size=100)
    assert RateSweep(tuple(RATES), tuple(valley)).suggestion == pytest.approx(1e-3, rel=0.1)
    assert RateSweep(tuple(RATES), tuple(noisy)).suggestion == pytest.approx(1e-3, rel=0.7)


def test_smoothing_takes_the_mean_of_what_there_is():
    values = np.arange(12.0) ** 2
    got = RateSweep(tuple(RATES[:12]), tuple(values)).smoothed
    assert got[6] == pytest.approx(values[2:11].mean())
    assert got[0] == pytest.approx(values[:5].mean())
    assert got[-1] == pytest.approx(values[-5:].mean())


def test_the_curve_is_a_table_with_a_line():
    sweep = RateSweep(rates=(0.1, 0.2), losses=(2.0, 1.0))
    table = sweep_table(sweep)
    assert table.picture == "line"
    assert [row[0] for row in table.rows] == [0.1, 0.2]
    assert "0.02" in str(table.note)
    assert "0.02" in str(sweep_note(sweep))


class TestSweep:
    @staticmethod
    def sweep(recorder, samples=200, seed=1, poison=False):
        rng = np.random.default_rng(0)
        y = rng.integers(0, 3, samples)
        x = (np.eye(3)[y] + 0.3 * rng.normal(size=(samples, 3))).astype(np.float32)
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [keras.Input((3,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3)]
        )
        if poison:
            model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
        before = model.get_weights()

        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        found = sweep_learning_rate(model, x, y, batch_size=32, seed=seed, report=recorder)
        return found, before, model.get_weights()

    def test_finds_a_rate_and_puts_the_weights_back(self, recorder):
        found, before, after = self.sweep(recorder)
        for old, new in zip(before, after, strict=True):
            np.testing.assert_array_equal(old, new)
        assert 1e-3 <= found.suggestion <= 0.1
        assert len(found.rates) == len(found.losses) <= 100
        assert found.losses[0] > min(found.losses)
        assert found == self.sweep(recorder)[0]
        assert any("learning rate" in stage for stage in recorder.stages)

    def test_fewer_samples_than_a_batch(self, recorder):
        assert self.sweep(recorder, samples=10)[0].suggestion > 0

    def test_a_loss_that_is_never_finite_is_an_error(self, recorder):
        with pytest.raises(JobFailed, match="even at the learning rate 1e-06"):
            self.sweep(recorder, poison=True)

    def test_cancel(self, recorder):
        recorder.cancel_at = 3
        with pytest.raises(Cancelled):
            self.sweep(recorder)
        assert recorder.checks == 3
