"""The less usual parts of a training as plain code: precision, learning-rate sweep, input pipeline."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable

from workbench.plain.keras.rate_sweep import LOWEST, STEPS
from workbench.training.augmentation import augmentation_call
from workbench.training.input_pipeline import PIPELINE_STEPS
from workbench.training.optimizers import Expression
from workbench.training.parameters import TrainingSettings


def parts_imports(settings: TrainingSettings) -> tuple[str, ...]:
    """What a training imports besides Keras; empty ones among them."""
    needed = {
        "from plain.class_weights import balanced_weights": settings.class_weights == "balanced",
        "from plain.keras.augmentation import augmentation": settings.augments,
        "from plain.keras.augmentation import mean_of_pictures": settings.cutout,
        "from plain.keras.input_pipeline import shuffled_batches": settings.pipeline != "arrays",
        "from plain.keras.precision import computing_in": settings.precision != "float32",
        "from plain.keras.rate_sweep import sweep_rates": settings.find_learning_rate,
    }
    return tuple(statement for statement, is_needed in needed.items() if is_needed)


def precision_code(model: str, settings: TrainingSettings, training: str) -> str:
    """Lines of a training, in 16-bit arithmetic if it is set so."""
    if settings.precision == "float32":
        return training
    return f"""\
# 16-bit arithmetic over float32 weights, except in the layer that gives the output.
with computing_in({model}, {json.dumps(settings.precision)}):
{textwrap.indent(training, "    ")}"""


def sweep_code(
    model: str,
    settings: TrainingSettings,
    features: str,
    targets: str,
    compiled: Callable[[TrainingSettings], str],
    seed: str,
    weights: str = "",
) -> str:
    """Lines that set ``learning_rate`` to what a sweep suggests."""
    start = compiled(settings.constant(LOWEST).model_copy(update={"find_learning_rate": False}))
    counted = f"    weights={weights},\n" if weights else ""
    return f"""\
# The learning rate: rising ones are tried for {STEPS} steps, and a tenth of the best is taken.
{start}\
sweep = sweep_rates(
    {model},
    {features},
    {targets},
    batch_size={settings.batch_size},
    seed={seed},
{counted})
learning_rate = sweep.suggestion
print("learning rate", learning_rate)
"""


def pipeline_code(
    settings: TrainingSettings, features: str, targets: str, seed: str, weights: str = ""
) -> str:
    """Lines that set ``batches`` to a ``tf.data`` pipeline that does what ``settings`` say."""
    given = [features, targets, f"batch_size={settings.batch_size}", f"seed={seed}"]
    if weights:
        given.append(f"weights={weights}")
    if settings.augments:
        change = augmentation_call(
            settings, Expression(settings.seed, seed), Expression(0.0, f"mean_of_pictures({features})")
        )
        given.append(f"change={change.code('    ')}")
    given += [f"{name}={value}" for name, value in PIPELINE_STEPS[settings.pipeline].items()]
    return "batches = shuffled_batches(\n" + "".join(f"    {one},\n" for one in given) + ")\n"
