"""What the settings of a training do to it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.test_loop import context, model
from workbench.api.errors import InvalidInput
from workbench.training import TrainingSettings, train

keras = pytest.importorskip("keras")


def trained(digits, recorder, **settings):
    network = model(dropout=0.0)
    result = train(network, context(digits, recorder), TrainingSettings(**settings), from_logits=True)
    return network, result


def same(first, second, tolerance=1e-5):
    for mine, theirs in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=tolerance)


def test_accumulated_batches_are_one_large_batch(digits, recorder):
    # 1257 training samples: three batches of 419 give the gradient of all.
    assert digits.info.counts["train"] == 1257
    given = {"optimizer": "SGD", "learning_rate": 0.1, "epochs": 4}
    small, _ = trained(digits, recorder, batch_size=419, accumulation=3, **given)
    large, _ = trained(digits, recorder, batch_size=1257, **given)
    same(small, large)


def test_several_steps_in_a_call_change_nothing(digits, recorder):
    one, first = trained(digits, recorder, epochs=2)
    many, second = trained(digits, recorder, epochs=2, steps_per_call=7)
    same(one, many)
    assert first.best.validation_loss == pytest.approx(second.best.validation_loss, rel=1e-4)


def test_the_kept_weights_are_the_average_that_was_judged(digits, recorder):
    class Trace(keras.callbacks.Callback):
        average = None

        def on_train_batch_end(self, batch, logs=None):
            weights = self.model.get_weights()
            before = weights if self.average is None else self.average
            self.average = [0.9 * old + 0.1 * new for old, new in zip(before, weights, strict=True)]

    trace = Trace()
    network = model(dropout=0.0)
    result = train(
        network,
        context(digits, recorder),
        TrainingSettings(ema=0.9, epochs=1, batch_size=64),
        from_logits=True,
        callbacks=[trace],
    )
    for kept, by_hand in zip(network.get_weights(), trace.average, strict=True):
        np.testing.assert_allclose(kept, by_hand, atol=1e-5)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    judged = float(loss(np.array(digits.y("validation")), network(np.array(digits.x("validation")))))
    assert judged == pytest.approx(result.best.validation_loss, rel=1e-4)


def test_early_stopping_keeps_an_average_too(digits, recorder):
    network, result = trained(digits, recorder, ema=0.5, epochs=40, patience=1, learning_rate=0.05)
    assert len(result.points) < 40
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    judged = float(loss(np.array(digits.y("validation")), network(np.array(digits.x("validation")))))
    assert judged == pytest.approx(result.best.validation_loss, rel=1e-3)


def test_xla(digits, recorder):
    plain, _ = trained(digits, recorder, epochs=1, batch_size=128)
    compiled, _ = trained(digits, recorder, epochs=1, batch_size=128, xla=True)
    same(plain, compiled, 1e-4)


def test_a_training_that_runs_away_is_stopped_with_the_last_good_weights(digits, recorder):
    class Push(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.set_weights([1e4 * weight for weight in self.model.get_weights()])

    network = model()
    result = train(
        network,
        context(digits, recorder),
        TrainingSettings(epochs=9),
        from_logits=True,
        callbacks=[Push()],
    )
    assert len(result.points) == 2
    assert "rose to" in str(result.stopped)
    assert "epoch 3" in str(result.stopped)
    assert max(np.abs(weight).max() for weight in network.get_weights()) < 10


def test_label_smoothing_makes_predictions_less_sure(digits, recorder):
    def surest(network):
        return float(keras.ops.softmax(network(np.array(digits.x("validation")))).numpy().max(-1).mean())

    plain, _ = trained(digits, recorder, epochs=3, learning_rate=0.01)
    smooth, result = trained(digits, recorder, epochs=3, learning_rate=0.01, label_smoothing=0.3)
    assert surest(smooth) < surest(plain) - 0.1
    assert result.best.validation_score > 0.7


def test_class_weights_lift_a_rare_class(tmp_path, recorder):
    from sklearn.datasets import load_digits

    from tests.digits import write_dataset

    x, y = load_digits(return_X_y=True)
    rare = np.nonzero(y == 8)[0]
    keep = np.setdiff1d(np.arange(len(y)), rare[20:])
    dataset = write_dataset(tmp_path / "rare", x[keep] / 16, (y[keep] == 8).astype(np.int64), 2)

    def found(class_weights):
        network = model(2, dropout=0.0)
        settings = TrainingSettings(class_weights=class_weights, epochs=4, patience=0)
        train(network, context(dataset, recorder), settings, from_logits=True)
        return int(network(np.array(dataset.x("train"))).numpy().argmax(-1).sum())

    assert found("balanced") > 2 * found("none")


def test_a_found_learning_rate_is_used_and_told(digits, recorder):
    _, result = trained(digits, recorder, find_learning_rate=True, epochs=2, optimizer="SGD")
    assert 0.005 < result.sweep.suggestion < 0.5
    assert result.best.validation_score > 0.6
    assert any("was found by trying" in str(note) for note in result.notes())
    assert [table.picture for table in result.tables()] == ["line"]


def test_unused_settings_are_told(digits, recorder):
    _, result = trained(digits, recorder, momentum=0.5, epochs=1)
    assert [skip.name for skip in result.skipped] == ["momentum"]


def test_refusals(digits, recorder):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for settings in ({"label_smoothing": 0.1}, {"mixup": 0.2}):
        with pytest.raises(InvalidInput, match="a loss of its own"):
            train(
                model(), context(digits, recorder), TrainingSettings(**settings), from_logits=True, loss=loss
            )
    with pytest.raises(InvalidInput, match="need pictures"):
        trained(digits, recorder, flip="horizontal")
