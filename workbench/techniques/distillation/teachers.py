"""Who teaches: variants that fit the data, and which of their layers are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.api.errors import Refused
from workbench.api.technique import Context
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.techniques.distillation.parameters import DistillationParameters
from workbench.training import training_obstacle
from workbench.training.hints import Hint, choose_hints, parse_hints


def load_teachers(teachers: Sequence[Variant], context: Context) -> list[Any]:
    """Reads the teachers' models.

    Raises:
        Refused: If one is no Keras model with a score for each class.
    """
    from workbench.models.converting.conversion import load_keras

    models = []
    for teacher in teachers:
        context.report.check()
        reason = training_obstacle(teacher, context.dataset.info, taught=1.0)
        outputs = [{one.name for one in each.description.further} for each in (teacher, context.parent)]
        if reason is None and outputs[0] != outputs[1]:
            reason = say("It was not trained for the same outputs.")
        if reason is not None:
            raise Refused(
                say("{name} cannot teach. {reason}", name=teacher.name, reason=reason),
                say("Choose a Keras variant that was trained on the same classes.")
                if context.dataset.info.task == "classification"
                else say("Choose a Keras variant that was trained for the same answers."),
            )
        models.append(load_keras(teacher.path, trust=teacher.settings.trusted))
    return models


def baseline_teaches_itself(variant: Variant, parameters: DistillationParameters) -> bool:
    """Whether a student with the teacher's own weights would learn from itself."""
    if parameters.student != "this variant":
        return False
    own = {variant.id, variant.name, *([""] if variant.is_baseline else [])}
    return set(parameters.teachers) <= own


def hints_of(student: Variant, teacher: Variant, parameters: DistillationParameters) -> tuple[Hint, ...]:
    """The pairs of layers that are compared; none where hints are off.

    Args:
        student: The variant that the student is made from: names and resolutions are the same.
        teacher: The first of the teachers.
        parameters: Which hints.

    Raises:
        workbench.api.errors.Refused: If no pair can be chosen.
    """
    if parameters.hints == "none" or not parameters.hint_weight:
        return ()
    hints = parse_hints(parameters.layers) or choose_hints(student.description, teacher.description)
    if parameters.hints == "attention" and not parameters.layers:
        maps = {layer.name for layer in student.description.layers if len(layer.output_shape) > 1}
        hints = tuple(hint for hint in hints if hint.student in maps)
        if not hints:
            raise Refused(
                say(
                    "Attention needs layers with places, such as convolutions. {name} has none in common.",
                    name=student.name,
                ),
                say("Choose features as hints."),
            )
    return hints
