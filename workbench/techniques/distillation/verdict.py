"""The same student with and without its teacher: what the seeds say."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Table
from workbench.jobs.curves import LiveCurve
from workbench.measure.student_t import mean_interval
from workbench.training import TrainingResult


def comparison_table(
    seeds: Sequence[int], taught: Sequence[TrainingResult], alone: Sequence[TrainingResult]
) -> Table:
    """Validation F1 of both for each seed, and the means."""
    ours = [result.best.validation_f1 for result in taught]
    plain = [result.best.validation_f1 for result in alone]
    rows = [
        (str(seed), round(mine, 4), round(theirs, 4), round(100 * (mine - theirs), 2))
        for seed, mine, theirs in zip(seeds, ours, plain, strict=True)
    ]
    mean, own = sum(ours) / len(ours), sum(plain) / len(plain)
    return Table(
        title=say("The same student with and without its teacher"),
        columns=(
            say("Seed"),
            say("Validation F1 with teacher"),
            say("Validation F1 without"),
            say("Difference, points"),
        ),
        rows=(*rows, (say("mean"), round(mean, 4), round(own, 4), round(100 * (mean - own), 2))),
        note=say("Both start from the same weights and have the same epochs, batches and learning rate."),
    )


def verdict(taught: Sequence[TrainingResult], alone: Sequence[TrainingResult], *, new: bool) -> Text:
    """Whether the teacher was of use, from the paired differences of validation F1.

    Args:
        taught: Trainings with the teacher, in the order of their seeds.
        alone: The same without it.
        new: Whether the student started from new weights.
    """
    differences = [
        100 * (mine.best.validation_f1 - theirs.best.validation_f1)
        for mine, theirs in zip(taught, alone, strict=True)
    ]
    mean, low, high = mean_interval(differences)
    against = (
        say("the same student trained from scratch") if new else say("the same student trained on without it")
    )
    values: dict[str, Text | str | int] = {"mean": f"{mean:+.2f}", "against": against}
    if len(differences) < 2:
        return say(
            "The student with its teacher is {mean} points of validation F1 from {against}, on one seed. "
            "Several seeds tell whether that is more than chance.",
            **values,
        )
    values |= {"low": f"{low:+.2f}", "high": f"{high:+.2f}", "count": len(differences)}
    if low > 0:
        return say(
            "Distillation won: {mean} points of validation F1 [{low}, {high}] against {against} "
            "(mean and 95% interval over {count} seeds).",
            **values,
        )
    if high < 0:
        return say(
            "Distillation lost: {mean} points of validation F1 [{low}, {high}] against {against} "
            "(mean and 95% interval over {count} seeds). Train the student without a teacher.",
            **values,
        )
    return say(
        "No difference shown: {mean} points of validation F1 [{low}, {high}] against {against} "
        "(mean and 95% interval over {count} seeds).",
        **values,
    )


class FurtherRun:
    """Speaks for a training that is only compared with: one curve at most, under a name of its own.

    Args:
        report: The job's.
        name: What is trained.
        curve: The curve of validation F1; None draws none.
    """

    def __init__(self, report: Reporter, name: Text, curve: LiveCurve | None) -> None:
        self._report = report
        self._name = name
        self._curve = curve

    def stage(self, text: Text) -> None:
        """Says what is trained before what is done."""
        self._report.stage(say("{run}: {stage}", run=self._name, stage=text))

    def progress(self, fraction: float) -> None:
        """As it is."""
        self._report.progress(fraction)

    def metric(
        self, name: str, step: float, value: float, interval: tuple[float, float] | None = None
    ) -> None:
        """Only validation F1."""
        if self._curve is not None and name == LiveCurve.VALIDATION_F1:
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
