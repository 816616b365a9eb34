"""Distillation as plain Keras code."""

from __future__ import annotations

import json
from collections.abc import Sequence

from workbench.api.errors import Refused
from workbench.api.technique import CodePaths, OtherFile
from workbench.api.variant import Variant
from workbench.graph.widths import WidthPlan
from workbench.models.rebuilding.copying import finalizing_code
from workbench.techniques.distillation.parameters import DistillationParameters
from workbench.techniques.distillation.teachers import hints_of
from workbench.training import training_code
from workbench.training.distilled_code import LOGITS, asked_code, distilled_code
from workbench.training.fresh import kept_layers_of_file
from workbench.training.hints import Hint, common_size
from workbench.training.preserving import needs_preserving
from workbench.training.rebuilding import plan_without_keras, rebuilding_code

_SAMPLES_FOR_SCALE = 256

_TAPPED = '''\
def tapped(model, names):
    """The model with the outputs of some of its layers after its own."""
    inputs = model.inputs[0] if len(model.inputs) == 1 else {one.name: one for one in model.inputs}
    return keras.Model(inputs, [model.outputs[0], *(model.get_layer(name).output for name in names)])


def resized(features, size):
    """Average-pools to a resolution; () takes the mean over all places."""
    own = tuple(features.shape[1:-1])
    if own == size or not own:
        return features
    if not size:
        return ops.mean(features, axis=tuple(range(1, len(own) + 1)))
    window = tuple(mine // wanted for mine, wanted in zip(own, size))
    return ops.average_pool(features, window, window, "valid", "channels_last")
'''

_ATTENTION = '''\
def attention(features):
    """Where a feature map is active, as a unit vector for each sample."""
    flat = ops.reshape(ops.mean(ops.square(features), axis=-1), (ops.shape(features)[0], -1))
    return flat / (ops.norm(flat, axis=-1, keepdims=True) + 1e-8)


def apart(mine, wanted):
    return ops.mean(ops.sum(ops.square(attention(mine) - attention(wanted)), axis=-1))
'''


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
    sizes = [_size(hint, variant, teachers[0].variant) for hint in hints]
    output = paths.output if paths.output.endswith(".keras") else paths.output + ".keras"
    preserved = parameters.student == "this variant" and needs_preserving(variant)
    training = training_code(
        "distilled", variant, parameters, callbacks=["preserve(student)"] if preserved else []
    ).replace("in distilled.layers", "in student.layers")  # the output layer, which Muon leaves alone
    parts = [
        f"""\
import keras
import numpy as np
from keras import ops

model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
data = np.load({json.dumps(paths.data)})
teachers = [
{"".join(_loading(teacher) for teacher in teachers)}]
temperature, weight = {parameters.temperature}, {parameters.weight}
""",
        _student(variant, parameters),
        "from plain.keras.preserving import preserve\n" if preserved else "",
        f"\n\n{LOGITS}\n",
        f"\n{_TAPPED}\n" if hints else "",
        f"\n{_ATTENTION}\n" if hints and parameters.hints == "attention" else "",
        _hints_head(hints, sizes, parameters, variant) if hints else "",
        asked_code(bool(hints)),
        distilled_code(variant, parameters.hints if hints else None, parameters.hint_weight),
        f"""\


distilled = Distilled()
{training}
# What helped to learn is not saved, and neither is the optimizer.
student.save("{output}")
""",
    ]
    return "".join(parts)


def _loading(teacher: OtherFile) -> str:
    comment = "" if teacher.file.startswith(teacher.variant.name) else f"  # {teacher.variant.name!r}"
    return (
        f"    (keras.models.load_model({json.dumps(teacher.file)}, compile=False), "
        f"{teacher.variant.description.from_logits}),{comment}\n"
    )


def _teachers(variant: Variant, parameters: DistillationParameters, paths: CodePaths) -> list[OtherFile]:
    given = []
    for number, name in enumerate(parameters.teachers):
        if name in paths.others:
            given.append(paths.others[name])
        elif name in (variant.id, variant.name) or (not name and variant.parent is None):
            given.append(OtherFile(variant, paths.model))
        else:
            given.append(OtherFile(variant, f"teacher{number + 1}.keras"))
    return given


def _student(variant: Variant, parameters: DistillationParameters) -> str:
    seed = parameters.seed
    if parameters.student == "narrower copy":
        plan = plan_without_keras(variant, parameters.factor, parameters.round_to)
        return rebuilding_code("student", "model", plan, seed)
    if parameters.student == "same architecture":
        try:
            plan = WidthPlan(keep=kept_layers_of_file(variant.path))
        except (OSError, ValueError, KeyError):
            plan = WidthPlan()
        return rebuilding_code("student", "model", plan, seed)
    return f"""\
keras.utils.set_random_seed({seed})
student = keras.models.clone_model(model)
student.set_weights(model.get_weights())
{finalizing_code("student", variant)}"""


def _size(hint: Hint, student: Variant, teacher: Variant) -> tuple[int | None, ...]:
    shapes = []
    for variant, name in ((student, hint.student), (teacher, hint.teacher)):
        found = [layer.output_shape for layer in variant.description.layers if layer.name == name]
        shapes.append(found[0] if found else ())
    return common_size(shapes[0], shapes[1])


def _hints_head(
    hints: Sequence[Hint],
    sizes: Sequence[tuple[int | None, ...]],
    parameters: DistillationParameters,
    variant: Variant,
) -> str:
    own, theirs = ([getattr(hint, side) for hint in hints] for side in ("student", "teacher"))
    lines = f"""
# Hidden layers of the student, and those of the teacher that they learn from, compared at these resolutions.
student_layers, teacher_layers = {json.dumps(own)}, {json.dumps(theirs)}
sizes = {list(sizes)}
with_features = tapped(student, student_layers)
teachers[0] = (tapped(teachers[0][0], teacher_layers), teachers[0][1])
"""
    if parameters.hints == "attention":
        return lines + "\n"
    return (
        lines
        + f"""\
projections, variances = [], []
first = teachers[0][0]({_first(variant)}, training=False)[1:]
for number, (features, size) in enumerate(zip(first, sizes)):
    features = ops.convert_to_numpy(resized(features, size))
    channels = features.shape[-1]
    variances.append(max(float(features.reshape(-1, channels).var(0).mean()), 1e-12))
    start = keras.initializers.GlorotUniform(seed={parameters.seed} + number)
    # Over the channels of a picture a Dense layer is a 1x1 convolution.
    projections.append(keras.layers.Dense(channels, kernel_initializer=start))
    projections[-1].build((None, *size, with_features.outputs[number + 1].shape[-1]))

"""
    )


def _first(variant: Variant) -> str:
    names = [spec.name for spec in variant.description.inputs]
    if len(names) == 1:
        return f'data["x_train"][:{_SAMPLES_FOR_SCALE}]'
    pairs = (
        f"{json.dumps(name)}: data[{json.dumps(f'x_train.{name}')}][:{_SAMPLES_FOR_SCALE}]" for name in names
    )
    return "{" + ", ".join(pairs) + "}"
