"""Float16 weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from typing_extensions import override

from workbench.api.technique import Aim, Parameters
from workbench.api.text import Text, say
from workbench.api.variant import Layer, Variant
from workbench.exporting.stored import stored_bytes
from workbench.techniques.quantization.converter_settings import DEFAULT, Name, operators
from workbench.techniques.quantization.finished_files import FinishedFileConversion
from workbench.techniques.quantization.litert_weights import Rounding


class Float16Parameters(Parameters):
    """Nothing to choose."""


class Float16(FinishedFileConversion[Float16Parameters]):
    """Stores every weight in 16 bits instead of 32: as a LiteRT file, or as an ONNX file if it was one.

    Half the size, and next to no change in quality: a float16 keeps 11 significant bits. On a PC
    the runtime widens the weights to float32 when it loads the file, so it computes as before and
    is not faster; GPUs and recent Arm processors compute in float16. No data is needed. An ONNX file also
    computes in float16, which ONNX Runtime on a PC does more slowly than in float32.

    Source: IEEE 754-2008 binary16; https://ai.google.dev/edge/litert/models/post_training_float16_quant
    """

    name: ClassVar[str] = "quantization.float16"
    title: ClassVar[str] = "Float16 weights"
    aims: ClassVar[frozenset[Aim]] = frozenset({"smaller"})
    trains: ClassVar[bool] = False
    weights: ClassVar[str] = "float16"
    rounding: ClassVar[Rounding] = Rounding(
        "add_weight_only_config", "ALL_SUPPORTED", 16, algorithm="FLOAT_CASTING"
    )
    onnx_tool: ClassVar[Literal["to_float16", "to_dynamic_int8"]] = "to_float16"

    @override
    def onnx_expectation(self) -> Text:
        return say(
            "Size about 1/2; quality practically unchanged. On a PC usually slower than ONNX Runtime "
            "float32, which has faster kernels; on a GPU faster."
        )

    @override
    def expectation(self) -> Text:
        return say(
            "Size about 1/2. Speed on a PC unchanged against LiteRT float32, which it is widened to; "
            "quality practically unchanged."
        )

    @override
    def size_ratio(self, variant: Variant) -> float:
        return 0.5

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: Float16Parameters) -> float:
        return stored_bytes(layers, lambda layer: 16, bias=2)

    @override
    def notes(self, parameters: Float16Parameters) -> tuple[Text, ...]:
        return (say("LiteRT on a CPU computes with these weights in float32."),)

    @override
    def settings(self, parameters: Float16Parameters) -> dict[str, Any]:
        return {
            "optimizations": [DEFAULT],
            "target_spec": operators("TFLITE_BUILTINS") | {"supported_types": [Name("tf.float16")]},
        }
