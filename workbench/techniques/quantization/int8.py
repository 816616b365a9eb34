"""Full int8: weights and activations, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import Refused
from workbench.api.technique import Aim, Applied, Context, InstructionUse
from workbench.api.text import Text, say
from workbench.api.variant import Layer, Variant
from workbench.exporting.litert_files import CalibratedParameters, takes_whole_numbers
from workbench.exporting.parameter_types import Int8Io, ScalePerChannel
from workbench.exporting.stored import SCALE, ZERO_POINT, stored_bytes
from workbench.techniques.quantization.converter_settings import DEFAULT, Name, operators
from workbench.techniques.quantization.litert_conversion import CalibratedConversion


class Int8Parameters(CalibratedParameters):
    """How to calibrate, and what the file takes and gives."""

    io: Int8Io = "float32"
    per_channel: ScalePerChannel = True
    allow_float: bool = Field(
        True,
        title="Leave in float32 what has no int8 kernel",
        description="If off, a model with such an operation is refused: accelerators take only files "
        "that are int8 throughout.",
        json_schema_extra={"advanced": True},
    )


class Int8(CalibratedConversion[Int8Parameters]):
    """Stores weights and activations in 8 bits, with ranges observed on sample data.

    Each tensor becomes round(x / scale) + zero point. Weights get a scale per output channel;
    the range of every activation is observed on a few hundred samples of the validation split. A
    quarter of the size. Whether it is faster depends on the processor: with dot-product
    instructions (VNNI on a PC, dotprod on Arm) it often is; LiteRT on a PC without them is slower
    than float32.

    Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference, CVPR 2018 (arXiv:1712.05877).
    """

    name: ClassVar[str] = "quantization.int8"
    title: ClassVar[str] = "Full int8"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = False
    int8_instructions: ClassVar[InstructionUse] = "needed"

    @override
    def expectation(self) -> Text:
        return say("Size about 1/4. Quality usually within a point; calibration matters.")

    @override
    def size_ratio(self, variant: Variant) -> float:
        return 0.27

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: Int8Parameters) -> Text | None:
        if parameters.io == "int8" and takes_whole_numbers(variant):
            return say(
                "{name} takes whole numbers, which are not quantized: leave inputs and outputs float32.",
                name=variant.name,
            )
        return super().obstacle(variant, dataset, parameters)

    @override
    def apply(self, context: Context, parameters: Int8Parameters) -> Applied:
        applied = super().apply(context, parameters)
        _require_int8(applied, parameters, context.parent)
        return applied

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: Int8Parameters) -> float:
        scale, zero_point = (SCALE, ZERO_POINT) if parameters.per_channel else (0.0, 0.0)
        # Of the kernel, and of the bias.
        return stored_bytes(layers, lambda layer: 8, per_channel=2 * scale, shared_per_channel=zero_point)

    @override
    def settings(self, parameters: Int8Parameters) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "optimizations": [DEFAULT],
            "target_spec": operators(*_operators(parameters)),
        }
        if parameters.io == "int8":
            settings |= dict.fromkeys(("inference_input_type", "inference_output_type"), Name("tf.int8"))
        if not parameters.per_channel:
            settings["_experimental_disable_per_channel"] = True
        return settings


def _operators(parameters: Int8Parameters) -> list[str]:
    return ["TFLITE_BUILTINS_INT8", *(["TFLITE_BUILTINS"] if parameters.allow_float else [])]


def _require_int8(applied: Applied, parameters: Int8Parameters, parent: Variant) -> None:
    """Checks that the file is what was asked for; numbers of words stay what they are."""
    ends = applied.description.outputs
    if not takes_whole_numbers(parent):
        ends = (*applied.description.inputs, *ends)
    wrong = {spec.dtype for spec in ends} - {parameters.io}
    if wrong:
        raise Refused(
            say(
                "The converter gave the file {got} inputs or outputs where {wanted} was asked for.",
                got=tuple(sorted(wrong)),
                wanted=parameters.io,
            )
        )
    if applied.report.skipped and not parameters.allow_float:
        raise Refused(
            say(
                "{count} operation has no int8 form: {names}.",
                "{count} operations have no int8 form: {names}.",
                count=len(applied.report.skipped),
                names=tuple(skip.name for skip in applied.report.skipped[:5]),
            ),
            say("Allow float32 for them, or replace them."),
        )
