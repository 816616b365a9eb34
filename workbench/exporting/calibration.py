"""What calibrated quantizations to ONNX and OpenVINO share: who fits, and the samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Features, sample_count, select
from workbench.api.file_format import format_obstacle
from workbench.api.technique import Context
from workbench.api.text import Text, say
from workbench.api.variant import Format, Variant
from workbench.data.batches import by_name
from workbench.exporting.litert_files import CalibratedParameters, calibration_index, cast_code
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


def representative(
    context: Context, parameters: CalibratedParameters, model: Any
) -> tuple[Callable[[], Iterator[dict[str, npt.NDArray[np.float32]]]], Text]:
    """The calibration samples as the converter wants them, and a note on where they are from.

    Args:
        context: For the data, progress (0.2 to 0.8) and cancellation.
        parameters: How many, from where.
        model: The Keras model; the samples are named after its inputs.
    """
    features: Features = context.dataset.x(parameters.split)
    index = calibration_index(parameters, sample_count(features))
    names = [tensor.name for tensor in model.inputs]
    batch = model.inputs[0].shape[0] or 1

    reached = 0.15

    def samples() -> Iterator[dict[str, npt.NDArray[np.float32]]]:
        nonlocal reached
        starts = range(0, len(index) - batch + 1, batch)
        for number, start in enumerate(starts):
            context.report.check()
            # The converter asks for the samples twice with int16 activations.
            reached = max(reached, 0.2 + 0.6 * number / len(starts))
            context.report.progress(reached)
            yield by_name(
                select(features, index[start : start + batch]), names, context.parent.description.inputs
            )

    return samples, calibration_note(parameters, len(index))


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
