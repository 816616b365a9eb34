"""How a training went: its curve, the epoch that was kept, and time-to-F1."""

from __future__ import annotations

from workbench.api.records import Record
from workbench.api.text import Text, say
from workbench.api.variant import Report, Skip, Table
from workbench.training.learning_rate import RateSweep
from workbench.training.profile import InputProfile

F1_LEVELS = (0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.5)
"""Levels of macro F1 that time-to-F1 is quoted for: the highest that was reached."""


class TrainingPoint(Record):
    """What was known at the end of one epoch.

    Attributes:
        epoch: From 1.
        seconds: Wall time of training so far, the passes over the validation split left out.
        samples: Training samples gone through so far, repetitions counted.
        training_loss: Mean over the epoch.
        training_accuracy: Mean over the epoch, 0 to 1.
        validation_loss: On the validation split.
        validation_f1: Macro F1 on the validation split, as scikit-learn defines it.
    """

    epoch: int
    seconds: float
    samples: int
    training_loss: float
    training_accuracy: float
    validation_loss: float
    validation_f1: float


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
    """

    points: tuple[TrainingPoint, ...]
    best_epoch: int
    seconds: float
    stopped: Text | None = None
    sweep: RateSweep | None = None
    profile: InputProfile | None = None
    skipped: tuple[Skip, ...] = ()

    @property
    def best(self) -> TrainingPoint:
        """The epoch whose weights were kept."""
        return self.points[self.best_epoch - 1]

    def time_to_f1(self, level: float) -> TrainingPoint | None:
        """The first epoch whose validation F1 was at least ``level``; None if none was."""
        return next((point for point in self.points if point.validation_f1 >= level), None)

    def notes(self) -> tuple[Text, ...]:
        """What a report says of it: the epoch kept, why it stopped, time-to-F1."""
        notes = [
            say(
                "Trained for {epochs} epochs in {seconds} s and kept epoch {best}: "
                "validation loss {loss}, validation F1 {f1}.",
                epochs=len(self.points),
                seconds=f"{self.seconds:.1f}",
                best=self.best_epoch,
                loss=f"{self.best.validation_loss:.4f}",
                f1=f"{self.best.validation_f1:.4f}",
            )
        ]
        if self.stopped is not None:
            notes.append(self.stopped)
        reached = next((level for level in F1_LEVELS if self.time_to_f1(level)), None)
        highest = max(self.points, key=lambda point: point.validation_f1)
        milestones = {highest.validation_f1: highest}
        if reached is not None and (first := self.time_to_f1(reached)) is not None:
            milestones = {reached: first, **milestones}
        notes += [
            say(
                "Time to F1: {level} on the validation split after {seconds} s of training "
                "({samples} samples, epoch {epoch}).",
                level=f"{level:.4g}",
                seconds=f"{point.seconds:.1f}",
                samples=f"{point.samples:,}",
                epoch=point.epoch,
            )
            for level, point in milestones.items()
        ]
        if self.sweep is not None:
            notes.append(self.sweep.note())
        if self.profile is not None:
            notes.append(self.profile.note())
        return tuple(notes)

    def report(self) -> Report:
        """All that a report says of it: its part of what the technique reports."""
        return Report(skipped=self.skipped, notes=self.notes(), tables=self.tables())

    def tables(self) -> tuple[Table, ...]:
        """The learning rates that were tried and the profile of the input, where there are any."""
        found = [item.table() for item in (self.sweep, self.profile) if item is not None]
        return tuple(found)
