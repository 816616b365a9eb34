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
from workbench.jobs.curves import LiveCurve, TaskCurves, curve_of_output, curves_of
from workbench.plain.measures import MEASURES
from workbench.training.objectives import ByOutput, Objectives, TrainedOutput
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
        objectives: What is learned. Of several outputs the loss is the weighted sum, and the other curves are
            of each.
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
        validation: tuple[Features, ByOutput],
        *,
        objectives: Objectives,
        epochs: int,
        batch_size: int,
        samples: int,
        guessing: float | None = None,
        weights: ByOutput | None = None,
        share: tuple[float, float],
    ) -> None:
        super().__init__()
        self.points: list[TrainingPoint] = []
        self.diverged: Text | None = None
        self._report = report
        self._features, self._labels = validation
        self._targets = objectives.targets(self._labels)
        self._weights = weights
        self._objectives = objectives
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
        loss, scores = self._over_validation_split()
        first = self._objectives.first.name
        self._validating = self.elapsed() - trained
        logs["val_loss"], logs["val_score"] = loss, scores[first]
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
            training_metric=logs.get(_metric_name(self._objectives.first), math.nan),
            validation_loss=loss,
            validation_score=scores[first],
            further={name: score for name, score in scores.items() if name != first},
        )
        self.points.append(point)
        if not self._seen:
            # Too short an epoch for a point of its own inside it.
            self._report.metric(LiveCurve.TRAINING_LOSS, epoch + 1, point.training_loss)
            for one, curves in self._curves():
                metric = logs.get(_metric_name(one), math.nan)
                self._report.metric(curve_of_output(curves.metric, one.name), epoch + 1, metric)
        self._report.metric(LiveCurve.VALIDATION_LOSS, epoch + 1, loss)
        for one, curves in self._curves():
            score = scores[one.name]
            self._report.metric(curve_of_output(curves.score, one.name), epoch + 1, score)
            self._report.metric(curve_of_output(curves.over_seconds, one.name), round(trained, 3), score)
        self._progress(epoch + 1)
        self._report.check()

    def _draw(self, batch: int) -> None:
        done = self._epoch + batch / self._steps
        values = self.model.get_metrics_result()
        drawn: list[tuple[str, str]] = [("loss", LiveCurve.TRAINING_LOSS)]
        drawn += [
            (_metric_name(one), curve_of_output(curves.metric, one.name)) for one, curves in self._curves()
        ]
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

    def _curves(self) -> list[tuple[TrainedOutput, TaskCurves]]:
        return [(one, curves_of(one.objective.task)) for one in self._objectives.outputs]

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

    def _over_validation_split(self) -> tuple[float, dict[str, float]]:
        """The loss, and the score of each output by name."""
        if self._validate is None:
            self._validate = self._compiled()
        outputs = self._objectives.outputs
        count = len(outputs[0].of(self._labels))
        total, answers = 0.0, {one.name: list[npt.NDArray[Any]]() for one in outputs}
        for start in range(0, count, self._batch_size):
            if perf_counter() - self._checked >= CHECK_SECONDS:
                self._checked = perf_counter()
                self._report.check()
            part = slice(start, min(start + self._batch_size, count))
            given = [_part(self._targets, part)]
            if self._weights is not None:
                given.append(_part(self._weights, part))
            found, loss = self._validate(select(self._features, part), *given)
            total += float(loss) * (part.stop - part.start)
            for one in outputs:
                measure = MEASURES[one.objective.task]
                read = measure.read(one.of(found).numpy(), one.objective.from_logits)
                answers[one.name].append(read)
        scores = {
            one.name: MEASURES[one.objective.task].rate(
                one.of(self._labels),
                np.concatenate(answers[one.name]),
                None if self._weights is None else one.of(self._weights).reshape(-1),
            )
            for one in outputs
        }
        return total / count, scores

    def _compiled(self) -> Any:
        model = self.model

        def over_batch(features: Any, labels: Any, weights: Any = None) -> tuple[Any, Any]:
            scores = model(features, training=False)
            return scores, model.compute_loss(features, labels, scores, weights, training=False)

        def spec(given: Any) -> Any:
            if isinstance(given, dict):
                return {name: spec(array) for name, array in given.items()}
            # A free batch axis: the smaller last batch must not be traced again.
            return tf.TensorSpec((None, *given.shape[1:]), given.dtype)

        signature = [spec(self._features), spec(self._targets)]
        if self._weights is not None:
            signature.append(spec(self._weights))
        return tf.function(over_batch, input_signature=signature, autograph=False)


def _metric_name(one: TrainedOutput) -> str:
    """What Keras calls the metric of an output in its logs."""
    name = one.objective.metric_name
    return f"{one.name}_{name}" if one.name else name


def _part(values: ByOutput, rows: slice) -> ByOutput:
    if isinstance(values, dict):
        return {name: array[rows] for name, array in values.items()}
    return values[rows]
