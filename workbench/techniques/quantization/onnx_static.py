"""Static int8 for ONNX Runtime: quantize and dequantize nodes around every operation."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.api.bundle import import_code
from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.file_format import file_format
from workbench.api.library_errors import reason_of
from workbench.api.technique import (
    Aim,
    Applied,
    CodePaths,
    Context,
    Estimate,
    InstructionUse,
    Technique,
)
from workbench.api.text import Text, say
from workbench.api.variant import Format, Layer, Report, Variant
from workbench.exporting.calibration import (
    float32_obstacle,
    samples_code,
)
from workbench.exporting.litert_files import (
    CalibratedParameters,
    conversion_seconds,
)
from workbench.exporting.onnx_files import (
    calibration_reader,
    input_names,
    is_large,
    one_file,
    operations,
    prepared_onnx,
)
from workbench.exporting.parameter_types import ScalePerChannel
from workbench.exporting.runs_once import require_that_it_runs
from workbench.exporting.stored import SCALE, stored_bytes
from workbench.models.converting.conversion import OPSET
from workbench.models.converting.memory import release_memory
from workbench.plain.onnx.quantize import ActivationType, RangeMethod, quantize_int8
from workbench.plain.onnx.strip import strip_onnx

Method = Literal["minmax", "entropy", "percentile"]

_HISTOGRAM_BYTES = 2 << 30
"""Entropy and percentile keep every activation of every sample until the end: at most so many."""


class OnnxInt8Parameters(CalibratedParameters):
    """How ranges are found, and which numbers are used."""

    method: Method = Field(
        "minmax",
        title="Range of activations",
        description="minmax: the extremes that were seen. entropy: the range that loses least information. "
        "percentile: all but the outermost 0.001% of values.",
    )
    per_channel: ScalePerChannel = True
    activations: Literal["automatic", "uint8", "int8"] = Field(
        "automatic",
        title="Activations",
        description="uint8 is fast on PCs, int8 on Arm; automatic takes what suits this machine.",
        json_schema_extra={"advanced": True},
    )
    reduce_range: Literal["automatic", "on", "off"] = Field(
        "automatic",
        title="Weights in 7 bits",
        description="PC processors without VNNI add products in 16 bits, which overflow with full 8-bit "
        "weights. Automatic: on if this machine is such a one.",
        json_schema_extra={"advanced": True},
    )


class OnnxInt8(Technique[OnnxInt8Parameters]):
    """Stores weights in 8 bits and lets ONNX Runtime compute with 8-bit activations.

    The model becomes ONNX, and every operation that has an 8-bit form gets nodes that quantize and
    dequantize around it (QDQ); ONNX Runtime fuses them into integer kernels. The range of every
    activation is observed on samples of the validation split. About a quarter of the size; usually
    faster than ONNX Runtime float32, most with VNNI.

    Source: ONNX Runtime, Quantize ONNX Models (onnxruntime.ai/docs/performance/model-optimizations/
    quantization.html); Jacob et al., CVPR 2018 (arXiv:1712.05877).
    """

    name: ClassVar[str] = "quantization.onnx_int8"
    title: ClassVar[str] = "int8 for ONNX Runtime"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = False
    int8_instructions: ClassVar[InstructionUse] = "of use"
    produces: ClassVar[Format | None] = "onnx"
    packages: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime", "tf2onnx")

    @override
    def unavailable(self) -> Text | None:
        for package in self.packages:
            if find_spec(package) is None:
                return say("{package} is not installed.", package=package)
        return None

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: OnnxInt8Parameters) -> Text | None:
        if (reason := float32_obstacle(variant, "onnx")) is not None:
            return reason
        samples = min(parameters.samples, dataset.counts[parameters.split])
        if parameters.method != "minmax" and samples * _activation_bytes(variant) > _HISTOGRAM_BYTES:
            return say(
                "{method} would keep the activations of {samples} samples in memory, more than {limit} GiB. "
                "Take fewer samples, or minmax.",
                method=parameters.method,
                samples=samples,
                limit=_HISTOGRAM_BYTES >> 30,
            )
        return None

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: OnnxInt8Parameters) -> Estimate:
        samples = min(parameters.samples, dataset.counts[parameters.split])
        passes = 1 if parameters.method == "minmax" else 4
        # Entropy tries every range of every activation, a fifth of a second each.
        trying = 0.2 * len(variant.description.layers) if parameters.method == "entropy" else 0.0
        return Estimate(
            seconds=conversion_seconds(variant.description, samples * passes) + trying,
            size_ratio=0.3,
            expectation=say(
                "Size about 1/4, a little more for small models. Usually faster than ONNX Runtime "
                "float32; how much depends on the processor and on the width of the layers. Quality "
                "usually within a point."
            ),
        )

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: OnnxInt8Parameters) -> float:
        return stored_bytes(
            layers, lambda layer: 8, per_channel=2 * SCALE + 5 if parameters.per_channel else 0
        )

    @override
    def apply(self, context: Context, parameters: OnnxInt8Parameters) -> Applied:
        from workbench.api.privacy import import_onnxruntime
        from workbench.models.reading.description import describe

        onnxruntime = import_onnxruntime()
        path = context.folder / "model.onnx"
        settings = _settings(parameters)
        with tempfile.TemporaryDirectory(prefix="workbench-") as temporary:
            source = prepared_onnx(context, Path(temporary))
            reader, note = calibration_reader(context, parameters, input_names(onnxruntime, source))
            context.report.stage(say("Calibrating and quantizing"))
            try:
                large = is_large(context.parent)
                written = Path(temporary) / "quantized.onnx" if large else path
                quantize_int8(
                    source,
                    written,
                    reader,
                    method=_METHODS[parameters.method],
                    activations=settings.activation,
                    per_channel=parameters.per_channel,
                    reduce_range=settings.reduce_range,
                    large=large,
                    release=release_memory,
                )
                if large:
                    release_memory()
                    one_file(written, path)
                release_memory()
            except WorkbenchError:
                raise
            except (ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
                raise InvalidInput(
                    say("ONNX Runtime cannot quantize this model: {error}", error=reason_of(error)),
                    say("Choose another way of int8, or another runtime."),
                ) from error
        strip_onnx(path)
        context.report.progress(0.95)
        context.report.check()
        require_that_it_runs(path, "onnxruntime", context.parent)
        description = describe(path, "onnx", like=context.parent.description)
        touched, skipped = operations(path)
        context.report.progress(1.0)
        return Applied(
            path=path,
            format="onnx",
            runtime="onnxruntime",
            settings=context.parent.settings,
            description=description,
            report=Report(touched=(touched, _numbers(settings)), skipped=skipped, notes=(note,)),
        )

    @override
    def code(self, variant: Variant, parameters: OnnxInt8Parameters, paths: CodePaths) -> str:
        settings = _settings(parameters)
        output = file_format("onnx").named(paths.output)
        keras = variant.format == "keras"
        start = f'source = raised_opset("{paths.model}", "raised.onnx")\n'
        if keras:
            start = (
                f'model = keras.models.load_model("{paths.model}", compile=False)\n'
                f'source = "float32.onnx"\nexport_onnx(model, source, opset={OPSET})\n'
            )
        single = len(variant.description.inputs) == 1
        name = "onnxruntime.InferenceSession(source).get_inputs()[0].name"
        return f"""\
