"""The same student with and without its teacher: what the seeds say."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.api.task import Task
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Table
from workbench.jobs.curves import LiveCurve, curve_of_output, curves_of
from workbench.measure.student_t import mean_interval
from workbench.plain.measures import MEASURES
from workbench.training import TrainingResult
from workbench.training.comparison import change_values, gains
from workbench.training.results import change_shown, measure_unit


def comparison_table(
    seeds: Sequence[int], taught: Sequence[TrainingResult], alone: Sequence[TrainingResult]
) -> Table:
    """The validation score of both for each seed, and the means."""
    measure = taught[0].measure
    ours = [result.best.validation_score for result in taught]
    plain = [result.best.validation_score for result in alone]

    def difference(mine: float, theirs: float) -> float:
        gain = MEASURES[taught[0].task].gain(theirs, mine)
        return round(change_shown(measure, gain), 2)

    rows = [
        (str(seed), round(mine, 4), round(theirs, 4), difference(mine, theirs))
        for seed, mine, theirs in zip(seeds, ours, plain, strict=True)
    ]
    mean, own = sum(ours) / len(ours), sum(plain) / len(plain)
    return Table(
        title=say("The same student with and without its teacher"),
        columns=(
            say("Seed"),
            say("Validation {measure} with teacher", measure=taught[0].title),
            say("Validation {measure} without", measure=taught[0].title),
            say("Difference, {unit}", unit=measure_unit(measure)),
        ),
        rows=(*rows, (say("mean"), round(mean, 4), round(own, 4), difference(mean, own))),
        note=say("Both start from the same weights and have the same epochs, batches and learning rate."),
    )


def verdict(taught: Sequence[TrainingResult], alone: Sequence[TrainingResult], *, new: bool) -> Text:
    """Whether the teacher was of use, from the paired differences of the validation score.

    Args:
        taught: Trainings with the teacher, in the order of their seeds.
        alone: The same without it.
        new: Whether the student started from new weights.
    """
    differences = gains(taught, alone)
    mean, low, high = mean_interval(differences)
    against = (
        say("the same student trained from scratch") if new else say("the same student trained on without it")
    )
    values = change_values(taught[0], (mean, low, high)) | {"against": against, "count": len(differences)}
    if len(differences) < 2:
        return say(
            "The student with its teacher is {mean} {unit} of validation {measure} from {against}, on one "
            "seed. Several seeds tell whether that is more than chance.",
            **values,
        )
    if low > 0:
        return say(
            "Distillation won: {mean} {unit} of validation {measure} [{low}, {high}] against {against} "
            "(mean and 95% interval over {count} seeds).",
            **values,
        )
    if high < 0:
        return say(
            "Distillation lost: {mean} {unit} of validation {measure} [{low}, {high}] against {against} "
            "(mean and 95% interval over {count} seeds). Train the student without a teacher.",
            **values,
        )
    return say(
        "No difference shown: {mean} {unit} of validation {measure} [{low}, {high}] against {against} "
        "(mean and 95% interval over {count} seeds).",
        **values,
    )


class FurtherRun:
    """Speaks for a training that is only compared with: one curve at most, under a name of its own.

    Args:
        report: The job's.
        name: What is trained.
        curve: The curve of the validation score; None draws none.
        task: Whose score it is.
        output: Of which of several outputs; empty where there is only one.
    """

    def __init__(
        self,
        report: Reporter,
        name: Text,
        curve: LiveCurve | None,
        task: Task = "classification",
        output: str = "",
    ) -> None:
        self._score = curve_of_output(curves_of(task).score, output)
        self._report = report
        self._name = name
        self._curve = None if curve is None else curve_of_output(curve, output)

    def stage(self, text: Text) -> None:
        """Says what is trained before what is done."""
        self._report.stage(say("{run}: {stage}", run=self._name, stage=text))

    def progress(self, fraction: float) -> None:
        """As it is."""
        self._report.progress(fraction)

    def metric(
        self, name: str, step: float, value: float, interval: tuple[float, float] | None = None
    ) -> None:
        """Only the validation score."""
        if self._curve is not None and name == self._score:
            self._report.metric(self._curve, step, value, interval)

    def table(self, table: Table) -> None:
        """As it is."""
        self._report.table(table)

    def log(self, text: Text) -> None:
        """As it is."""
        self._report.log(text)

    def check(self) -> None:
        """As it is."""
        self._report.check()
