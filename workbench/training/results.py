"""How a training went: its curve, the epoch that was kept, and time-to-F1."""

from __future__ import annotations

from pydantic import Field

from workbench.api.number_format import digits
from workbench.api.records import Record
from workbench.api.task import Task, TaskMeasure, measure_of
from workbench.api.text import Text, say
from workbench.api.variant import Report, Skip, Table
from workbench.plain.keras.rate_sweep import RateSweep
from workbench.training.learning_rate import sweep_note, sweep_table
from workbench.training.profile import InputProfile

LEVELS = (0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.5)
"""Levels of macro F1, or another score, that the time to it is quoted for: the highest that was reached."""


class TrainingPoint(Record):
    """What was known at the end of one epoch.

    Attributes:
        epoch: From 1.
        seconds: Wall time of training so far, the passes over the validation split left out.
        samples: Training samples gone through so far, repetitions counted.
        training_loss: Mean over the epoch.
        training_metric: Mean over the epoch of the accuracy, 0 to 1; of the absolute error of numbers.
        validation_loss: On the validation split.
        validation_score: The task's measure on the validation split: macro F1 of a classification, as
            scikit-learn defines it. Of several outputs that of the first.
        further: The same of the others, by name.
    """

    epoch: int
    seconds: float
    samples: int
    training_loss: float
    training_metric: float
    validation_loss: float
    validation_score: float
    further: dict[str, float] = Field(default_factory=dict)


class TrainingResult(Record):
    """How a training went.

    Attributes:
        points: One for each epoch.
        best_epoch: The epoch whose weights were kept, from 1: the one of lowest validation loss.
        seconds: Wall time in all.
        stopped: Why it ended before the last epoch; None if it did not.
        sweep: The learning rates that were tried first; None if none were.
        profile: Whether the input or the model is the bottleneck; None if that was not asked.
        skipped: Settings that were given and had no effect.
        task: What was learned.
        output: Name of the output that stands for all; empty where there is only one.
        further: What else was learned: the task of each further output.
        added: What else is to be said: how several losses were added, of which classes scores are.
    """

    points: tuple[TrainingPoint, ...]
    best_epoch: int
    seconds: float
    stopped: Text | None = None
    sweep: RateSweep | None = None
    profile: InputProfile | None = None
    skipped: tuple[Skip, ...] = ()
    task: Task = "classification"
    output: str = ""
    further: dict[str, Task] = Field(default_factory=dict)
    added: tuple[Text, ...] = ()

    @property
    def measure(self) -> TaskMeasure:
        """The number that it is judged by."""
        return measure_of(self.task)

    @property
    def title(self) -> Text:
        """What that number is called; of several outputs with the one that it is of."""
        if not self.further:
            return self.measure.title
        return say("{measure} of {output}", measure=self.measure.title, output=self.output)

    @property
    def highest(self) -> TrainingPoint:
        """The first epoch of the best validation score, whether or not its weights were kept."""
        sign = 1 if self.measure.higher_is_better else -1
        return max(self.points, key=lambda point: sign * point.validation_score)

    @property
    def best(self) -> TrainingPoint:
        """The epoch whose weights were kept."""
        return self.points[self.best_epoch - 1]

    def time_to(self, level: float) -> TrainingPoint | None:
        """The first epoch whose validation score was at least ``level``; None if none was.

        An error has no levels that say something of any data.
        """
        if not self.measure.higher_is_better:
            return None
        return next((point for point in self.points if point.validation_score >= level), None)

    def notes(self) -> tuple[Text, ...]:
        """What a report says of it: the epoch kept, why it stopped, the time to its best score."""
        notes = [*((self._of_several(),) if self.further else self._of_one()), *self.added]
        if self.stopped is not None:
            notes.insert(1, self.stopped)
        if self.sweep is not None:
            notes.append(sweep_note(self.sweep))
        if self.profile is not None:
            notes.append(self.profile.note())
        return tuple(notes)

    def _of_one(self) -> tuple[Text, ...]:
        """The epoch that was kept, and the time to its best score."""
        measure = self.measure
        notes = [
            say(
                "Trained for {epochs} epochs in {seconds} s and kept epoch {best}: "
                "validation loss {loss}, validation {measure} {score}.",
                epochs=len(self.points),
                seconds=f"{self.seconds:.1f}",
                best=self.best_epoch,
                loss=written(measure, self.best.validation_loss),
                measure=measure.title,
                score=written(measure, self.best.validation_score),
            )
        ]
        reached = next((level for level in LEVELS if self.time_to(level)), None)
        milestones = {self.highest.validation_score: self.highest}
        if reached is not None and (first := self.time_to(reached)) is not None:
            milestones = {reached: first, **milestones}
        notes += [
            say(
                "Time to {measure}: {level} on the validation split after {seconds} s of training "
                "({samples} samples, epoch {epoch}).",
                measure=measure.title,
                level=f"{level:.4g}",
                seconds=f"{point.seconds:.1f}",
                samples=f"{point.samples:,}",
                epoch=point.epoch,
            )
            for level, point in milestones.items()
        ]
        return tuple(notes)

    def _of_several(self) -> Text:
        """The epoch that was kept, with the score of each output in it."""
        tasks, best = {self.output: self.task, **self.further}, self.best
        scores = {self.output: best.validation_score, **best.further}
        return say(
            "Trained for {epochs} epochs in {seconds} s and kept epoch {best}, the one of the lowest sum of "
            "the losses on the validation split, {loss}: {scores}.",
            epochs=len(self.points),
            seconds=f"{self.seconds:.1f}",
            best=self.best_epoch,
            loss=f"{best.validation_loss:.4f}",
            scores=tuple(
                say(
                    "{output}: validation {measure} {score}",
                    output=name,
                    measure=measure_of(task).title,
                    score=written(measure_of(task), scores[name]),
                )
                for name, task in tasks.items()
            ),
        )

    def report(self) -> Report:
        """All that a report says of it: its part of what the technique reports."""
        return Report(skipped=self.skipped, notes=self.notes(), tables=self.tables())

    def tables(self) -> tuple[Table, ...]:
        """The learning rates that were tried and the profile of the input, where there are any."""
        swept = () if self.sweep is None else (sweep_table(self.sweep),)
        return swept if self.profile is None else (*swept, self.profile.table())


def measure_unit(measure: TaskMeasure) -> Text:
    """The unit of a change of a measure: points of a score, per cent of an error."""
    return say("points") if measure.higher_is_better else say("%")


def change_column(measure: TaskMeasure | None) -> Text:
    """The head of a column of changes, as :func:`change_shown` gives them."""
    if measure is None:
        return say("Change of the output that loses most, points or %")
    return say("Change of {measure}, {unit}", measure=measure.title, unit=measure_unit(measure))


def change_shown(measure: TaskMeasure | None, gain: float) -> float:
    """A change in its unit, as the number itself has changed: an error that became larger has a plus.

    Args:
        measure: What has changed; None where it is that of several outputs which loses most, and minus is
            worse.
        gain: A fraction, above 0 where it has become better.
    """
    if measure is None:
        return 100 * gain
    return 100 * gain if measure.higher_is_better else -100 * gain


def written(measure: TaskMeasure, value: float) -> str:
    """A score, or a loss beside it, as reports have it: four places, or three digits where it has a unit."""
    return f"{value:.4f}" if measure.higher_is_better else digits(value)
