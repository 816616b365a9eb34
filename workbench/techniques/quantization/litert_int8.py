"""int8 with a choice of how ranges are found."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.api.bundle import import_code
from workbench.api.dataset import DatasetInfo, sample_count
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
from workbench.api.variant import Format, Layer, Variant
from workbench.exporting.calibration import calibration_note, float32_obstacle, samples_code
from workbench.exporting.litert_files import (
    CalibratedParameters,
    calibration_index,
    calibration_obstacle,
    conversion_seconds,
    output_name,
)
from workbench.exporting.litert_report import with_float_operations
from workbench.exporting.parameter_types import Int8Io, ScalePerChannel, WeightsRange
from workbench.exporting.stored import SCALE, ZERO_POINT, stored_bytes
from workbench.plain.litert.activation_ranges import observed_ranges, with_ranges
from workbench.techniques.quantization.litert_recipes import (
    applied_file,
    float32_tflite,
    input_names,
    missing_quantizer,
    quantize_file,
    samples,
    start_code,
)

_ALGORITHMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "minmax": ("MIN_MAX_UNIFORM_QUANT", ()),
    "mse": ("MSE", ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D_TRANSPOSE")),
    "octav": ("OCTAV", ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D_TRANSPOSE")),
}
"""Algorithm of the quantizer, and the operations that it is for. Its GPTQ is left out: it goes on with
the inverse Hessian of all columns where that of the remaining ones is meant, and dense layers collapse."""


class LiteRTInt8Parameters(CalibratedParameters):
    """How ranges are found."""

    activations_range: Literal["minmax", "percentile", "mse"] = Field(
        "percentile",
        title="Range of activations",
        description="minmax: the extremes that were seen. percentile: all but the outermost values. mse: the "
        "range of least squared error. The last two clip outliers for finer steps.",
    )
    percentile: float = Field(
        99.99,
        ge=90,
        le=100,
        title="Percentile",
        description="Share of an activation's values that lie inside its range; used by percentile only.",
        json_schema_extra={"unit": "%", "only": {"activations_range": "percentile"}},
    )
    weights_range: WeightsRange = Field(
        "minmax",
        description="minmax: the largest weight. mse, octav: a narrower range that clips the largest weights "
        "for finer steps; one formula for bell-shaped weights, or an iteration.",
        json_schema_extra={"advanced": True},
    )
    io: Int8Io = Field("float32", json_schema_extra={"advanced": True})
    per_channel: ScalePerChannel = True


class LiteRTInt8(Technique[LiteRTInt8Parameters]):
    """Stores weights and activations in 8 bits, with a choice of how their ranges are found.

    The same kind of file as full int8, made by Google's newer quantizer from a float32 LiteRT
    file. Where activations have outliers, ranges that leave them out keep finer steps for the rest.

    Source: the LiteRT quantizer (formerly AI Edge Quantizer, github.com/google-ai-edge); Wu et al., 2020
    (arXiv:2004.09602) for ranges of activations; Sakr et al., ICML 2022 (arXiv:2206.06501), for OCTAV.
    """

    name: ClassVar[str] = "quantization.litert_int8"
    title: ClassVar[str] = "int8 with a choice of ranges"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = False
    int8_instructions: ClassVar[InstructionUse] = "needed"
    produces: ClassVar[Format | None] = "tflite"
    packages: ClassVar[tuple[str, ...]] = ("litert-quantizer",)

    @override
    def unavailable(self) -> Text | None:
        return missing_quantizer()

    @override
    def obstacle(
        self, variant: Variant, dataset: DatasetInfo, parameters: LiteRTInt8Parameters
    ) -> Text | None:
        return float32_obstacle(variant, "tflite") or calibration_obstacle(variant)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: LiteRTInt8Parameters) -> Estimate:
        count = min(parameters.samples, dataset.counts[parameters.split])
        passes = 2 if parameters.activations_range == "minmax" else 3
        return Estimate(
            seconds=1.0 + conversion_seconds(variant.description, count * passes),
            size_ratio=0.27,
            expectation=say("Size about 1/4. Quality usually within a point."),
        )

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: LiteRTInt8Parameters) -> float:
        scale, zero_point = (SCALE, ZERO_POINT) if parameters.per_channel else (0.0, 0.0)
        # Of the kernel, and of the bias.
        return stored_bytes(layers, lambda layer: 8, per_channel=2 * scale, shared_per_channel=zero_point)

    @override
    def apply(self, context: Context, parameters: LiteRTInt8Parameters) -> Applied:
        path = context.folder / "model.tflite"
        index = calibration_index(parameters, sample_count(context.dataset.x(parameters.split)))
        names = input_names(context)
        with tempfile.TemporaryDirectory(prefix="workbench-") as temporary:
            source = float32_tflite(context, Path(temporary))
            context.report.stage(say("Calibrating and quantizing"))

            def calibration(worker: Any) -> Mapping[str, Any]:
                every = _Checked(samples(context, parameters.split, index, names))
                every.check = context.report.check
                context.report.progress(0.3)
                found = dict(worker.calibrate({_signature(source): every}, num_threads=1))
                context.report.progress(0.5)
                ranges = observed_ranges(
                    source,
                    lambda: every,
                    parameters.activations_range,
                    parameters.percentile,
                )
                context.report.progress(0.8)
                return with_ranges(found, ranges)

            quantize_file(source, path, lambda worker: _recipe(worker, parameters), calibration)
        context.report.check()
        note = calibration_note(parameters, len(index))
        return with_float_operations(applied_file(context, path, ("int8",), (note,)))

    @override
    def code(self, variant: Variant, parameters: LiteRTInt8Parameters, paths: CodePaths) -> str:
        imports, start = start_code(variant, paths)
        calls = "".join(
            f'quantizer.add_static_config(".*", Operation.{kind}, 8, 8, Granularity.{granularity}, '
            f"AlgorithmName.{algorithm})\n"
            for kind, granularity, algorithm in _settings(parameters)
        )
        if parameters.io == "float32":
            calls += "".join(
                f'quantizer.update_quantization_recipe(".*", Operation.{end}, '
                "algorithm_key=AlgorithmName.NO_QUANTIZE)\n"
                for end in ("INPUT", "OUTPUT")
            )
        return f"""\
{
            import_code(
                *imports,
                "import numpy as np",
                "from litert_quantizer.qtyping import QuantGranularity as Granularity",
                "from litert_quantizer.qtyping import TFLOperationName as Operation",
                "from litert_quantizer.quantizer import AlgorithmName, Quantizer",
                "from plain.calibration import drawn",
                "from plain.litert.activation_ranges import observed_ranges, with_ranges",
                "from plain.litert.strip import strip_metadata",
            )
        }\
{start}
data = np.load("{paths.data}")
{samples_code(variant, parameters)}

