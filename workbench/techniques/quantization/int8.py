"""Full int8: weights and activations, calibrated."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.data.dataset import DatasetInfo
from workbench.errors import Refused
from workbench.technique import Applied, CodePaths, Context, Estimate, Family, Parameters, Technique
from workbench.techniques.quantization.litert_files import (
    CalibratedParameters,
    calibration_code,
    conversion_seconds,
    load_parent,
    missing_converter,
    only_from_keras,
    output_name,
    representative,
    with_float_operations,
    write,
)
from workbench.text import Text, say
from workbench.variant import Format, Variant


class Int8Parameters(CalibratedParameters):
    """How to calibrate, and what the file takes and gives."""

    io: Literal["float32", "int8"] = Field(
        "float32",
        title="Inputs and outputs",
        description="float32: the file converts by itself and is a drop-in replacement. int8: the caller "
        "converts, as microcontrollers and accelerators want it.",
    )
    per_channel: bool = Field(
        True,
        title="One scale per channel",
        description="Each output channel of a layer gets its own scale: more exact, a little larger.",
        json_schema_extra={"advanced": True},
    )
    allow_float: bool = Field(
        True,
        title="Leave in float32 what has no int8 kernel",
        description="If off, a model with such an operation is refused: accelerators take only files "
        "that are int8 throughout.",
        json_schema_extra={"advanced": True},
    )


class Int8(Technique[Int8Parameters]):
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
    family: ClassVar[Family] = "quantization"
    title: ClassVar[str] = "Full int8"
    parameters_type: ClassVar[type[Parameters]] = Int8Parameters
    produces: ClassVar[Format | None] = "tflite"

    @override
    def unavailable(self) -> Text | None:
        return missing_converter()

    @override
    def fits(self, variant: Variant, dataset: DatasetInfo, parameters: Int8Parameters) -> Text | None:
        return only_from_keras(variant)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: Int8Parameters) -> Estimate:
        samples = min(parameters.samples, dataset.counts.get(parameters.split, parameters.samples))
        return Estimate(
            seconds=conversion_seconds(variant.description, samples),
            size_ratio=0.27,
            expectation=say(
                "Size about 1/4. Speed depends on the processor: often faster with VNNI or Arm dotprod, "
                "slower than LiteRT float32 on a PC without them. Quality usually within a point; "
                "calibration matters."
            ),
        )

    @override
    def apply(self, context: Context, parameters: Int8Parameters) -> Applied:
        model = load_parent(context)
        samples, note = representative(context, parameters, model)
        applied = with_float_operations(
            write(context, model, "int8", (note,), representative_dataset=samples, **_converter(parameters))
        )
        _require_int8(applied, parameters)
        return applied

    @override
    def code(self, variant: Variant, parameters: Int8Parameters, paths: CodePaths) -> str:
        operators = ["TFLITE_BUILTINS_INT8", *(["TFLITE_BUILTINS"] if parameters.allow_float else [])]
        extra = ""
        if parameters.io == "int8":
            extra += "    inference_input_type=tf.int8,\n    inference_output_type=tf.int8,\n"
        if not parameters.per_channel:
            extra += "    _experimental_disable_per_channel=True,\n"
        return f'''\
import keras
import numpy as np
import tensorflow as tf

model = keras.models.load_model("{paths.model}", compile=False)
data = np.load("{paths.data}")
{calibration_code(variant, parameters)}

model.export(
    "{output_name(paths)}",
    format="litert",
    verbose=False,
    optimizations=[tf.lite.Optimize.DEFAULT],
    representative_dataset=samples,
    target_spec={{"supported_ops": [{", ".join("tf.lite.OpsSet." + name for name in operators)}]}},
{extra})
'''


def _converter(parameters: Int8Parameters) -> dict[str, Any]:
    import tensorflow as tf

    operators = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if parameters.allow_float:
        operators.append(tf.lite.OpsSet.TFLITE_BUILTINS)
    settings: dict[str, Any] = {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "target_spec": {"supported_ops": operators},
    }
    if parameters.io == "int8":
        settings |= {"inference_input_type": tf.int8, "inference_output_type": tf.int8}
    if not parameters.per_channel:
        settings["_experimental_disable_per_channel"] = True
    return settings


def _require_int8(applied: Applied, parameters: Int8Parameters) -> None:
    """Checks that the file is what was asked for."""
    wrong = {spec.dtype for spec in (*applied.description.inputs, *applied.description.outputs)} - {
        parameters.io
    }
    if wrong:
        raise Refused(
            say(
                "The converter gave the file {got} inputs or outputs where {wanted} was asked for.",
                got=", ".join(sorted(wrong)),
                wanted=parameters.io,
            )
        )
    if applied.report.skipped and not parameters.allow_float:
        raise Refused(
            say(
                "{count} operations have no int8 form: {names}.",
                count=len(applied.report.skipped),
                names=", ".join(skip.name for skip in applied.report.skipped[:5]),
            ),
            say("Allow float32 for them, or replace them."),
        )