import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime would write an identifier for its maker

{
            import_code(
                "import keras" if keras else "",
                "import numpy as np",
                "import onnxruntime" if single else "",
                "from onnxruntime.quantization.shape_inference import quant_pre_process",
                "from plain.calibration import drawn",
                "from plain.onnx.export import export_onnx" if keras else "",
                "" if keras else "from plain.onnx.opset import raised_opset",
                "from plain.onnx.quantize import ActivationType, RangeMethod, quantize_int8, sample_reader",
                "from plain.onnx.strip import strip_onnx",
            )
        }\
{start}
data = np.load("{paths.data}")
{samples_code(variant, parameters, name)}
quant_pre_process(source, "prepared.onnx", skip_symbolic_shape=True)
quantize_int8(
    "prepared.onnx",
    "{output}",
    sample_reader({{name: x[i : i + 1] for name, x in arrays.items()}} for i in rows),
    method="{_METHODS[parameters.method]}",
    activations="{settings.activation}",
    per_channel={parameters.per_channel},
    reduce_range={settings.reduce_range},
)
strip_onnx("{output}")
"""

    @override
    def variant_name(self, parameters: OnnxInt8Parameters) -> str:
        return "ONNX int8"


_METHODS: dict[Method, RangeMethod] = {
    "minmax": "MinMax",
    "entropy": "Entropy",
    "percentile": "Percentile",
}


@dataclass(frozen=True)
class _Settings:
    activation: ActivationType
    reduce_range: bool


def _numbers(settings: _Settings) -> Text:
    activation = {"QUInt8": "uint8", "QInt8": "int8"}[settings.activation]
    if settings.reduce_range:
        return say(
            "Activations are {activation}; weights are int8 and use 7 of their bits, so that sums cannot "
            "overflow on processors without VNNI.",
            activation=activation,
        )
    return say("Activations are {activation}; weights are int8.", activation=activation)


def _settings(parameters: OnnxInt8Parameters) -> _Settings:
    """What ``automatic`` means on this machine, as ONNX Runtime's ``quantize_static`` advises."""
    from workbench.measure.environment import environment

    features = environment().features
    arm = "NEON" in features
    activation: dict[str, ActivationType] = {
        "automatic": "QInt8" if arm else "QUInt8",
        "uint8": "QUInt8",
        "int8": "QInt8",
    }
    exact = arm or any("VNNI" in feature for feature in features)
    reduced = {"automatic": not exact, "on": True, "off": False}
    return _Settings(activation[parameters.activations], reduced[parameters.reduce_range])


def _activation_bytes(variant: Variant) -> int:
    total = 0
    for layer in variant.description.layers:
        elements = 1
        for length in layer.output_shape:
            elements *= length or 1
        total += 4 * elements
    return total
