"""Where a regressor with new weights starts, in the engine and as plain code."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from workbench.api.dataset import Dataset
from workbench.api.number_format import digits
from workbench.api.technique import Context
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.training.objectives import Objectives


def start_output(model: Any, context: Context) -> tuple[Text, ...]:
    """Lets a model with new weights start at the targets, where it predicts numbers; says so if it does.

    Args:
        model: With new weights in its output.
        context: For the training split.
    """
    objectives = Objectives.of(context.parent.description)
    notes = []
    for position, one in enumerate(objectives.outputs):
        if one.objective.task != "regression":
            continue
        if (note := _started(model, context.dataset.of(one.further), position)) is not None:
            notes.append(say("{output}: {note}", output=one.name, note=note) if one.name else note)
    return tuple(notes)


def _started(model: Any, dataset: Dataset, position: int) -> Text | None:
    """Lets one output start at its targets; says so if it does."""
    from workbench.plain.keras.output_start import start_at_targets

    targets, weights = np.asarray(dataset.y("train")), dataset.weights("train")
    if not start_at_targets(model, targets, weights, output=position):
        return None
    if targets.shape[1] > 1:
        return say(
            "The outputs started at the means of the training targets, with weights in their units: new "
            "weights would have started around 0."
        )
    return say(
        "The output started at the mean of the training targets, {mean}, with weights in their unit: new "
        "weights would have started around 0.",
        mean=digits(float(np.average(targets[:, 0].astype(np.float64), weights=weights))),
    )


def start_import(variant: Variant) -> str:
    """What plain code imports for it; empty where nothing is done."""
    regresses = start_code("", variant)
    return "from plain.keras.output_start import start_at_targets" if regresses else ""


def start_code(model: str, variant: Variant) -> str:
    """A line that does it; empty where nothing is done.

    Args:
        model: The variable that holds a model with new weights.
        variant: For the task, and whether samples have weights.
    """
    lines = ""
    for position, one in enumerate(Objectives.of(variant.description).outputs):
        if one.objective.task == "regression":
            targets, counted = (f"data[{json.dumps(f'{kind}_train{one.key}')}]" for kind in "yw")
            given = f"{model}, {targets}"
            given += f", {counted}" if "train" in one.weighted else ""
            given += f", output={position}" if position else ""
            lines += f"start_at_targets({given})\n"
    return lines
