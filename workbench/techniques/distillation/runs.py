"""The trainings behind one distilled student: with and without its teacher, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.api.dataset import sample_count, select
from workbench.api.technique import Context
from workbench.api.text import Text, say
from workbench.graph.widths import WidthPlan
from workbench.jobs.curves import LiveCurve
from workbench.measure.scores import confusion_matrix, macro_f1
from workbench.plain.keras.copying import copy_weights
from workbench.techniques.distillation.parameters import DistillationParameters
from workbench.techniques.distillation.verdict import FurtherRun
from workbench.training import TrainingResult, train
from workbench.training.distilling import Teacher
from workbench.training.preserving import preserving_notes
from workbench.training.rebuilding import rebuilt

_SHARE = (0.05, 0.95)
_BATCH = 256


class Runs:
    """Trains the student with each seed, with its teacher and without.

    Args:
        keras: The module.
        parent: The model that the student is made from.
        plan: New widths, and layers that keep their weights.
        context: Data, reporter.
        parameters: Which student, how many seeds, and how it is trained.
        teacher: What it learns from.

    Attributes:
        seeds: In the order of the trainings.
        taught: Trainings with the teacher.
        alone: The same without; empty where nothing is compared.
        notes: What else the report says of the first one.
    """

    def __init__(
        self,
        keras: Any,
        parent: Any,
        plan: WidthPlan,
        context: Context,
        parameters: DistillationParameters,
        teacher: Teacher,
    ) -> None:
        self._keras, self._parent, self._plan = keras, parent, plan
        self._context, self._parameters, self._teacher = context, parameters, teacher
        self.seeds = [parameters.seed + number for number in range(parameters.compare_seeds or 1)]
        self.taught: list[TrainingResult] = []
        self.alone: list[TrainingResult] = []
        self.notes: tuple[Text, ...] = ()
        self._done = 0

    def run(self) -> Any:
        """Trains everything; gives the student that learned from the teacher with the first seed."""
        kept = None
        for seed in self.seeds:
            student, result = self._train(seed, self._teacher)
            kept = student if kept is None else kept
            self.taught.append(result)
            if self._parameters.compare_seeds:
                self.alone.append(self._train(seed, None)[1])
        return kept

    def about_teachers(self, names: Sequence[str]) -> list[Text]:
        """Validation F1 of each teacher, and a warning where they are no better than the student alone."""
        context = self._context
        labels = np.asarray(context.dataset.y("validation"))
        features = context.dataset.x("validation")
        notes, best = [], 0.0
        for name, model, from_logits in zip(
            names, self._teacher.models, self._teacher.from_logits, strict=True
        ):
            predicted = []
            for start in range(0, sample_count(features), _BATCH):
                context.report.check()
                scores = np.asarray(model(select(features, slice(start, start + _BATCH)), training=False))
                single = scores.shape[-1] == 1
                predicted.append(
                    (scores[:, 0] > (0.0 if from_logits else 0.5)).astype(int)
                    if single
                    else scores.argmax(-1)
                )
            matrix = confusion_matrix(labels, np.concatenate(predicted), len(context.dataset.info.classes))
            f1 = float(macro_f1(np.diag(matrix).astype(float), matrix.sum(1), matrix.sum(0)))
            best = max(best, f1)
            notes.append(say("Teacher {name}: validation F1 {f1}.", name=name, f1=f"{f1:.4f}"))
        own = [run.best.validation_f1 for run in self.alone]
        if own and best <= sum(own) / len(own):
            notes.append(
                say(
                    "The teacher is no better than the student is without it, so there is little to learn "
                    "from it. Train the teacher longer, or choose a better one."
                )
            )
        return notes

    def _train(self, seed: int, teacher: Teacher | None) -> tuple[Any, TrainingResult]:
        parameters = self._parameters.model_copy(update={"seed": seed})
        first, width = not self._done, (_SHARE[1] - _SHARE[0]) / self._parameters.runs
        start = _SHARE[0] + width * self._done
        self._done += 1
        context = self._context
        if not first:
            name = (
                say("Student without teacher, seed {seed}", seed=seed)
                if teacher is None
                else say("Student with teacher, seed {seed}", seed=seed)
            )
            curve = LiveCurve.WITHOUT_TEACHER if self._done == 2 else None
            context = replace(context, report=FurtherRun(context.report, name, curve))
        self._keras.utils.set_random_seed(seed)
        student = self._student()
        preserving = None
        if parameters.student == "this variant":
            from workbench.plain.keras.preserving import preserve

            preserving = preserve(student)
        result = train(
            student,
            context,
            parameters,
            from_logits=self._context.parent.description.from_logits,
            callbacks=() if preserving is None else (preserving,),
            share=(start, min(start + width, _SHARE[1])),
            teacher=teacher,
        )
        if preserving is not None:
            self.notes = self.notes or preserving_notes(preserving)
            preserving.release()
        return student, result

    def _student(self) -> Any:
        if self._parameters.student != "this variant":
            return rebuilt(self._parent, self._plan)
        # A model of its own: dropout has the seed of its run, not that of the file.
        student = self._keras.models.clone_model(self._parent)
        copy_weights(self._parent, student)
        return student
