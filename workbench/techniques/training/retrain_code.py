"""Training again, or further, as plain Keras code."""

from __future__ import annotations

import json
import textwrap
import zipfile

from workbench.api.bundle import import_code
from workbench.api.file_format import file_format
from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.training import TrainingSettings, training_code
from workbench.training.judging_code import MEASURE_NAMES
from workbench.training.kept_layers import kept_layers_of_file
from workbench.training.output_start import start_code, start_import
from workbench.training.preserving import needs_preserving
from workbench.training.rebuilding import COPYING_IMPORT
from workbench.training.script import features_code, training_imports


def retraining_code(
    variant: Variant, settings: TrainingSettings, paths: CodePaths, *, new: bool, seeds: int
) -> str:
    """Code that trains a model and saves it.

    Args:
        variant: The model.
        settings: How it is trained.
        paths: File names.
        new: Whether it starts from new weights.
        seeds: How many trainings the best is chosen of.
    """
    several = seeds > 1
    seed = "seed" if several else str(settings.seed)
    lines = f"keras.utils.set_random_seed({seed})\nmodel = keras.models.clone_model(source)\n"
    if not new:
        lines += "copy_weights(source, model)\n"
    for path in _kept(variant) if new else ():
        get = "".join(f".get_layer({json.dumps(name)})" for name in path)
        lines += f"copy_weights(source{get}, model{get})\n"
    if new:
        lines += start_code("model", variant)
    copies = "copy_weights(" in lines
    preserved = not new and needs_preserving(variant)
    callbacks = ["preserve(model)"] if preserved else []
    lines += training_code("model", variant, settings, seed=seed, callbacks=callbacks) + "\n"
    if several:
        lines = textwrap.indent(lines + _choice(variant), "    ")
        lines = f"best = None\nfor seed in range({settings.seed}, {settings.seed + seeds}):\n{lines}"
        lines += "model = best[1]\n"
    output = file_format("keras").named(paths.output)
    imports = import_code(
        "import keras",
        "import numpy as np",
        COPYING_IMPORT if copies else "",
        start_import(variant) if new else "",
        *training_imports(variant, settings),
        "from plain.keras.preserving import preserve" if preserved else "",
        f"from plain.measures import {MEASURE_NAMES[variant.description.task]}"
        if several and not variant.description.further
        else "",
    )
    return f"""\
{imports}\
source = keras.models.load_model({json.dumps(paths.model)}, compile=False)
data = np.load({json.dumps(paths.data)})
{lines}\
# Saved again without the optimizer, whose state is twice the size of the weights.
model.save("{output}")
keras.models.load_model("{output}", compile=False).save("{output}")
"""


def _kept(variant: Variant) -> list[tuple[str, ...]]:
    try:
        return kept_layers_of_file(variant.path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return []


def _choice(variant: Variant) -> str:
    """Lines that keep the best model of several."""
    if variant.description.further:
        return """\
loss = min(fitted.history.history["val_loss"])
print("seed", seed, "validation loss", loss)
if best is None or loss < best[0]:
    best = loss, model
"""
    measure, raw = MEASURE_NAMES[variant.description.task], variant.description.from_logits
    weighted = "validation" in variant.description.weighted
    counted = ', weights=data["w_validation"]' if weighted else ""
    return f"""\
outputs = model.predict({features_code(variant, "validation")}, verbose=0)
score = {measure}.of(outputs, data["y_validation"], from_logits={raw}{counted})
print("seed", seed, "validation", {measure}.name, score)
if best is None or {measure}.gain(best[0], score) > 0:
    best = score, model
"""
