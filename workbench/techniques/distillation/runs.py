"""The trainings behind one distilled student: with and without its teacher, seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.api.dataset import sample_count, select
from workbench.api.task import measure_of
from workbench.api.technique import Context
from workbench.api.text import Text, say
from workbench.graph.widths import WidthPlan
from workbench.jobs.curves import curves_of
from workbench.plain.keras.copying import copy_weights
from workbench.plain.measures import MEASURES
from workbench.techniques.distillation.parameters import DistillationParameters
from workbench.techniques.distillation.verdict import FurtherRun
from workbench.training import TrainingResult, train
from workbench.training.distilling import Teacher
from workbench.training.objectives import Objectives
from workbench.training.output_start import start_output
from workbench.training.preserving import preserving_notes
from workbench.training.rebuilding import rebuilt
from workbench.training.results import written

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
        seeds = parameters.compare_seeds if context.parent.description.task != "agreement" else 1
        self.seeds = [parameters.seed + number for number in range(seeds or 1)]
        self.taught: list[TrainingResult] = []
        self.alone: list[TrainingResult] = []
        self.notes: tuple[Text, ...] = ()
        self._done = 0
        # Without labels a student learns from its teacher or not at all.
        self._compared = bool(parameters.compare_seeds) and context.parent.description.task != "agreement"
        self._count = len(self.seeds) * (2 if self._compared else 1)

    def run(self) -> Any:
        """Trains everything; gives the student that learned from the teacher with the first seed."""
        kept = None
        for seed in self.seeds:
            student, result = self._train(seed, self._teacher)
            kept = student if kept is None else kept
            self.taught.append(result)
            if self._compared:
                self.alone.append(self._train(seed, None)[1])
        return kept

    def about_teachers(self, names: Sequence[str]) -> list[Text]:
        """The validation score of each teacher; a warning where they are no better than the student alone."""
        context = self._context
        task = context.parent.description.task
        if task == "agreement":
            return []  # it is what is learned
        measure, notes, scores = MEASURES[task], [], []
        objectives = Objectives.of(context.parent.description)
        for name, model, raw in zip(names, self._teacher.models, self._teacher.from_logits, strict=True):
            found = self._scores(model, raw, objectives)
            scores.append(found[objectives.first.name])
            for one in objectives.outputs:
                shown = measure_of(one.objective.task)
                note = say(
                    "Teacher {name}: validation {measure} {score}.",
                    name=name,
                    measure=shown.title,
                    score=written(shown, found[one.name]),
                )
                notes.append(say("{output}: {note}", output=one.name, note=note) if one.name else note)
        own = [run.best.validation_score for run in self.alone] if not objectives.names else []
        if own and all(measure.gain(sum(own) / len(own), score) <= 0 for score in scores):
            notes.append(
                say(
                    "The teacher is no better than the student is without it, so there is little to learn "
                    "from it. Train the teacher longer, or choose a better one."
                )
            )
        return notes

    def _scores(
        self, model: Any, from_logits: bool | Mapping[str, bool], objectives: Objectives
    ) -> dict[str, float]:
        """The validation score of each output of a teacher, by name."""
        context, features = self._context, self._context.dataset.x("validation")
        order = sorted(objectives.names) or [""]
        answers: dict[str, list[Any]] = {name: [] for name in order}
        for start in range(0, sample_count(features), _BATCH):
            context.report.check()
            given = model(select(features, slice(start, start + _BATCH)), training=False)
            for name, output in zip(order, self._keras.tree.flatten(given), strict=True):
                answers[name].append(np.asarray(output))
        found = {}
        for one in objectives.outputs:
            data = context.dataset.of(one.further)
            found[one.name] = MEASURES[one.objective.task].of(
                np.concatenate(answers[one.name]),
                np.asarray(data.y("validation")),
                from_logits=from_logits if isinstance(from_logits, bool) else from_logits[one.name],
                weights=data.weights("validation"),
            )
        return found

    def _train(self, seed: int, teacher: Teacher | None) -> tuple[Any, TrainingResult]:
        parameters = self._parameters.model_copy(update={"seed": seed})
        first, width = not self._done, (_SHARE[1] - _SHARE[0]) / self._count
        start = _SHARE[0] + width * self._done
        self._done += 1
        context = self._context
        if not first:
            name = (
                say("Student without teacher, seed {seed}", seed=seed)
                if teacher is None
                else say("Student with teacher, seed {seed}", seed=seed)
            )
            task = context.parent.description.task
            curve = curves_of(task).alone if self._done == 2 else None
            output = self.taught[0].output
            context = replace(context, report=FurtherRun(context.report, name, curve, task, output))
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
            student = rebuilt(self._parent, self._plan)
            self.notes = start_output(student, self._context)
            return student
        # A model of its own: dropout has the seed of its run, not that of the file.
        student = self._keras.models.clone_model(self._parent)
        copy_weights(self._parent, student)
        return student
