"""Learning from the parent while fine-tuning: parameters, the teacher, and the same as plain code.

A model that lost channels, weights or distinct values finds back to what its parent said of each sample
sooner than to the labels alone.

Source: Hinton et al., Distilling the Knowledge in a Neural Network, 2015 (arXiv:1503.02531).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from workbench.api.technique import Context, Parameters
from workbench.api.variant import ModelDescription, Variant
from workbench.training import training_code
from workbench.training.distilling import answers_of, meanings, teacher_names
from workbench.training.fine_tuning import FineTuningParameters
from workbench.training.objectives import Objectives
from workbench.training.parameter_types import Temperature
from workbench.training.script import features_code

if TYPE_CHECKING:
    from workbench.training.distilling import Teacher


class _Learning(Parameters):
    distill: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Learn from the parent",
        description="Weight of what the parent says about each sample, beside the labels, while "
        "fine-tuning; 0 learns from the labels alone.",
        json_schema_extra={"advanced": True},
    )
    temperature: Temperature = Field(
        4.0, description="Softens what the parent says and what is learned from it."
    )


class TaughtParameters(FineTuningParameters, _Learning):
    """Fine-tuning in which the parent may teach."""


def parent_as_teacher(context: Context, parameters: TaughtParameters, parent: Any = None) -> Teacher | None:
    """The parent as the teacher of what is made of it, or None where it does not teach.

    Args:
        context: Of the job.
        parameters: Of the technique.
        parent: The parent's model, where it is still as it was; read again otherwise.
    """
    if not parameters.distill or not parameters.epochs:
        return None
    from workbench.models.converting.conversion import load_keras
    from workbench.training.distilling import Teacher, teaching

    description = context.parent.description
    if parent is None:
        parent = load_keras(context.parent.path, trust=context.parent.settings.trusted)
    return Teacher(
        models=[teaching(parent, description, description)],
        from_logits=[meanings(description, description)],
        temperature=parameters.temperature,
        weight=parameters.distill,
    )


TEACHING_IMPORT = "from plain.keras.distillation import DistilledModel, Teachers"
"""What plain code with a teacher imports, besides what every training does."""


def teaching_code(variant: Variant, parameters: TaughtParameters, parent: str) -> str:
    """The line that makes ``teachers``, which :func:`taught_code` needs before it; empty without a teacher.

    Args:
        variant: The parent.
        parameters: Of the technique.
        parent: An expression that gives the parent's model.
    """
    if not parameters.distill:
        return ""
    return f"""\
teachers = Teachers(
    [{named_code(parent, variant.description, variant.description)}],
    from_logits=[{meanings_code(variant.description, variant.description)}],
    temperature={parameters.temperature},
{answers_code(variant)})
"""


def named_code(model: str, teacher: ModelDescription, student: ModelDescription) -> str:
    """A model that teaches, or learns, as plain code: where it has several outputs it gives them by name.

    Args:
        model: An expression.
        teacher: What is known of it.
        student: What is known of the student.
    """
    names = teacher_names(teacher, student)
    return f"by_name({model}, {json.dumps(list(names))})" if names else model


def meanings_code(teacher: ModelDescription, student: ModelDescription) -> str:
    """Whether a model's outputs are raw scores, as plain code; arguments as of :func:`named_code`."""
    found = meanings(teacher, student)
    if isinstance(found, bool):
        return str(found)
    return "{" + ", ".join(f"{json.dumps(name)}: {raw}" for name, raw in found.items()) + "}"


def answers_code(variant: Variant) -> str:
    """The argument that says what teachers give, a whole line; empty for one class of a sample."""
    answers = answers_of(Objectives.of(variant.description))
    return "" if answers == "classes" else f"    answers={json.dumps(answers)},\n"


def loaded(file: str) -> str:
    """An expression that reads a model."""
    return f"keras.models.load_model({json.dumps(file)}, compile=False)"


def taught_code(
    variant: Variant,
    parameters: TaughtParameters,
    *,
    callbacks: Sequence[str] = (),
    judged_from: int = 0,
) -> str:
    """Code that trains ``model`` further, with its teacher if it has one.

    Args:
        variant: The parent.
        parameters: Of the technique.
        callbacks: Expressions of further Keras callbacks.
        judged_from: As it is given to ``train``.
    """
    if not parameters.distill:
        return training_code("model", variant, parameters, callbacks=callbacks, judged_from=judged_from)
    training = training_code(
        "distilled", variant, parameters, callbacks=callbacks, judged_from=judged_from, student="model"
    )
    return f"{distilled_code('model', variant, parameters.distill)}{training}"


def distilled_code(student: str, variant: Variant, weight: float) -> str:
    """The lines that make ``distilled``, which trains a model and learns from ``teachers``.

    Args:
        student: The variable of the model.
        variant: What it was made of.
        weight: Of what the teachers say.
    """
    raw = meanings_code(variant.description, variant.description)
    student = named_code(student, variant.description, variant.description)
    labels = ""
    if variant.description.task == "agreement":
        labels = f"""\
# There are no labels: what is learned is what the teachers answer.
data = {{
    **data,
    "y_train": teachers.numbers({features_code(variant, "train")}),
    "y_validation": teachers.numbers({features_code(variant, "validation")}),
}}
"""
    return f"{labels}distilled = DistilledModel({student}, teachers, from_logits={raw}, weight={weight})\n"
