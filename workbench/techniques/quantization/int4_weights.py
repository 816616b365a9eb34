"""4-bit weights."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.data.dataset import DatasetInfo
from workbench.plain_source import plain_source
from workbench.technique import Applied, CodePaths, Context, Estimate, Family, Parameters, Technique
from workbench.techniques.quantization.calibration import float32_parent
from workbench.techniques.quantization.litert_files import SLIMMING, conversion_seconds, output_name
from workbench.techniques.quantization.litert_recipes import (
    applied_file,
    float32_tflite,
    missing_quantizer,
    quantize_file,
    start_code,
)
from workbench.techniques.quantization.sensitivity import FOUR_BIT_KERNELS
from workbench.text import Text, say
from workbench.variant import Format, Variant

_ALGORITHMS = {"minmax": "MIN_MAX_UNIFORM_QUANT", "mse": "MSE", "octav": "OCTAV"}
_FOUR_BIT_LAYERS = frozenset(
    {"Dense", "Conv1D", "Conv2D", "SeparableConv1D", "SeparableConv2D", "Embedding", "EinsumDense"}
)


class Int4Parameters(Parameters):
    """What is computed with, how ranges are found, and what happens to the rest."""

    compute: Literal["float32", "int8"] = Field(
        "float32",
        title="Computes in",
        description="float32: weights are widened again, activations stay exact. int8: activations are "
        "rounded to 8 bits on the fly, which the processor multiplies faster.",
    )
    weights_range: Literal["minmax", "mse", "octav"] = Field(
        "minmax",
        title="Range of weights",
        description="minmax: the largest weight of each channel. mse, octav: a narrower range that clips "
        "the largest weights for finer steps; one formula for bell-shaped weights, or an iteration.",
    )
    rest: Literal["int8", "float32"] = Field(
        "int8",
        title="What has no 4-bit form",
        description="Depthwise and transposed convolutions have none: their weights get 8 bits, or stay.",
        json_schema_extra={"advanced": True},
    )


class Int4Weights(Technique[Int4Parameters]):
    """Stores weights in 4 bits, each channel with a scale of its own.

    An eighth of the size. A weight is one of 15 values, so quality falls visibly, most in small
    models and thin layers; fine-tuning with rounded weights (quantization-aware training) gets much of
    it back. No data is needed. Slower than float32 on most PCs: kernels unpack the weights as they go.

    Source: the LiteRT quantizer (formerly AI Edge Quantizer, github.com/google-ai-edge); Sakr et al.,
    Optimal Clipping and Magnitude-aware Differentiation, ICML 2022 (arXiv:2206.06501), for OCTAV.
    """

    name: ClassVar[str] = "quantization.int4_weights"
    family: ClassVar[Family] = "quantization"
    title: ClassVar[str] = "4-bit weights"
    parameters_type: ClassVar[type[Parameters]] = Int4Parameters
    produces: ClassVar[Format | None] = "tflite"
    packages: ClassVar[tuple[str, ...]] = ("litert-quantizer",)

    @override
    def unavailable(self) -> Text | None:
        return missing_quantizer()

    @override
    def fits(self, variant: Variant, dataset: DatasetInfo, parameters: Int4Parameters) -> Text | None:
        if (reason := float32_parent(variant, "tflite")) is not None:
            return reason
        kinds = {layer.kind for layer in variant.description.layers if layer.parameters}
        if kinds and not kinds & (_FOUR_BIT_LAYERS | {*FOUR_BIT_KERNELS}):
            return say(
                "No layer of {name} has a 4-bit form in LiteRT: only Dense, convolutions that are not "
                "depthwise or transposed, and embeddings have one.",
                name=variant.name,
            )
        return None

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: Int4Parameters) -> Estimate:
        return Estimate(
            seconds=1.0 + conversion_seconds(variant.description),
            size_ratio=0.14,
            expectation=say(
                "Size about 1/7 to 1/8. On a PC usually slower than LiteRT float32, up to three times. "
                "Quality loses from nothing to several points: a weight has only 15 values."
            ),
        )

    @override
    def apply(self, context: Context, parameters: Int4Parameters) -> Applied:
        path = context.folder / "model.tflite"
        with tempfile.TemporaryDirectory(prefix="workbench-") as temporary:
            source = float32_tflite(context, Path(temporary))
            context.report.stage(say("Quantizing"))
            quantize_file(source, path, lambda worker: _recipe(worker, parameters))
        context.report.progress(0.9)
        context.report.check()
        note = (
            say("LiteRT widens the weights to float32 and computes with exact activations.")
            if parameters.compute == "float32"
            else say("Activations stay float32 between operations and are rounded to 8 bits inside them.")
        )
        return applied_file(context, path, ("int4", "int8"), (note,))

    @override
    def code(self, variant: Variant, parameters: Int4Parameters, paths: CodePaths) -> str:
        imports, start = start_code(variant, paths)
        calls = "".join(
            f'quantize.{method}(".*", Operation.{kind}, {bits}, algorithm_key=AlgorithmName.{algorithm})\n'
            for method, kind, bits, algorithm in _settings(parameters)
        )
        return f"""\
{plain_source(SLIMMING)}

{imports}\
from litert_quantizer.qtyping import TFLOperationName as Operation
from litert_quantizer.quantizer import AlgorithmName, Quantizer

{start}
quantize = Quantizer(source)
{calls}\
quantize.quantize().export_model("{output_name(paths)}", overwrite=True)
slim_tflite(Path("{output_name(paths)}"))
"""

    @override
    def variant_name(self, parameters: Int4Parameters) -> str:
        return "int4"


def _settings(parameters: Int4Parameters) -> list[tuple[str, str, int, str]]:
    """Method of the quantizer, operation, bits and algorithm; a later line overrules an earlier one."""
    method = "add_weight_only_config" if parameters.compute == "float32" else "add_dynamic_config"
    algorithm = _ALGORITHMS[parameters.weights_range]
    rest = [(method, "ALL_SUPPORTED", 8, _ALGORITHMS["minmax"])] if parameters.rest == "int8" else []
    return [*rest, *((method, kind, 4, algorithm) for kind in FOUR_BIT_KERNELS)]


def _recipe(worker: Any, parameters: Int4Parameters) -> None:
    from litert_quantizer.qtyping import TFLOperationName
    from litert_quantizer.quantizer import AlgorithmName

    for method, kind, bits, algorithm in _settings(parameters):
        getattr(worker, method)(".*", TFLOperationName[kind], bits, algorithm_key=AlgorithmName[algorithm])
