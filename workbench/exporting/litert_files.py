"""What the LiteRT quantizations share: who may be quantized, samples to calibrate with, the file."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from workbench.api.file_format import file_format, format_obstacle
from workbench.api.technique import Applied, CodePaths, Context, Parameters
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription, Report, TensorSpec, Variant
from workbench.exporting.litert_report import report_of
from workbench.exporting.parameter_types import SamplingSeed
from workbench.exporting.runs_once import require_that_it_runs
from workbench.graph.calls import read_config
from workbench.models.converting.conversion import load_keras, to_tflite
from workbench.models.reading.description import describe
from workbench.models.reading.lookups import lookup_obstacle
from workbench.plain.calibration import drawn
from workbench.plain.litert.strip import strip_metadata

CalibrationSplit = Literal["train", "validation"]

_ADVANCED: dict[str, Any] = {"advanced": True}


class CalibratedParameters(Parameters):
    """Parameters of a quantization that watches activations on samples."""

    samples: int = Field(
        200,
        ge=16,
        le=10_000,
        title="Calibration samples",
        description="Samples on which the range of every activation is observed. More are slower "
        "and make outliers count; 100 to 500 are usual.",
        json_schema_extra={"unit": "samples"},
    )
    split: CalibrationSplit = Field(
        "validation",
        title="Taken from",
        description="The split that the samples are drawn from. Never the test split: results on "
        "it would be too good.",
        json_schema_extra=_ADVANCED,
    )
    seed: SamplingSeed = 0


def missing_converter() -> Text | None:
    """Why no LiteRT file can be made and described here, or None."""
    for package, module in (("tensorflow", "tensorflow"), ("ai-edge-litert", "ai_edge_litert")):
        if find_spec(module) is None:
            return say("{package} is not installed.", package=package)
    return None


def conversion_obstacle(variant: Variant) -> Text | None:
    """Why a variant cannot be converted to a quantized LiteRT file, or None."""
    if variant.format == "keras":
        return lookup_obstacle(variant)
    if variant.description.precision != "float32":
        return say(
            "{name} is already {precision}: what rounding has taken cannot be brought back. Start from the "
            "model in float32.",
            name=variant.name,
            precision=variant.description.precision,
        )
    return format_obstacle(variant, "keras")


_LOOPS = {
    *("RNN", "LSTM", "GRU", "SimpleRNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"),
    "WHILE",
}


def calibration_obstacle(variant: Variant) -> Text | None:
    """Why activations of a variant cannot be calibrated for LiteRT, or None.

    TensorFlow's calibrator ends the process on a loop, and the LiteRT quantizer finds no values in it.
    """
    loop = next((layer for layer in variant.description.layers if layer.kind in _LOOPS), None)
    if loop is None:
        return None
    return say(
        "LiteRT runs {layer} ({kind}) as a loop, which calibration cannot look into. Choose 8-bit weights, "
        "4-bit weights or float16, or int8 for ONNX Runtime or OpenVINO.",
        layer=loop.name,
        kind=loop.kind,
    )


def takes_whole_numbers(variant: Variant) -> bool:
    """Whether an input takes integers, such as the numbers of words."""
    return any(spec.dtype.startswith(("int", "uint")) for spec in variant.description.inputs)


_OPERATIONS = {"MultiHeadAttention": 24, "GroupQueryAttention": 24, "LayerNormalization": 12}
"""So many a layer becomes, where it is not one or two."""


def conversion_seconds(description: ModelDescription, samples: int = 0) -> float:
    """Rough wall time of a conversion, with one inference in the converter's own interpreter per sample."""
    one_inference = max(0.002, (description.macs or 10 * description.parameters) / 1e9)
    return 3.0 + description.parameters / 2e6 + samples * one_inference


def litert_bytes(description: ModelDescription, bits: float) -> float:
    """Roughly what a slimmed LiteRT file of a model takes.

    Args:
        description: Of the Keras model, or of a LiteRT file.
        bits: Of a weight, on average. A small file is mostly what lies around them: a scale, a zero point and
            a bias for each channel, and the operations that a layer becomes.
    """
    weights = [layer for layer in description.layers if layer.parameters]
    channels = sum((layer.output_shape or (0,))[-1] or 0 for layer in weights)
    computing = [layer for layer in weights if layer.kind != "BatchNormalization"]  # which is folded
    operations = sum(_OPERATIONS.get(layer.kind, 1) for layer in computing)
    return 2000 + description.parameters * bits / 8 + 16 * channels + 220 * operations


