"""Distillation as plain Keras code."""

from __future__ import annotations

import json
from collections.abc import Sequence

from workbench.api.bundle import import_code
from workbench.api.errors import Refused
from workbench.api.file_format import file_format
from workbench.api.technique import CodePaths, OtherFile
from workbench.api.variant import Variant
from workbench.graph.widths import WidthPlan
from workbench.techniques.distillation.parameters import DistillationParameters
from workbench.techniques.distillation.teachers import hints_of
from workbench.training import training_code
from workbench.training.hints import Hint
from workbench.training.kept_layers import kept_layers_of_file
from workbench.training.output_start import start_code, start_import
from workbench.training.preserving import needs_preserving
from workbench.training.rebuilding import (
    COPYING_IMPORT,
    REBUILDING_IMPORT,
    plan_without_keras,
    rebuilding_code,
)
from workbench.training.script import features_code, training_imports
from workbench.training.self_distillation import (
    TEACHING_IMPORT,
    answers_code,
    distilled_code,
    loaded,
    meanings_code,
    named_code,
)


def distillation_code(variant: Variant, parameters: DistillationParameters, paths: CodePaths) -> str:
    """A script that trains the student of the first seed with its teacher.

    Args:
        variant: The variant that the student is made from.
        parameters: Of the technique.
        paths: File names, those of the teachers among them.
    """
    teachers = _teachers(variant, parameters, paths)
    try:
        hints = hints_of(variant, teachers[0].variant, parameters)
    except Refused:
        hints = ()
    output = file_format("keras").named(paths.output)
    preserved = parameters.student == "this variant" and needs_preserving(variant)
    callbacks = ["preserve(student)"] if preserved else []
    return f"""\
{
        import_code(
            "import keras",
            "import numpy as np",
            *training_imports(variant),
            TEACHING_IMPORT,
            "from plain.keras.hidden_layers import Hints" if hints else "",
            "from plain.keras.preserving import preserve" if preserved else "",
            COPYING_IMPORT if parameters.student == "this variant" else REBUILDING_IMPORT,
            "" if parameters.student == "this variant" else start_import(variant),
        )
    }\
model = {loaded(paths.model)}
data = np.load({json.dumps(paths.data)})

{_student(variant, parameters)}
models = [
{"".join(_loading(teacher, variant) for teacher in teachers)}]
{_hints(hints, parameters, variant) if hints else ""}\
teachers = Teachers(
    models,
    from_logits=[{
        ", ".join(meanings_code(teacher.variant.description, variant.description) for teacher in teachers)
    }],
    temperature={parameters.temperature},
{"    hints=hints," + chr(10) if hints else ""}\
{answers_code(variant)})
{distilled_code("student", variant, parameters.weight)}\
{training_code("distilled", variant, parameters, callbacks=callbacks, student="student")}

# What helped to learn is not saved, and neither is the optimizer.
student.save({json.dumps(output)})
"""


def _loading(teacher: OtherFile, student: Variant) -> str:
    comment = "" if teacher.file.startswith(teacher.variant.name) else f"  # {teacher.variant.name!r}"
    model = named_code(loaded(teacher.file), teacher.variant.description, student.description)
    return f"    {model},{comment}\n"


def _teachers(variant: Variant, parameters: DistillationParameters, paths: CodePaths) -> list[OtherFile]:
    given = []
    for number, name in enumerate(parameters.teachers):
        if name in paths.others:
            given.append(paths.others[name])
        elif name in (variant.id, variant.name) or (not name and variant.is_baseline):
            given.append(OtherFile(variant, paths.model))
        else:
            given.append(OtherFile(variant, f"teacher{number + 1}.keras"))
    return given


def _student(variant: Variant, parameters: DistillationParameters) -> str:
    seed = parameters.seed
    if parameters.student == "narrower copy":
        plan = plan_without_keras(variant, parameters.factor, parameters.round_to)
        return rebuilding_code("student", "model", plan, seed) + start_code("student", variant)
    if parameters.student == "same architecture":
        try:
            plan = WidthPlan(keep=kept_layers_of_file(variant.path))
        except (OSError, ValueError, KeyError):
            plan = WidthPlan()
        return rebuilding_code("student", "model", plan, seed) + start_code("student", variant)
    return f"""\
keras.utils.set_random_seed({seed})
student = keras.models.clone_model(model)
copy_weights(model, student)
"""


def _hints(hints: Sequence[Hint], parameters: DistillationParameters, variant: Variant) -> str:
    pairs = "".join(f"        ({json.dumps(hint.student)}, {json.dumps(hint.teacher)}),\n" for hint in hints)
    return f"""\
# Hidden layers of the student, and those of its first teacher that they learn from.
hints = Hints(
    {named_code("student", variant.description, variant.description)},
    models[0],
    [
{pairs}    ],
    {features_code(variant, "train")},
    loss={json.dumps(parameters.hints)},
    weight={parameters.hint_weight},
    seed={parameters.seed},
)
"""
