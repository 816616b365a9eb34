"""What a student learns from besides the labels: scores and features of trained models.

Importing this file does not import Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Features, sample_count, select
from workbench.api.errors import InvalidInput, Refused
from workbench.api.task import Task
from workbench.api.technique import Reporter
from workbench.api.text import say
from workbench.api.variant import ModelDescription
from workbench.training.hints import Hint
from workbench.training.objectives import Objectives, output_names

if TYPE_CHECKING:
    import keras

    from workbench.plain.keras.distillation import Answers

HintLoss = Literal["features", "attention"]

MOST_CACHED_BYTES = 256_000_000
"""What teachers say about the training split is kept in memory up to this size, and asked anew otherwise."""


ANSWERS: dict[Task, Answers] = {
    "classification": "classes",
    "per position": "classes",
    "multi-label": "labels",
    "regression": "numbers",
    "agreement": "numbers",
}
"""What an output is to those who learn from it, by task."""


@dataclass(frozen=True)
class Teacher:
    """Trained models that a student learns from; give it to :func:`workbench.training.train`.

    How they are learned from is in :mod:`workbench.plain.keras.distillation`.

    Attributes:
        models: Trained Keras models with the student's outputs, as :func:`teaching` gives them; not changed.
        from_logits: Whether the output of each is raw scores; of several outputs by name, as :func:`meanings`
            gives it.
        temperature: Divides the raw scores before softmax; above 1 it lets small scores be seen.
        weight: Weight of the teachers' scores, 0 to 1; at 1 the labels are not used.
        hints: Pairs of layers; the teacher's are those of the first model.
        hint_weight: Weight of the mean hint loss; 0 leaves hints out.
        hint_loss: As of :class:`workbench.plain.keras.hidden_layers.Hints`.
    """

    models: Sequence[keras.Model]
    from_logits: Sequence[bool | Mapping[str, bool]]
    temperature: float = 4.0
    weight: float = 0.5
    hints: Sequence[Hint] = ()
    hint_weight: float = 1.0
    hint_loss: HintLoss = "features"

    def attach(
        self,
        student: keras.Model,
        features: Features,
        *,
        objectives: Objectives,
        report: Reporter,
        batch_size: int,
        seed: int,
        changing: bool = False,
    ) -> tuple[keras.Model, Features]:
        """The model to compile and fit in place of the student, and the samples to fit it on.

        Training it trains the student, whose weights it shares; called on plain samples it gives the
        student's output, and its loss outside of training is that of the labels alone.

        Args:
            student: A built Keras model, as :meth:`Objectives.fitted` gives it.
            features: The training samples.
            objectives: What is learned.
            report: Asked whether the job was cancelled while the teachers' scores are computed.
            batch_size: Samples that a teacher is asked about at once.
            seed: Seeds the projections of hints.
            changing: Whether samples change from epoch to epoch (augmentation): the teachers are then
                asked about each batch as the student sees it, else once about each sample.

        Raises:
            workbench.api.errors.Refused: If a teacher's output does not fit the student's, or a layer of a
                hint cannot be read.
        """
        from workbench.plain.keras.distillation import DistilledModel, Teachers
        from workbench.plain.keras.hidden_layers import Hints

        if not self.models:
            raise Refused(say("There is no teacher."))
        for model in self.models:
            self._require_fit(model, objectives)
        hints = None
        if self.hints and self.hint_weight:
            self._require_layers(student)
            pairs = [(hint.student, hint.teacher) for hint in self.hints]
            hints = Hints(
                student,
                self.models[0],
                pairs,
                features,
                loss=self.hint_loss,
                weight=self.hint_weight,
                seed=seed,
            )
        teachers = Teachers(
            self.models,
            from_logits=self.from_logits,
            temperature=self.temperature,
            hints=hints,
            answers=answers_of(objectives),
        )
        own = {one.name: one.objective.from_logits for one in objectives.outputs}
        fitted = DistilledModel(student, teachers, from_logits=own.get("", own), weight=self.weight)
        bytes_of_sample = sum(item.numpy().nbytes for item in teachers(select(features, slice(0, 1))))
        if changing or sample_count(features) * bytes_of_sample > MOST_CACHED_BYTES:
            return fitted, features
        report.stage(say("Asking the teacher about the training samples"))
        return fitted, teachers.beside(features, max(batch_size, 64), report.check)

    def answers(self, features: Features, check: Callable[[], None]) -> npt.NDArray[np.float32]:
        """What the teachers give for samples, to be learned in place of labels.

        Args:
            features: The samples.
            check: Called before each batch.
        """
        from workbench.plain.keras.distillation import Teachers

        asked = Teachers(self.models, from_logits=self.from_logits, answers="numbers")
        return asked.numbers(features, check=check)

    @staticmethod
    def _require_fit(model: keras.Model, objectives: Objectives) -> None:
        # Keras flattens a dict in the order of its keys
        outputs = dict(zip(sorted(objectives.names) or [""], model.outputs, strict=True))
        for one in objectives.outputs:
            given, units, task = int(outputs[one.name].shape[-1]), one.objective.units, one.objective.task
            if given != units and not (ANSWERS[task] == "classes" and max(given, 2) == max(units, 2)):
                raise Refused(
                    say(
                        "The teacher {name} gives {given} values and the student {units}.",
                        name=model.name,
                        given=given,
                        units=units,
                    ),
                    say("A teacher must have been trained for the same classes.")
                    if task == "classification"
                    else say("A teacher must have been trained for the same answers."),
                )

    def _require_layers(self, student: keras.Model) -> None:
        from workbench.plain.keras.hidden_layers import compared_sizes

        for hint in self.hints:
            _require_layer(student, hint.student, "student")
            _require_layer(self.models[0], hint.teacher, "teacher")
        pairs = [(hint.student, hint.teacher) for hint in self.hints]
        if self.hint_loss == "attention" and not all(compared_sizes(student, self.models[0], pairs)):
            raise Refused(
                say("Attention needs feature maps of comparable resolution on both sides."),
                say("Choose features, or name layers before the global pooling."),
            )


def teacher_names(teacher: ModelDescription, student: ModelDescription) -> tuple[str, ...]:
    """What the outputs of a teacher are called, in their order: as the student's; nothing of one.

    Args:
        teacher: What is known of its file.
        student: What is known of the student's.
    """
    return output_names(teacher, Objectives.of(student).first.name)


def teaching(model: keras.Model, teacher: ModelDescription, student: ModelDescription) -> keras.Model:
    """A teacher that gives several outputs by the names that the student's have; else it as it is.

    Args:
        model: Its model.
        teacher: What is known of its file.
        student: What is known of the student's.
    """
    if not (names := teacher_names(teacher, student)):
        return model
    from workbench.plain.keras.several_outputs import by_name

    return by_name(model, names)


def meanings(teacher: ModelDescription, student: ModelDescription) -> bool | dict[str, bool]:
    """Whether the outputs of a teacher are raw scores; of several by the names that the student's have.

    Args:
        teacher: What is known of its file.
        student: What is known of the student's.
    """
    outputs = Objectives.of(student).outputs
    found = {one.name: teacher.of(one.further).from_logits for one in outputs}
    return found.get("", found)


def answers_of(objectives: Objectives) -> Answers | dict[str, Answers]:
    """What those who learn from a teacher see in its outputs; of several by name.

    Args:
        objectives: What is learned.
    """
    found = {one.name: ANSWERS[one.objective.task] for one in objectives.outputs}
    return found.get("", found)


def _require_layer(model: keras.Model, name: str, whose: str) -> None:
    from workbench.plain.keras.hidden_layers import features_of

    known = [layer.name for layer in model.layers]
    if name not in known:
        raise InvalidInput(
            say("The {whose} has no layer {name}.", whose=say(whose), name=repr(name)),
            say("Its layers are: {names}.", names=tuple(known)),
        )
    try:
        features_of(model, name)
    except ValueError as error:
        raise Refused(
            say(
                "Layer {name} of the {whose} gives no single tensor of features.",
                name=name,
                whose=say(whose),
            )
        ) from error