def calibration_index(parameters: CalibratedParameters, count: int) -> npt.NDArray[np.int64]:
    """Positions of the calibration samples in their split."""
    return drawn(count, parameters.samples, parameters.seed)


def load_parent(context: Context) -> Any:
    """The parent as a Keras model."""
    context.report.stage(say("Loading the model"))
    context.report.check()
    model = load_keras(context.parent.path, trust=context.parent.settings.trusted)
    context.report.progress(0.15)
    return model


def write(
    context: Context,
    model: Any,
    weights: str,
    notes: tuple[Text, ...],
    **converter: Any,
) -> Applied:
    """Converts, reads the produced file, and reports what is in it.

    Args:
        context: The technique's context.
        model: The parent as a Keras model.
        weights: NumPy's name of the element type that weights should have in the file.
        notes: Notes for the report.
        **converter: Attributes of ``tf.lite.TFLiteConverter``.

    Raises:
        Refused: If the file holds no weight of the wanted type, so that nothing was gained.
    """
    context.report.stage(say("Converting"))
    context.report.check()
    path = to_tflite(model, context.folder / "model.tflite", **converter)
    context.report.progress(0.85)

    def report(description: ModelDescription) -> Report:
        found = report_of(description, weights, notes)
        require_that_it_runs(path, "litert", context.parent)
        return found

    return finished(context, path, report)


def finished(context: Context, path: Path, report: Callable[[ModelDescription], Report]) -> Applied:
    """Slims and reads a quantized LiteRT file: what every technique hands its file to, and hands back.

    Args:
        context: The technique's context; progress up to 1.
        path: The file, which is shortened in place.
        report: Says what was done, from what the file holds; it may refuse the file.
    """
    context.report.check()
    context.report.stage(say("Reading what was written"))
    strip_metadata(path)
    description = describe(path, "tflite", like=context.parent.description)
    told = report(description)
    context.report.progress(1.0)
    return Applied(
        path=path,
        format="tflite",
        runtime="litert",
        settings=context.parent.settings,
        description=description,
        report=told,
    )


def output_name(paths: CodePaths) -> str:
    """The file that the plain code writes."""
    return file_format("tflite").named(paths.output)


def cast_code(spec: TensorSpec) -> str:
    """What turns an array of the data into what an input takes; nothing for float32."""
    return "" if spec.dtype == "float32" else f'.astype("{spec.dtype}")'


def calibration_code(variant: Variant, parameters: CalibratedParameters) -> str:
    """The part of the plain code that draws calibration samples."""
    inputs = variant.description.inputs
    batch = _fixed_batch(variant)
    rows = "i : i + 1" if batch == 1 else f"rows[i : i + {batch}]"
    starts = "rows" if batch == 1 else f"range(0, len(rows) - {batch - 1}, {batch})"
    if len(inputs) == 1:
        arrays = f'x = data["x_{parameters.split}"]{cast_code(inputs[0])}\n'
        count, sample = "len(x)", f"[x[{rows}]]"
    else:
        pairs = "".join(
            f'    "{spec.name}": data["x_{parameters.split}.{spec.name}"]{cast_code(spec)},\n'
            for spec in inputs
        )
        arrays = f"arrays = {{\n{pairs}}}\n"
        count = f'len(data["y_{parameters.split}"])'
        sample = f"{{name: x[{rows}] for name, x in arrays.items()}}"
    return f"""\
{arrays}\
rows = drawn({count}, samples={parameters.samples}, seed={parameters.seed})


def samples():
    for i in {starts}:
        yield {sample}
"""


def _fixed_batch(variant: Variant) -> int:
    """The batch of a Keras file that takes no other; else 1."""
    try:
        found = re.search(r'"batch_shape": \[(\d+)', json.dumps(read_config(variant.path)))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return 1
    return int(found[1]) if found else 1
