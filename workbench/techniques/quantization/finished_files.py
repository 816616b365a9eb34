"""Quantizations that also take LiteRT and ONNX files: each by the tools of its own format."""

from __future__ import annotations

from importlib.util import find_spec
from typing import ClassVar, Literal, TypeVar

from typing_extensions import override

from workbench.api.bundle import import_code
from workbench.api.dataset import DatasetInfo
from workbench.api.errors import Refused
from workbench.api.file_format import file_format
from workbench.api.technique import Applied, CodePaths, Context, Estimate, Parameters
from workbench.api.text import Text, say
from workbench.api.variant import Format, Report, Variant
from workbench.exporting.calibration import float32_obstacle
from workbench.exporting.litert_files import missing_converter, output_name
from workbench.exporting.onnx_opset import with_opset
from workbench.exporting.runs_once import require_that_it_runs
from workbench.models.converting.onnx_precision import to_dynamic_int8, to_float16
from workbench.models.reading.description import describe
from workbench.plain.onnx.strip import strip_onnx
from workbench.techniques.quantization.litert_conversion import LiteRTConversion
from workbench.techniques.quantization.litert_recipes import applied_file, missing_quantizer, quantize_file
from workbench.techniques.quantization.litert_weights import Rounding, rounding_code, tell

P = TypeVar("P", bound=Parameters)

_ONNX_TOOLS = {"to_float16": to_float16, "to_dynamic_int8": to_dynamic_int8}


class FinishedFileConversion(LiteRTConversion[P]):
    """Makes a LiteRT file of a Keras model or of a LiteRT file, and an ONNX file of an ONNX file.

    A technique says what the LiteRT quantizer is told, and which function of
    :mod:`workbench.plain.onnx.precision` does the same to an ONNX file.
    """

    rounding: ClassVar[Rounding]
    onnx_tool: ClassVar[Literal["to_float16", "to_dynamic_int8"]]

    def onnx_expectation(self) -> Text:
        """What usually happens to size, speed and quality of an ONNX file."""
        raise NotImplementedError

    @override
    def result_format(self, variant: Variant) -> Format:
        return "onnx" if variant.format == "onnx" else "tflite"

    @override
    def unavailable(self) -> Text | None:
        return missing_converter()

    @override
    def lacks(self, variant: Variant, parameters: P) -> Text | None:
        if variant.format == "tflite":
            return missing_quantizer()
        if variant.format == "onnx":
            missing = next((name for name in ("onnx", "onnxruntime") if find_spec(name) is None), None)
            return None if missing is None else say("{package} is not installed.", package=missing)
        return self.unavailable()

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: P) -> Text | None:
        if variant.format == "keras":
            return super().obstacle(variant, dataset, parameters)
        return float32_obstacle(variant, "tflite", "onnx")

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: P) -> Estimate:
        usual = super().estimate(variant, dataset, parameters)
        return (
            usual.model_copy(update={"expectation": self.onnx_expectation()})
            if variant.format == "onnx"
            else usual
        )

    @override
    def apply(self, context: Context, parameters: P) -> Applied:
        if context.parent.format == "tflite":
            return self._of_litert(context, parameters)
        if context.parent.format == "onnx":
            return self._of_onnx(context)
        return super().apply(context, parameters)

    def _of_litert(self, context: Context, parameters: P) -> Applied:
        path = context.folder / "model.tflite"
        context.report.stage(say("Quantizing"))
        context.report.check()
        quantize_file(context.parent.path, path, lambda worker: tell(worker, [self.rounding]))
        context.report.progress(0.8)
        require_that_it_runs(path, "litert", context.parent)
        return applied_file(context, path, (self.weights,), self.notes(parameters))

    def _of_onnx(self, context: Context) -> Applied:
        path = context.folder / "model.onnx"
        context.report.stage(say("Quantizing"))
        context.report.check()
        source, raised = with_opset(context.parent.path, context.folder / "raised.onnx")
        _ONNX_TOOLS[self.onnx_tool](source, path)
        if source != context.parent.path:
            source.unlink()
        strip_onnx(path)
        context.report.progress(0.8)
        context.report.check()
        require_that_it_runs(path, "onnxruntime", context.parent)
        description = describe(path, "onnx", like=context.parent.description)
        if description.precision == context.parent.description.precision:
            raise Refused(
                say(
                    "No weight of this file was rounded: what holds them ({kinds}) has no such form.",
                    kinds=tuple({layer.kind: None for layer in description.layers if layer.parameters})
                    or tuple({layer.kind: None for layer in description.layers}),
                ),
                say("To make it faster, choose another number of threads or a larger batch."),
            )
        context.report.progress(1.0)
        return Applied(
            path=path,
            format="onnx",
            runtime="onnxruntime",
            settings=context.parent.settings,
            description=description,
            report=Report(
                touched=(
                    say(
                        "Converted from {before} to {after}.",
                        before=context.parent.description.precision,
                        after=description.precision,
                    ),
                ),
                notes=raised,
            ),
        )

    @override
    def code(self, variant: Variant, parameters: P, paths: CodePaths) -> str:
        if variant.format == "tflite":
            return f"""\
{
                import_code(
                    "from litert_quantizer.qtyping import TFLOperationName as Operation",
                    "from litert_quantizer.quantizer import AlgorithmName, Quantizer",
                    "from plain.litert.strip import strip_metadata",
                )
            }\
quantizer = Quantizer("{paths.model}")
{rounding_code(self.rounding)}\
quantizer.quantize().export_model("{output_name(paths)}", overwrite=True)
strip_metadata("{output_name(paths)}")
"""
        if variant.format == "onnx":
            output = file_format("onnx").named(paths.output)
            return f"""\
{
                import_code(
                    "from plain.onnx.opset import raised_opset",
                    f"from plain.onnx.precision import {self.onnx_tool}",
                    "from plain.onnx.strip import strip_onnx",
                )
            }\
source = raised_opset("{paths.model}", "raised.onnx")
{self.onnx_tool}(source, "{output}")
strip_onnx("{output}")
"""
        return super().code(variant, parameters, paths)
