from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from workbench.api import dataset as dataset_module
from workbench.api.dataset import Dataset
from workbench.api.errors import Cancelled, InvalidInput, JobFailed
from workbench.api.technique import Context
from workbench.api.variant import ModelDescription, TensorSpec, Variant
from workbench.data.prepare import prepare
from workbench.training import TrainingParameters, TrainingPoint, TrainingResult, train, training_obstacle

keras = pytest.importorskip("keras")


def variant(outputs: tuple[tuple[int, ...], ...] = ((10,),), kind: str = "keras") -> Variant:
    return Variant(
        id="1",
        name="baseline",
        format=kind,
        path=Path("model.keras"),
        sha256="",
        runtime="keras.function",
        description=ModelDescription(
            inputs=(TensorSpec(name="x", shape=(64,)),),
            outputs=tuple(TensorSpec(name="y", shape=shape) for shape in outputs),
        ),
        created=datetime.now(UTC),
    )


def context(dataset: Dataset, reporter: object) -> Context:
    return Context(parent=variant(), dataset=dataset, folder=Path(), report=reporter, seed=0)


def model(units: int = 10, activation: str | None = None, dropout: float = 0.2) -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(units, activation=activation),
        ]
    )


class TestTrain:
    def test_equals_a_plain_keras_script_exactly(self, digits, recorder):
        parameters = TrainingParameters(epochs=4, batch_size=64, patience=2, seed=3)
        plain = model()
        plain.compile(
            keras.optimizers.Adam(1e-3),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        keras.utils.set_random_seed(3)
        history = plain.fit(
            np.array(digits.x("train")),
            np.array(digits.y("train")),
            batch_size=64,
            epochs=4,
            validation_data=(np.array(digits.x("validation")), np.array(digits.y("validation"))),
            callbacks=[keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)],
            verbose=0,
        ).history

        ours = model()
        result = train(ours, context(digits, recorder), parameters, from_logits=True)

        for mine, theirs in zip(ours.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose([p.training_loss for p in result.points], history["loss"], rtol=1e-4)
        np.testing.assert_allclose([p.validation_loss for p in result.points], history["val_loss"], rtol=1e-4)
        np.testing.assert_allclose([p.training_metric for p in result.points], history["accuracy"], rtol=1e-4)

    def test_of_samples_that_stay_on_the_disk_is_the_same_to_the_last_bit(
        self, digits, tmp_path, recorder, monkeypatch
    ):
        pixels = (np.asarray(digits.x("train")) * 15).astype(np.uint8)
        data = prepare((pixels, np.asarray(digits.y("train"))), tmp_path / "d", scaling="standardize")
        trained = []
        for large in (10**9, 0):
            monkeypatch.setattr(dataset_module, "LARGE_BYTES", large)
            assert dataset_module.is_large(data.x("train")) == (large == 0)
            ours = model()
            parameters = TrainingParameters(epochs=2, batch_size=64, seed=3)
            result = train(ours, context(data, recorder), parameters, from_logits=True)
            trained.append([*ours.get_weights(), [point.validation_score for point in result.points]])
        for held, by_rows in zip(*trained, strict=True):
            np.testing.assert_array_equal(held, by_rows)

    def test_reports_curves_progress_and_time_to_a_score(self, digits, recorder):
        from sklearn.metrics import f1_score

        network = model()
        result = train(
            network, context(digits, recorder), TrainingParameters(epochs=5, batch_size=32), from_logits=True
        )

        assert {
            "training loss",
            "training accuracy",
            "validation loss",
            "validation F1",
            "validation F1 over seconds",
        } == set(recorder.curves)
        assert [step for step, _ in recorder.curves["validation F1"]] == [1, 2, 3, 4, 5]
        assert recorder.curves["training loss"][-1][1] < recorder.curves["training loss"][0][1]
        assert recorder.fractions == sorted(recorder.fractions)
        assert recorder.fractions[-1] == 1.0
        assert "epoch 5 of 5" in recorder.stages[-1]
        seconds = [point.seconds for point in result.points]
        assert seconds == sorted(seconds)
        assert seconds[-1] <= result.seconds
        assert result.points[1].samples == 2 * digits.info.counts["train"]
        predicted = network(np.array(digits.x("validation"))).numpy().argmax(-1)
        truth = f1_score(digits.y("validation"), predicted, average="macro")
        assert result.best.validation_score == pytest.approx(truth)
        assert any("Time to F1" in str(note) for note in result.notes())

    @pytest.mark.parametrize("activation", [None, "sigmoid"])
    def test_one_output_is_a_binary_classifier(self, odd_digits, recorder, activation):
        network = model(1, activation)
        result = train(
            network,
            context(odd_digits, recorder),
            TrainingParameters(epochs=6, batch_size=32),
            from_logits=activation is None,
        )
        scores = network(np.array(odd_digits.x("validation"))).numpy()[:, 0]
        right = ((scores > (0.0 if activation is None else 0.5)) == odd_digits.y("validation")).mean()
        assert right > 0.85
        assert result.best.training_metric > 0.8
        assert result.best.validation_score == pytest.approx(right, abs=0.02)

    def test_probabilities_train_as_well_as_logits(self, digits, recorder):
        result = train(
            model(10, "softmax"), context(digits, recorder), TrainingParameters(epochs=6), from_logits=False
        )
        assert result.best.validation_score > 0.85

    def test_keeps_the_best_epoch_and_stops_early(self, digits, recorder):
        network = model(dropout=0.0)
        result = train(
            network,
            context(digits, recorder),
            TrainingParameters(epochs=60, batch_size=16, learning_rate=0.03, patience=2),
            from_logits=True,
        )
        losses = [point.validation_loss for point in result.points]
        assert len(losses) < 60
        assert result.best_epoch == 1 + int(np.argmin(losses))
        assert result.best_epoch == len(losses) - 2
        assert "Stopped early" in str(result.stopped)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        kept = float(loss(np.array(digits.y("validation")), network(np.array(digits.x("validation")))))
        assert kept == pytest.approx(min(losses), rel=1e-4)

    def test_divergence_in_the_first_epoch_is_an_error_with_an_action(self, digits, recorder):
        network = model()
        weights = [np.full_like(w, np.inf) for w in network.get_weights()]
        network.set_weights(weights)
        with pytest.raises(JobFailed, match=r"diverged.*Lower the learning rate \(it was 0.001\)"):
            train(network, context(digits, recorder), TrainingParameters(epochs=3), from_logits=True)

    def test_divergence_later_keeps_the_last_good_weights(self, digits, recorder):
        class Poison(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == 2:
                    self.model.set_weights([np.full_like(w, np.nan) for w in self.model.get_weights()])

        network = model()
        result = train(
            network,
            context(digits, recorder),
            TrainingParameters(epochs=9),
            from_logits=True,
            callbacks=[Poison()],
        )
        assert len(result.points) == 2
        assert "epoch 3" in str(result.stopped)
        assert all(np.isfinite(weight).all() for weight in network.get_weights())
        assert any("diverged" in line for line in recorder.lines)

    def test_epochs_in_which_the_model_still_changes_are_not_kept(self, digits, recorder):
        class NewWeights(keras.callbacks.Callback):
            def __init__(self, value):
                super().__init__()
                self.value = value

            def on_epoch_begin(self, epoch, logs=None):
                if epoch == 2:
                    self.model.set_weights([self.value * w for w in model().get_weights()])

        parameters = TrainingParameters(epochs=6, batch_size=64, patience=1, learning_rate=3e-3)
        given = {"from_logits": True, "callbacks": [NewWeights(1.0)]}
        early = train(model(), context(digits, recorder), parameters, **given)
        late = train(model(), context(digits, recorder), parameters, **given, judged_from=2)
        assert (early.best_epoch, len(early.points)) == (2, 3)
        assert late.best_epoch > 2
        with pytest.raises(JobFailed, match="epoch 3, before the first one that could be kept"):
            train(
                model(),
                context(digits, recorder),
                parameters,
                from_logits=True,
                callbacks=[NewWeights(np.nan)],
                judged_from=3,
            )

    def test_cancel_ends_it(self, digits, recorder):
        recorder.cancel_at = 2
        with pytest.raises(Cancelled):
            train(model(), context(digits, recorder), TrainingParameters(epochs=1000), from_logits=True)
        assert recorder.checks == 2

    def test_labels_beyond_the_output_are_refused(self, digits, recorder):
        with pytest.raises(InvalidInput, match=r"labels go up to 9.*has 5 values"):
            train(model(5), context(digits, recorder), TrainingParameters(), from_logits=True)

    def test_share_of_the_progress(self, digits, recorder):
        train(
            model(),
            context(digits, recorder),
            TrainingParameters(epochs=2),
            from_logits=True,
            share=(0.25, 0.75),
        )
        assert min(recorder.fractions) >= 0.25
        assert recorder.fractions[-1] == 0.75


class TestResult:
    @staticmethod
    def result(*scores: float) -> TrainingResult:
        points = tuple(
            TrainingPoint(
                epoch=number,
                seconds=2.0 * number,
                samples=100 * number,
                training_loss=1.0,
                training_metric=0.5,
                validation_loss=1 / number,
                validation_score=score,
            )
            for number, score in enumerate(scores, 1)
        )
        return TrainingResult(points=points, best_epoch=len(points), seconds=9.0)

    def test_time_to_f1_is_the_first_epoch_at_or_above(self):
        result = self.result(0.4, 0.91, 0.93, 0.92)
        assert result.time_to(0.9).epoch == 2
        assert result.time_to(0.93).seconds == 6.0
        assert result.time_to(0.95) is None
        lines = [str(note) for note in result.notes()]
        assert (
            "Time to F1: 0.9 on the validation split after 4.0 s of training (200 samples, epoch 2)." in lines
        )
        assert (
            "Time to F1: 0.93 on the validation split after 6.0 s of training (300 samples, epoch 3)."
            in lines
        )

    def test_below_every_level_only_the_highest_is_told(self):
        assert sum("Time to F1" in str(note) for note in self.result(0.1, 0.2).notes()) == 1


class TestObstacle:
    def test_none_for_a_classifier_of_the_classes(self, digits, odd_digits):
        assert training_obstacle(variant(), digits.info) is None
        assert training_obstacle(variant(((1,),)), odd_digits.info) is None
        assert training_obstacle(variant(((2,),)), odd_digits.info) is None

    def test_reasons(self, digits):
        assert "starts from Keras" in str(training_obstacle(variant(kind="tflite"), digits.info))
        assert "labels for each output" in str(training_obstacle(variant(((10,), (1,))), digits.info))
        assert "10 classes" in str(training_obstacle(variant(((1,),)), digits.info))
        assert "10 classes" in str(training_obstacle(variant(((12,),)), digits.info))
