"""The Keras callback that makes a training visible and stoppable. Importing it imports Keras."""

from __future__ import annotations

import math
from time import perf_counter
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from workbench.api.dataset import Features, select
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.jobs.curves import LiveCurve, curves_of
from workbench.plain.measures import MEASURES
from workbench.training.losses import Objective
from workbench.training.results import TrainingPoint

CURVE_SECONDS = 0.25
"""Shortest time between two points of a curve within an epoch."""
RAN_AWAY = 10
"""How many times the loss of guessing means that a training diverged, if it was lower before."""
CHECK_SECONDS = 0.1
"""Shortest time between two looks at whether the job was cancelled."""


class Live(keras.callbacks.Callback):
    """Reports curves and progress, raises on cancellation, stops when the loss is not finite.

    It hooks the *begin* of a step and reads the metrics' state only when a point is due: a callback
    with ``on_train_batch_end`` would make Keras wait for each step's metrics. It goes through the
    validation split itself, once, for loss and score together, and puts ``val_loss`` into the epoch's
    logs, where Keras's own callbacks look for it.

    Args:
        report: Where to.
        validation: Features and labels of the validation split.
        objective: What is learned.
        epochs: Epochs at most.
        batch_size: Samples in a step.
        samples: Training samples.
        guessing: The loss of a model that guesses; None where the loss has no such mark.
        weights: How much each sample of the validation split counts, with an axis for each axis of the loss;
            once if None.
        share: The part of the job's progress that this training is.
    """

    def __init__(
        self,
        report: Reporter,
        validation: tuple[Features, npt.NDArray[Any]],
        *,
        objective: Objective,
        epochs: int,
        batch_size: int,
        samples: int,
        guessing: float | None = None,
        weights: npt.NDArray[np.float32] | None = None,
        share: tuple[float, float],
    ) -> None:
        super().__init__()
        self.points: list[TrainingPoint] = []
        self.diverged: Text | None = None
        self._report = report
        self._features, self._labels = validation
        self._targets = objective.targets(self._labels)
        self._weights = weights
        self._objective = objective
        self._measure = MEASURES[objective.task]
        self._curves = curves_of(objective.task)
        self._guessing = guessing
        self._epochs = epochs
        self._batch_size = batch_size
        self._samples = samples
        self._steps = math.ceil(samples / batch_size)
        self._share = share
        self._epoch = 0
        self._start = self._checked = self._drawn = 0.0
        self._validating = 0.0
        self._seen: dict[str, tuple[int, float]] = {}
        self._validate: Any = None

    def elapsed(self) -> float:
        """Seconds since training began."""
        return perf_counter() - self._start

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._start = self._checked = self._drawn = perf_counter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Says which epoch runs."""
        self._epoch = epoch
        self._seen = {}
        self._report.stage(say("Training: epoch {epoch} of {epochs}", epoch=epoch + 1, epochs=self._epochs))

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks for cancellation and draws, at most a few times a second."""
        now = perf_counter()
        if now - self._checked < CHECK_SECONDS:
            return
        self._checked = now
        self._report.check()
        if now - self._drawn >= CURVE_SECONDS and batch:
            self._drawn = now
            self._draw(batch)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Validates and records the epoch."""
        logs = {} if logs is None else logs
        if self.diverged is not None:
            logs["val_loss"] = math.nan
            return
        trained = self.elapsed() - self._validating
        loss, score = self._over_validation_split()
        self._validating = self.elapsed() - trained
        logs["val_loss"], logs["val_score"] = loss, score
        if not (math.isfinite(logs["loss"]) and math.isfinite(loss)):
            self._stop(epoch + 1)
            return
        if self._ran_away(logs["loss"]):
            logs["val_loss"] = math.nan  # such an epoch is never the best
            self._stop(epoch + 1, logs["loss"])
            return
        point = TrainingPoint(
            epoch=epoch + 1,
            seconds=trained,
            samples=(epoch + 1) * self._samples,
            training_loss=logs["loss"],
            training_metric=logs.get(self._objective.metric_name, math.nan),
            validation_loss=loss,
            validation_score=score,
        )
        self.points.append(point)
        if not self._seen:
            # Too short an epoch for a point of its own inside it.
            self._report.metric(LiveCurve.TRAINING_LOSS, epoch + 1, point.training_loss)
            self._report.metric(self._curves.metric, epoch + 1, point.training_metric)
        self._report.metric(LiveCurve.VALIDATION_LOSS, epoch + 1, loss)
        self._report.metric(self._curves.score, epoch + 1, score)
        self._report.metric(self._curves.over_seconds, round(trained, 3), score)
        self._progress(epoch + 1)
        self._report.check()

    def _draw(self, batch: int) -> None:
        done = self._epoch + batch / self._steps
        values = self.model.get_metrics_result()
        drawn = (("loss", LiveCurve.TRAINING_LOSS), (self._objective.metric_name, self._curves.metric))
        for name, curve in drawn:
            mean = float(values[name])
            # Keras gives the mean since the epoch's first step; a curve wants that of the last steps.
            count, before = self._seen.get(name, (0, 0.0))
            recent = (mean * batch - before * count) / (batch - count)
            self._seen[name] = (batch, mean)
            if not math.isfinite(mean):
                self._stop(self._epoch + 1)
                return
            self._report.metric(curve, done, recent)
        self._progress(done)

    def _progress(self, epochs: float) -> None:
        low, high = self._share
        self._report.progress(low + (high - low) * epochs / self._epochs)

    def _ran_away(self, loss: float) -> bool:
        # Not in the first epoch: with inputs that are not scaled a training can begin like this and recover.
        if self._guessing is None or not self.points:
            return False
        lowest = min(point.training_loss for point in self.points)
        return loss > RAN_AWAY * max(self._guessing, lowest)

    def _stop(self, epoch: int, loss: float | None = None) -> None:
        if loss is not None:
            self.diverged = say(
                "The training loss rose to {loss} in epoch {epoch}, more than {times} times that of "
                "guessing: training diverged. The weights of the best epoch before it were kept.",
                loss=f"{loss:.3g}",
                epoch=epoch,
                times=RAN_AWAY,
            )
        else:
            self.diverged = self._not_finite(epoch)
        self._report.log(self.diverged)
        self.model.stop_training = True

    def _not_finite(self, epoch: int) -> Text:
        return (
            say(
                "The loss became infinite or not a number in epoch {epoch}: training diverged. "
                "The weights of the best epoch before it were kept.",
                epoch=epoch,
            )
            if self.points
            else say("The loss became infinite or not a number in the first epoch: training diverged.")
        )

    def _over_validation_split(self) -> tuple[float, float]:
        if self._validate is None:
            self._validate = self._compiled()
        total, answers = 0.0, []
        for start in range(0, len(self._labels), self._batch_size):
            if perf_counter() - self._checked >= CHECK_SECONDS:
                self._checked = perf_counter()
                self._report.check()
            part = slice(start, start + self._batch_size)
            targets = self._targets[part]
            counted = () if self._weights is None else (self._weights[part],)
            scores, loss = self._validate(select(self._features, part), targets, *counted)
            total += float(loss) * len(targets)
            answers.append(self._measure.read(scores.numpy(), self._objective.from_logits))
        return total / len(self._labels), self._measure.rate(
            self._labels,
            np.concatenate(answers),
            None if self._weights is None else self._weights.reshape(-1),
        )

    def _compiled(self) -> Any:
        model = self.model

        def over_batch(features: Any, labels: Any, weights: Any = None) -> tuple[Any, Any]:
            scores = model(features, training=False)
            return scores, model.compute_loss(features, labels, scores, weights, training=False)

        def spec(array: npt.NDArray[Any]) -> tf.TensorSpec:
            return tf.TensorSpec((None, *array.shape[1:]), array.dtype)

        features = (
            {name: spec(array) for name, array in self._features.items()}
            if isinstance(self._features, dict)
            else spec(self._features)
        )
        # A free batch axis: the smaller last batch must not be traced again.
        signature: tuple[Any, ...] = (features, spec(self._targets))
        if self._weights is not None:
            signature = (*signature, spec(self._weights))
        return tf.function(over_batch, input_signature=signature, autograph=False)
