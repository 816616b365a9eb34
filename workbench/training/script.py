"""What a training is as plain Keras code, and how long it will take."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from workbench.api.variant import Variant
from workbench.training.objectives import Objectives
from workbench.training.optimizers import Expression, averaging, compile_options, optimizer, stopping
from workbench.training.parameters import TrainingParameters, TrainingSettings
from workbench.training.script_parts import (
    parts_imports,
    pipeline_code,
    precision_code,
    sweep_code,
)

_TRACE_SECONDS = 0.25
"""What Keras needs for one layer before the first step: its graphs of training, validation and prediction
are traced and compiled, its weights read and written. Measured on models of 2 to 156 layers."""
_START_SECONDS = 4.0
_LAYERS_AT_START = 10
"""So many are traced in that time."""
_STEP_SECONDS = 0.0015
"""What Keras needs for a step besides arithmetic."""
_MACS_PER_SECOND = 4e9
_PASSES = 3
"""A training step is about three inferences: forward, and backward to inputs and to weights."""
_SLOWER = {"float32": 1.0, "mixed_float16": 2.5, "mixed_bfloat16": 4.0}
"""What 16-bit arithmetic costs on a processor without it."""
_SWEEP_SECONDS = 4.0
_PROFILE_SECONDS = 2.5


def training_seconds(
    parameters: TrainingParameters, samples: float, macs: int | None, layers: int = 0
) -> float:
    """Roughly how long a training takes on this machine.

    Args:
        parameters: Epochs and batch size; early stopping may end it sooner.
        samples: Samples that one epoch goes through.
        macs: Multiply-accumulates of one inference; None if not known.
        layers: How many layers are traced before the first step.
    """
    settings = TrainingSettings.of(parameters)
    steps = math.ceil(samples / settings.batch_size)
    arithmetic = samples * _PASSES * (macs or 1e6) / _MACS_PER_SECOND * _SLOWER[settings.precision]
    epoch = steps * _STEP_SECONDS + arithmetic
    tracing = _TRACE_SECONDS * max(0, layers - _LAYERS_AT_START)
    before = _START_SECONDS + tracing * (1 + settings.find_learning_rate)
    before += _SWEEP_SECONDS * settings.find_learning_rate + _PROFILE_SECONDS * settings.profile
    return before + settings.epochs * epoch


def training_code(
    model: str,
    variant: Variant,
    parameters: TrainingParameters,
    *,
    callbacks: Sequence[str] = (),
    seed: str | None = None,
    judged_from: int = 0,
    student: str | None = None,
) -> str:
    """Plain Keras code that does what :func:`workbench.training.train` does.

    Args:
        model: The variable that holds the model.
        variant: For the names of its inputs and what its output means.
        parameters: As they are given to ``train``.
        callbacks: Expressions of further Keras callbacks, called before the built-in one.
        seed: An expression to take in place of the parameters' seed.
        judged_from: As it is given to ``train``.
        student: The variable of the model that is trained, where ``model`` holds one that fits it to its
            teachers.

    Returns:
        Lines that need ``keras``, ``np``, what :func:`training_imports` imports, and ``data``, the ``.npz``
        of :class:`workbench.api.technique.CodePaths`.
    """
    settings = TrainingSettings.of(parameters)
    seed = str(settings.seed) if seed is None else seed
    objectives = Objectives.of(variant.description, settings)
    x_train, y_train = features_code(variant, "train"), objectives.targets_code("train")
    y_validation, w_train = objectives.targets_code("validation"), objectives.weights_code("train")
    w_validation = objectives.weights_code("validation")
    own, parts = student or model, list[str]()
    if objectives.names:
        parts.append("# Each output has labels, and a loss of its own task: they are added.\n")
        if student is None:
            parts.append(f"fitted = by_name({model}, {json.dumps(list(objectives.names))})\n")
            model = "fitted"
        parts += [f"y_train = {y_train}\n", f"y_validation = {y_validation}\n"]
        y_train, y_validation = "y_train", "y_validation"
        if w_train:
            parts.append(f"w_train = {w_train}\n")
            w_train = "w_train"
        if w_validation:
            parts.append(f"w_validation = {w_validation}\n")
            w_validation = "w_validation"

    def compiled(settings: TrainingSettings) -> str:
        further = "".join(f"    {name}={value},\n" for name, value in compile_options(settings).items())
        count = len(objectives.outputs)
        last = Expression((), f"[layer.name for layer in {own}.layers if layer.weights][-{count}:]")
        return (
            f"{model}.compile(\n"
            f"    optimizer={optimizer(settings, 0, last).code('    ')},\n"
            f"{objectives.compiled_code()}{further})\n"
        )

    if settings.schedule != "constant":
        parts.append(
            f'steps = {settings.epochs} * int(np.ceil(len(data["y_train"]) / {settings.batch_size}))\n'
        )
    if settings.find_learning_rate:
        parts.append(sweep_code(model, settings, x_train, y_train, compiled, seed, w_train))
    parts.append(compiled(settings))
    arguments = f"    {x_train},\n    {y_train},\n    batch_size={settings.batch_size},\n"
    if settings.pipeline != "arrays":
        parts.append(pipeline_code(settings, x_train, y_train, seed, w_train))
        arguments = "    batches,\n    shuffle=False,\n"
    elif w_train:
        arguments += f"    sample_weight={w_train},\n"
    built_in = [call.code("        ") for call in averaging(settings)]
    every = [*built_in, *callbacks, stopping(settings, judged_from).code("        ")]
    weights = ""
    if settings.class_weights == "balanced":
        units = objectives.first.objective.units
        weights = f'    class_weight=balanced_weights(data["y_train"], {units}),\n'
    validation = f"{features_code(variant, 'validation')}, {y_validation}"
    if w_validation:
        validation += f", {w_validation}"
    parts.append(
        f"""\
keras.utils.set_random_seed({seed})
{model}.fit(
{arguments}\
    epochs={settings.epochs},
    validation_data=({validation}),
{weights}\
    callbacks=[
{"".join(f"        {one},{chr(10)}" for one in every)}\
    ],
    verbose=2,
)
"""
    )
    return precision_code(own, settings, "".join(parts).rstrip("\n"))


def training_imports(variant: Variant, parameters: TrainingParameters | None = None) -> tuple[str, ...]:
    """Import statements of :func:`training_code` besides those of every script; empty ones among them.

    Args:
        variant: As it is given there.
        parameters: The same; None stands for those that a short form leaves at their defaults.
    """
    settings = None if parameters is None else TrainingSettings.of(parameters)
    objectives = Objectives.of(variant.description, settings)
    return (
        *objectives.imports(),
        *(() if settings is None else parts_imports(settings)),
    )


def features_code(variant: Variant, split: str) -> str:
    """The samples of a split as plain code: an array, or a dict of them."""
    names = [spec.name for spec in variant.description.inputs]
    if len(names) == 1:
        return f'data["x_{split}"]'
    pairs = ", ".join(f"{json.dumps(name)}: data[{json.dumps(f'x_{split}.{name}')}]" for name in names)
    return "{" + pairs + "}"
