"""Int8 weights with int16 activations, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.technique import Aim
from workbench.api.text import Text, say
from workbench.api.variant import Layer, Variant
from workbench.exporting.litert_files import CalibratedParameters, takes_whole_numbers
from workbench.exporting.parameter_types import Int16Io
from workbench.exporting.stored import SCALE, ZERO_POINT, stored_bytes
from workbench.techniques.quantization.converter_settings import DEFAULT, Name, operators
from workbench.techniques.quantization.litert_conversion import CalibratedConversion

_INT16_OPERATORS = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"


class Int16x8Parameters(CalibratedParameters):
    """How to calibrate, and what the file takes and gives."""

    io: Int16Io = "float32"


class Int16x8(CalibratedConversion[Int16x8Parameters]):
    """Stores weights in 8 bits and activations in 16, with ranges observed on sample data.

    For models that lose too much with 8-bit activations, on signal processors and accelerators
    made for it. A quarter of the size. On a PC it is a check of quality only: LiteRT has plain
    reference kernels for it, 25 to 90 times slower than float32 where we measured.

    Source: https://ai.google.dev/edge/litert/models/post_training_integer_quant_16x8
    """

    name: ClassVar[str] = "quantization.int16x8"
    title: ClassVar[str] = "Int16 activations, int8 weights"
    aims: ClassVar[frozenset[Aim]] = frozenset({"smaller"})
    trains: ClassVar[bool] = False

    @override
    def expectation(self) -> Text:
        return say(
            "Size about 1/4, quality close to float32. On a PC 25 to 90 times slower than float32: "
            "LiteRT has only reference kernels for it."
        )

    @override
    def size_ratio(self, variant: Variant) -> float:
        return 0.28

    @override
    def notes(self, parameters: Int16x8Parameters) -> tuple[Text, ...]:
        return (
            say(
                "LiteRT runs int16 activations with reference kernels: expect 25 to 90 times the time of "
                "float32 on a PC."
            ),
        )

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: Int16x8Parameters) -> Text | None:
        if takes_whole_numbers(variant):
            return say(
                "{name} takes whole numbers, and TensorFlow's converter makes 16-bit activations only where "
                "inputs are float32. Choose int8.",
                name=variant.name,
            )
        return super().obstacle(variant, dataset, parameters)

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: Int16x8Parameters) -> float:
        return stored_bytes(
            layers, lambda layer: 8, bias=8, per_channel=2 * SCALE, shared_per_channel=ZERO_POINT
        )

    @override
    def settings(self, parameters: Int16x8Parameters) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "optimizations": [DEFAULT],
            "target_spec": operators(_INT16_OPERATORS, "TFLITE_BUILTINS"),
        }
        if parameters.io == "int16":
            settings |= dict.fromkeys(("inference_input_type", "inference_output_type"), Name("tf.int16"))
        return settings
