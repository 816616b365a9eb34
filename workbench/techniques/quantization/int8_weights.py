"""8-bit weights that are computed with in float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field
from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.technique import Aim, Estimate, Parameters
from workbench.api.text import Text, say
from workbench.api.variant import Layer, Variant
from workbench.exporting.litert_files import conversion_seconds
from workbench.exporting.stored import SCALE, ZERO_POINT, stored_bytes
from workbench.techniques.quantization.litert_weights import Rounding, WeightRounding


class Int8WeightsParameters(Parameters):
    """What has a scale of its own, and what is rounded beside the weights."""

    per_channel: bool = Field(
        True,
        title="One scale per channel",
        description="Each output channel of a layer gets its own scale: more exact, a little larger. Off: "
        "one scale for each layer, which keeps weights that share few values few, so that the file packs "
        "better.",
    )
    round_biases: bool = Field(
        False,
        title="Biases in 8 bits",
        description="Biases stay float32, rounded to multiples of a power of two: a small file packs better, "
        "for an error like that of the weights.",
        json_schema_extra={"advanced": True},
    )


class Int8Weights(WeightRounding[Int8WeightsParameters]):
    """Stores weights in 8 bits and computes in float32.

    A quarter of the size at the speed of float32 on any processor: the runtime widens the weights once,
    when it loads the file. Activations are exact, so that nothing has to be calibrated and the quality
    hardly changes. It is the choice where int8 arithmetic is slower than float32, as on a PC without
    VNNI, or where int8 activations lose too much; memory at run time is that of float32.

    Source: the LiteRT quantizer (formerly AI Edge Quantizer, github.com/google-ai-edge), weight-only.
    """

    name: ClassVar[str] = "quantization.int8_weights"
    title: ClassVar[str] = "8-bit weights, float32 arithmetic"
    aims: ClassVar[frozenset[Aim]] = frozenset({"smaller"})
    trains: ClassVar[bool] = False
    weights: ClassVar[tuple[str, ...]] = ("int8",)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: Int8WeightsParameters) -> Estimate:
        return Estimate(
            seconds=1.0 + conversion_seconds(variant.description),
            size_ratio=0.27,
            expectation=say(
                "Size about 1/4. Speed that of LiteRT float32, on any processor; quality nearly unchanged."
            ),
        )

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: Int8WeightsParameters) -> float:
        scale, zero_point = (SCALE, ZERO_POINT) if parameters.per_channel else (0.0, 0.0)
        return stored_bytes(layers, lambda layer: 8, per_channel=scale, shared_per_channel=zero_point)

    @override
    def note(self, parameters: Int8WeightsParameters) -> Text:
        if parameters.round_biases:
            return say(
                "LiteRT widens the weights to float32 and computes with exact activations. Biases are "
                "rounded to 8 bits."
            )
        return say("LiteRT widens the weights to float32 and computes with exact activations.")

    @override
    def roundings(self, parameters: Int8WeightsParameters) -> list[Rounding]:
        granularity = "CHANNELWISE" if parameters.per_channel else "TENSORWISE"
        return [Rounding("add_weight_only_config", "ALL_SUPPORTED", 8, granularity=granularity)]

    @override
    def rounds_biases(self, parameters: Int8WeightsParameters) -> bool:
        return parameters.round_biases

    @override
    def variant_name(self, parameters: Int8WeightsParameters) -> str:
        return "int8 weights"
