"""Int8 weights, activations quantized on the fly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.technique import Aim, Parameters
from workbench.api.text import Text, say
from workbench.api.variant import Layer, Variant
from workbench.exporting.stored import SCALE, ZERO_POINT, stored_bytes
from workbench.techniques.quantization.converter_settings import DEFAULT
from workbench.techniques.quantization.finished_files import FinishedFileConversion
from workbench.techniques.quantization.litert_weights import Rounding

_FEWEST_WEIGHTS = 1024
"""The converter leaves smaller tensors in float32."""


class DynamicRangeParameters(Parameters):
    """Nothing to choose."""


class DynamicRange(FinishedFileConversion[DynamicRangeParameters]):
    """Stores weights in 8 bits; activations stay float32 and are rounded to 8 bits during each product.

    A quarter of the size, no data needed, and usually the easiest speed-up for dense layers: the
    range of an activation is found anew for every sample, so nothing has to be calibrated. TensorFlow's
    converter leaves tensors with fewer than 1,024 weights in float32. An ONNX file stays one.

    Source: https://ai.google.dev/edge/litert/models/post_training_quant
    """

    name: ClassVar[str] = "quantization.dynamic_range"
    title: ClassVar[str] = "Dynamic range (int8 weights)"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = False
    rounding: ClassVar[Rounding] = Rounding("add_dynamic_config", "ALL_SUPPORTED", 8)
    onnx_tool: ClassVar[Literal["to_float16", "to_dynamic_int8"]] = "to_dynamic_int8"

    @override
    def onnx_expectation(self) -> Text:
        return say(
            "Size about 1/4. Usually faster than ONNX Runtime float32 for dense layers; convolutions are "
            "often slower. Quality nearly unchanged."
        )

    @override
    def obstacle(
        self, variant: Variant, dataset: DatasetInfo, parameters: DynamicRangeParameters
    ) -> Text | None:
        reason = super().obstacle(variant, dataset, parameters)
        if reason is not None or variant.format != "keras":
            return reason
        layers = variant.description.layers
        # Weights and bias of a layer together are an upper bound of its largest tensor.
        if layers and max(layer.parameters for layer in layers) < _FEWEST_WEIGHTS:
            return say(
                "No layer of {name} has 1,024 weights or more, and smaller ones are left in float32: "
                "nothing would change. Choose int8 or float16.",
                name=variant.name,
            )
        return None

    @override
    def expectation(self) -> Text:
        return say(
            "Size about 1/4 of what is in large layers. Often somewhat faster than LiteRT "
            "float32, most for dense layers; quality nearly unchanged."
        )

    @override
    def size_ratio(self, variant: Variant) -> float:
        layers = variant.description.layers
        large = sum(layer.parameters for layer in layers if layer.parameters >= 1024)
        share = large / max(1, sum(layer.parameters for layer in layers)) if layers else 1.0
        return round(1 - 0.74 * share, 2)

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: DynamicRangeParameters) -> float:
        def bits(layer: Layer) -> float:
            biases = layer.output_shape[-1] or 0 if layer.output_shape else 0
            return 32 if layer.parameters - biases < _FEWEST_WEIGHTS else 8

        return stored_bytes(layers, bits, per_channel=SCALE, shared_per_channel=ZERO_POINT)

    @override
    def notes(self, parameters: DynamicRangeParameters) -> tuple[Text, ...]:
        return (say("Activations stay float32 between operations."),)

    @override
    def settings(self, parameters: DynamicRangeParameters) -> dict[str, Any]:
        return {"optimizations": [DEFAULT]}
