"""The less usual parts of a training as plain code: precision, learning-rate sweep, input pipeline."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable

from workbench.api.variant import Variant
from workbench.plain.keras.rate_sweep import LOWEST, STEPS
from workbench.training.augmentation import PICTURE_RANK, noise_layer, picture_layers
from workbench.training.optimizers import Call, Expression
from workbench.training.parameters import TrainingSettings


def parts_imports(settings: TrainingSettings) -> tuple[str, ...]:
    """What the lines here import; empty where nothing is."""
    return (
        "" if settings.precision == "float32" else "from plain.keras.precision import computing_in",
        "from plain.keras.rate_sweep import sweep_rates" if settings.find_learning_rate else "",
    )


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


def class_weight_code(units: int) -> str:
    """Lines that set ``class_weight`` so that each class counts the same in all."""
    return f"""\
counts = np.bincount(data["y_train"], minlength={max(units, 2)})
class_weight = {{
    number: float(counts.sum() / (np.count_nonzero(counts) * count)) if count else 1.0
    for number, count in enumerate(counts)
}}
"""


def pipeline_code(
    settings: TrainingSettings, features: str, targets: str, variant: Variant, seed: str, weights: str = ""
) -> str:
    """Lines that set ``batches`` to a ``tf.data`` pipeline that does what ``settings`` say."""
    several = features[0] == "{"
    parallel = ", num_parallel_calls=tf.data.AUTOTUNE" if settings.pipeline == "parallel map" else ""
    gathered = (
        "{name: tf.gather(values, rows) for name, values in x.items()}" if several else "tf.gather(x, rows)"
    )
    held = "{name: tf.constant(values) for name, values in x.items()}" if several else "tf.constant(x)"
    targets_of_rows = "tf.gather(y, rows)" + (", tf.gather(w, rows)" if weights else "")
    map_changes = f"batches = batches.map(changed{parallel})\n" if settings.augments else ""
    if settings.augments and weights:
        map_changes = f"batches = batches.map(lambda x, y, w: (*changed(x, y), w){parallel})\n"
    prefetch = (
        "batches = batches.prefetch(tf.data.AUTOTUNE)\n"
        if settings.pipeline in ("prefetch", "parallel map")
        else ""
    )
    return f"""\
import tensorflow as tf

x, y = {features}, {targets}
{_changes(settings, variant, several, seed) if settings.augments else ""}\
x, y = {held}, tf.constant(y)
{f"w = tf.constant({weights})" + chr(10) if weights else ""}\
batches = tf.data.Dataset.range(len(y)).shuffle(len(y), seed={seed}).batch({settings.batch_size})
batches = batches.map(lambda rows: ({gathered}, {targets_of_rows}){parallel})
{map_changes}{prefetch}"""


def _changes(settings: TrainingSettings, variant: Variant, several: bool, seed: str) -> str:
    inputs = variant.description.inputs
    shown = [spec.name for spec in inputs if len(spec.shape) == PICTURE_RANK]
    layers = [_seeded(call, settings, seed) for call in picture_layers(settings, 0.0)] if shown else []
    parts = []
    if layers and settings.cutout:
        arrays = ", ".join(f'x["{name}"].mean()' for name in shown) if several else "x.mean()"
        parts.append(f"mean = float(np.mean([{arrays}]))\n")
    if layers:
        parts.append("layers = [\n" + "".join(f"    {call.code('    ')},\n" for call in layers) + "]\n")
    if settings.noise:
        parts.append(f"noise = {_seeded(noise_layer(settings), settings, seed).code()}\n")
    if settings.mixup:
        parts.append(f"parts = keras.random.SeedGenerator({seed} + 11)\n")
    parts.append("\n\ndef changed(x, y):\n")
    names = [f'["{name}"]' for name in (spec.name for spec in inputs)] if several else [""]
    if several:
        parts.append("    x = dict(x)\n")
    for name, spec in zip(names, inputs, strict=False):
        if layers and spec.name in shown:
            parts.append(f"    for layer in layers:\n        x{name} = layer(x{name}, training=True)\n")
        if settings.noise:
            parts.append(f"    x{name} = noise(x{name}, training=True)\n")
    if settings.mixup:
        parts.append(
            "    # Each sample is blended with that at its place in the reversed batch.\n"
            f"    count, a = tf.shape(y)[0], {settings.mixup}\n"
            "    part = keras.random.beta((count,), a, a, seed=parts)\n"
        )
        for name, spec in zip(names, inputs, strict=False):
            parts.append(_mixed(f"x{name}", len(spec.shape)))
        parts.append(_mixed("y", 1))
    parts.append("    return x, y\n\n\n")
    return "".join(parts)


def _mixed(values: str, axes: int) -> str:
    shape = ", ".join(["-1", *["1"] * axes])
    return (
        f"    share = tf.reshape(part, ({shape}))\n"
        f"    {values} = share * {values} + (1 - share) * {values}[::-1]\n"
    )


def _seeded(call: Call, settings: TrainingSettings, seed: str) -> Call:
    """The call with its seed relative to that of the code."""
    offset = call.arguments["seed"] - settings.seed
    source = seed if offset == 0 else f"{seed} + {offset}"
    if seed.isdigit():
        source = str(int(seed) + offset)
    return Call(call.name, {**call.arguments, "seed": Expression(settings.seed + offset, source)})