def samples():
    for i in rows:
        yield {{name: x[i : i + 1] for name, x in arrays.items()}}


quantizer = Quantizer(source)
{calls}\
calibration = dict(quantizer.calibrate({{"serving_default": list(samples())}}, num_threads=1))
ranges = observed_ranges(source, samples, "{parameters.activations_range}", {parameters.percentile})
quantizer.quantize(with_ranges(calibration, ranges)).export_model("{output_name(paths)}", overwrite=True)
strip_metadata("{output_name(paths)}")
"""

    @override
    def variant_name(self, parameters: LiteRTInt8Parameters) -> str:
        return f"int8 {parameters.activations_range}"


def _settings(parameters: LiteRTInt8Parameters) -> list[tuple[str, str, str]]:
    """Operation, granularity and algorithm; a later line overrules an earlier one."""
    granularity = "CHANNELWISE" if parameters.per_channel else "TENSORWISE"
    lines = [("ALL_SUPPORTED", granularity, _ALGORITHMS["minmax"][0])]
    algorithm, kinds = _ALGORITHMS[parameters.weights_range]
    return [*lines, *((kind, granularity, algorithm) for kind in kinds)]


def _recipe(worker: Any, parameters: LiteRTInt8Parameters) -> None:
    from litert_quantizer.qtyping import QuantGranularity, TFLOperationName
    from litert_quantizer.quantizer import AlgorithmName

    for kind, granularity, algorithm in _settings(parameters):
        worker.add_static_config(
            ".*",
            TFLOperationName[kind],
            8,
            8,
            QuantGranularity[granularity],
            AlgorithmName[algorithm],
        )
    if parameters.io == "float32":
        for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
            worker.update_quantization_recipe(".*", end, algorithm_key=AlgorithmName.NO_QUANTIZE)


def _signature(path: Path) -> str:
    from ai_edge_litert.interpreter import Interpreter

    names: list[str] = list(Interpreter(str(path), num_threads=1).get_signature_list())
    return names[0]


class _Checked(list[dict[str, Any]]):
    """Samples that look for cancellation as they are gone through; the quantizer wants a list."""

    check: Callable[[], None]

    @override
    def __iter__(self) -> Iterator[dict[str, Any]]:
        for sample in super().__iter__():
            self.check()
            yield sample
