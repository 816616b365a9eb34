"""Where a regressor with new weights starts, in the engine and as plain code."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.api.number_format import digits
from workbench.api.technique import Context
from workbench.api.text import Text, say
from workbench.api.variant import Variant


def start_output(model: Any, context: Context) -> tuple[Text, ...]:
    """Lets a model with new weights start at the targets, where it predicts numbers; says so if it does.

    Args:
        model: With new weights in its output.
        context: For the training split.
    """
    from workbench.plain.keras.output_start import start_at_targets

    if context.parent.description.task != "regression":
        return ()
    targets, weights = np.asarray(context.dataset.y("train")), context.dataset.weights("train")
    if not start_at_targets(model, targets, weights):
        return ()
    if targets.shape[1] > 1:
        return (
            say(
                "The outputs started at the means of the training targets, with weights in their units: new "
                "weights would have started around 0."
            ),
        )
    return (
        say(
            "The output started at the mean of the training targets, {mean}, with weights in their unit: new "
            "weights would have started around 0.",
            mean=digits(float(np.average(targets[:, 0].astype(np.float64), weights=weights))),
        ),
    )


def start_import(variant: Variant) -> str:
    """What plain code imports for it; empty where nothing is done."""
    regresses = variant.description.task == "regression"
    return "from plain.keras.output_start import start_at_targets" if regresses else ""


def start_code(model: str, variant: Variant) -> str:
    """A line that does it; empty where nothing is done.

    Args:
        model: The variable that holds a model with new weights.
        variant: For the task, and whether samples have weights.
    """
    if variant.description.task != "regression":
        return ""
    counted = ', data["w_train"]' if "train" in variant.description.weighted else ""
    return f'start_at_targets({model}, data["y_train"]{counted})\n'
