"""4-bit weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.technique import Aim, Estimate, Parameters
from workbench.api.text import Text, say
from workbench.api.variant import Layer, Variant
from workbench.exporting.litert_files import conversion_seconds
from workbench.exporting.parameter_types import WeightsRange
from workbench.exporting.stored import SCALE, ZERO_POINT, stored_bytes
from workbench.plain.litert.sensitivity import FOUR_BIT_KERNELS, FOUR_BIT_WEIGHTS
from workbench.techniques.quantization.litert_weights import Rounding, WeightRounding

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
    weights_range: WeightsRange = Field(
        "minmax",
        description="minmax: the largest weight of each channel. mse, octav: a narrower range that clips "
        "the largest weights for finer steps; one formula for bell-shaped weights, or an iteration.",
    )
    rest: Literal["int8", "float32"] = Field(
        "int8",
        title="What has no 4-bit form",
        description="Depthwise and transposed convolutions have none: their weights get 8 bits, or stay.",
        json_schema_extra={"advanced": True},
    )


class Int4Weights(WeightRounding[Int4Parameters]):
    """Stores weights in 4 bits, each channel with a scale of its own.

    An eighth of the size. A weight is one of 15 values, so quality falls visibly, most in small
    models and thin layers; fine-tuning with rounded weights (quantization-aware training) gets much of
    it back. No data is needed. Slower than float32 on most PCs: kernels unpack the weights as they go.

    Source: the LiteRT quantizer (formerly AI Edge Quantizer, github.com/google-ai-edge); Sakr et al.,
    Optimal Clipping and Magnitude-aware Differentiation, ICML 2022 (arXiv:2206.06501), for OCTAV.
    """

    name: ClassVar[str] = "quantization.int4_weights"
    title: ClassVar[str] = "4-bit weights"
    aims: ClassVar[frozenset[Aim]] = frozenset({"smaller"})
    trains: ClassVar[bool] = False
    weights: ClassVar[tuple[str, ...]] = ("int4", "int8")

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: Int4Parameters) -> Text | None:
        if (reason := super().obstacle(variant, dataset, parameters)) is not None:
            return reason
        kinds = {layer.kind for layer in variant.description.layers if layer.parameters}
        if kinds and not kinds & (_FOUR_BIT_LAYERS | {*FOUR_BIT_WEIGHTS}):
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
    def stored_bytes(self, layers: Sequence[Layer], parameters: Int4Parameters) -> float:
        rest = {"int8": 8, "float32": 32}[parameters.rest]
        return stored_bytes(
            layers,
            lambda layer: 4 if layer.kind in _FOUR_BIT_LAYERS else rest,
            per_channel=SCALE,
            shared_per_channel=ZERO_POINT,
        )

    @override
    def note(self, parameters: Int4Parameters) -> Text:
        if parameters.compute == "float32":
            return say("LiteRT widens the weights to float32 and computes with exact activations.")
        return say("Activations stay float32 between operations and are rounded to 8 bits inside them.")

    @override
    def roundings(self, parameters: Int4Parameters) -> list[Rounding]:
        method = "add_weight_only_config" if parameters.compute == "float32" else "add_dynamic_config"
        rest = [Rounding(method, "ALL_SUPPORTED", 8)] if parameters.rest == "int8" else []
        algorithm = _ALGORITHMS[parameters.weights_range]
        kinds = FOUR_BIT_WEIGHTS if parameters.compute == "float32" else FOUR_BIT_KERNELS
        return [
            *rest,
            *(
                # Other ranges are for one matrix at a time.
                Rounding(method, kind, 4, _ALGORITHMS["minmax"] if kind == "BATCH_MATMUL" else algorithm)
                for kind in kinds
            ),
        ]

    @override
    def variant_name(self, parameters: Int4Parameters) -> str:
        return "int4"
