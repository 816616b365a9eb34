"""TensorRT engines."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.technique import Aim, Applied, CodePaths, Context, Estimate, Technique
from workbench.api.text import Text, say
from workbench.api.variant import Format, Report, RuntimeSettings, Variant
from workbench.exporting.calibration import float32_obstacle
from workbench.exporting.judging import chosen_by_first
from workbench.exporting.litert_files import conversion_seconds
from workbench.runtimes import runtime
from workbench.techniques.inference.tensorrt.code import tensorrt_code
from workbench.techniques.inference.tensorrt.files import prepare, quality_table
from workbench.techniques.inference.tensorrt.parameters import TensorRtParameters


class TensorRtEngine(Technique[TensorRtParameters]):
    """Runs the model on an NVIDIA GPU, as an engine of the fastest kernels that TensorRT finds.

    The model becomes an ONNX file whose own element types say what is computed in which precision:
    float16 and bfloat16 by casts, int8 by nodes that quantize and dequantize. Its quality is known
    before any GPU is: ONNX Runtime predicts with the same numbers. TensorRT builds the engine when the
    file is loaded on the GPU, for batches from 1 to the larger of the chosen one and 32, and keeps it
    and its timings for the next time.

    Written for TensorRT 10.13 and later and 11 and checked against their interfaces; not yet run on a GPU.

    Source: docs.nvidia.com/deeplearning/tensorrt, Working with Quantized Types, Strongly Typed Networks.
    """

    name: ClassVar[str] = "inference.tensorrt"
    title: ClassVar[str] = "TensorRT engine"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster"})
    trains: ClassVar[bool] = False
    needs_gpu: ClassVar[bool] = True
    produces: ClassVar[Format | None] = "onnx"
    packages: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime", "tf2onnx", "tensorrt", "pycuda")

    @override
    def unavailable(self) -> Text | None:
        return runtime("tensorrt").unavailable()

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: TensorRtParameters) -> Text | None:
        reason = float32_obstacle(variant, "onnx")
        if reason is None and any(None in spec.shape for spec in variant.description.inputs):
            return say("An input of {name} has a free axis besides the batch.", name=variant.name)
        return reason

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: TensorRtParameters) -> Estimate:
        ratio = {"float32": 1.0, "float16": 0.5, "bfloat16": 0.5, "int8": 1.0}[parameters.precision]
        samples = min(parameters.samples, dataset.counts[parameters.split])
        return Estimate(
            seconds=60 + conversion_seconds(variant.description, samples),
            size_ratio=ratio,
            expectation=say(
                "Building the engine takes seconds to minutes, once for each GPU. Large models gain most; at "
                "batch 1 a small model waits for the copy to the GPU and may be slower than on the CPU."
            ),
        )

    @override
    def apply(self, context: Context, parameters: TensorRtParameters) -> Applied:
        from workbench.models.reading.description import describe

        path = context.folder / "model.onnx"
        with tempfile.TemporaryDirectory(prefix="workbench-") as temporary:
            made = prepare(context, parameters, path, Path(temporary))
            context.report.progress(0.85)
            context.report.stage(say("Predicting what the GPU will"))
            table = quality_table(context, made.source, made.judged)
        context.report.progress(0.95)
        description = describe(path, "onnx", like=context.parent.description)
        description = description.model_copy(update={"precision": parameters.precision})
        context.report.progress(1.0)
        return Applied(
            path=path,
            format="onnx",
            runtime="tensorrt",
            settings=RuntimeSettings(threads=1, batch=parameters.batch),
            description=description,
            report=Report(
                touched=made.touched,
                skipped=made.skipped,
                notes=(
                    *made.notes,
                    *chosen_by_first(context.parent.description),
                    say("The engine is built when the file is loaded on a GPU, and kept there."),
                ),
                tables=(table,),
            ),
        )

    @override
    def code(self, variant: Variant, parameters: TensorRtParameters, paths: CodePaths) -> str:
        return tensorrt_code(variant, parameters, paths)

    @override
    def variant_name(self, parameters: TensorRtParameters) -> str:
        return f"TensorRT {parameters.precision}"
