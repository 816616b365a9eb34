"""What calibrated quantizations to ONNX and OpenVINO share: who fits, and the samples."""

from __future__ import annotations

import json

from workbench.api.file_format import format_obstacle
from workbench.api.text import Text, say
from workbench.api.variant import Format, Variant
from workbench.exporting.litert_files import CalibratedParameters, cast_code
from workbench.models.reading.lookups import lookup_obstacle


def float32_obstacle(variant: Variant, *formats: Format) -> Text | None:
    """Why a variant cannot be the float32 start of a quantization, or None.

    Args:
        variant: The parent.
        formats: What else than ``keras`` can be read; none where the result stays in Keras.
    """
    if formats and (reason := lookup_obstacle(variant)) is not None:
        return reason
    if (reason := format_obstacle(variant, "keras", *formats)) is not None:
        return reason
    if variant.description.precision == "float64":
        return say("{name} is float64; this starts from float32.", name=variant.name)
    if variant.description.precision != "float32":
        return say(
            "{name} is already {precision}: what rounding has taken cannot be brought back. Start from the "
            "model in float32.",
            name=variant.name,
            precision=variant.description.precision,
        )
    return None


def calibration_note(parameters: CalibratedParameters, count: int) -> Text:
    """A note on what was calibrated with.

    Args:
        parameters: What was asked for.
        count: Samples that there were.
    """
    if count < parameters.samples:
        return say(
            "Calibrated with all {count} samples of the {split} split; {wanted} were asked for.",
            count=count,
            split=say(parameters.split),
            wanted=parameters.samples,
        )
    return say(
        "Calibrated with {count} sample of the {split} split.",
        "Calibrated with {count} samples of the {split} split.",
        count=count,
        split=say(parameters.split),
    )


def samples_code(variant: Variant, parameters: CalibratedParameters, name: str | None = None) -> str:
    """Plain code that draws calibration samples: ``arrays`` by input name, and ``rows`` of them.

    Needs ``data``, and ``drawn`` of ``plain.calibration``.

    Args:
        variant: For the names of its inputs.
        parameters: How many, from where, with which seed.
        name: An expression for the name of the only input, where the file has another one.
    """
    inputs = variant.description.inputs
    if len(inputs) == 1:
        key = name or json.dumps(inputs[0].name)
        arrays = f'{{{key}: data["x_{parameters.split}"]{cast_code(inputs[0])}}}'
    else:
        pairs = (
            f"{json.dumps(x.name)}: data[{json.dumps(f'x_{parameters.split}.{x.name}')}]{cast_code(x)}"
            for x in inputs
        )
        arrays = "{" + ", ".join(pairs) + "}"
    return f"""\
arrays = {arrays}
rows = drawn(len(data["y_{parameters.split}"]), samples={parameters.samples}, seed={parameters.seed})
"""
