"""The plain code of the choice of a precision for each layer."""

from __future__ import annotations

import json

from workbench.api.variant import ModelDescription, Variant
from workbench.exporting.litert_files import cast_code
from workbench.training.judging_code import MEASURE_NAMES


def judged_output(model: ModelDescription) -> tuple[str, int] | None:
    """Name and place of the output that is judged; None where there is only one."""
    judged = model.judged_output
    if judged is None:
        return None if len(model.outputs) < 2 else (model.judged.name, 0)
    return judged.name, judged.position


def choice_code(
    variant: Variant,
    data: str,
    output: str,
    *,
    low: int,
    kept: int | None,
    integer: bool,
    layers: int | None,
    budget: float,
    samples: int,
    calibration: int,
    seed: int,
) -> str:
    """Code that sweeps, chooses and writes the file.

    Args:
        variant: For its inputs and the meaning of its output.
        data: The ``.npz``.
        output: The file to write.
        low: Bits of most weights.
        kept: Bits of the weights of sensitive layers; None for float32.
        integer: Whether activations are in 8 bits too.
        layers: How many layers are kept; None chooses by the budget.
        budget: Macro F1 that may be lost, 0 to 1.
        samples: Validation samples.
        calibration: How many of them give ranges.
        seed: Which ones.
    """
    inputs = variant.description.inputs
    judged = judged_output(variant.description)
    which = "" if judged is None else f", ({json.dumps(judged[0])}, {judged[1]})"
    if len(inputs) == 1:
        arrays = f'{{{json.dumps(inputs[0].name)}: data["x_validation"]{cast_code(inputs[0])}}}'
    else:
        pairs = (
            f"{json.dumps(x.name)}: data[{json.dumps(f'x_validation.{x.name}')}]{cast_code(x)}"
            for x in inputs
        )
        arrays = "{" + ", ".join(pairs) + "}"
    ranges = f"sensitivity.calibrated(source, samples[:{calibration}])" if integer else "None"
    high = f" | dict.fromkeys(kept, {kept})" if kept is not None else ""
    measure = MEASURE_NAMES[variant.description.task]
    which_measure = "" if measure == "F1" else f", {measure}"
    labels = 'data["y_validation"][rows]'
    if variant.description.task == "agreement":
        labels = f"sensitivity.predictions(source, samples{which})  # there are no others"
    weighted = "validation" in variant.description.weighted
    counted = ', weights=data["w_validation"][rows]' if weighted else ""
    search = (
        f"sensitivity.choose(order, score(source), {budget}, score_with{which_measure})"
        if layers is None
        else f"[(min({layers}, len(order)), None)]"
    )
    return f"""\

data = np.load({json.dumps(data)})
arrays = {arrays}
rows = drawn(len(data["y_validation"]), samples={samples}, seed={seed})
samples = [{{name: x[i : i + 1] for name, x in arrays.items()}} for i in rows]
labels = {labels}
ranges = {ranges}
four = sensitivity.FOUR_BIT_WEIGHTS if {low} == 4 else ()
low = {{item.scope: 4 if item.kind in four else 8 for item in sensitivity.operations(source)}}


def mixed(kept):
    return {{scope: bits for scope, bits in low.items() if scope not in kept}}{high}


def score_of(outputs):
    return {measure}.of(outputs, labels, from_logits={variant.description.from_logits}{counted})


def score(file):
    return score_of(sensitivity.predictions(file, samples{which}))


def score_with(kept):
    if not mixed(kept):
        return score(source)
    sensitivity.quantize(source, "trial.tflite", mixed(kept), ranges)
    return score("trial.tflite")


swept = {{
    scope: (snr, found)
    for scope, snr, found in sensitivity.sweep(
        source, "trial.tflite", samples, score_of, low, ranges{which}
    )
}}
order = sorted(swept, key=swept.get)
tried = {search}
print("kept:", order[: tried[-1][0]])
sensitivity.quantize(source, {json.dumps(output)}, mixed(order[: tried[-1][0]]), ranges)
strip_metadata({json.dumps(output)})
"""
