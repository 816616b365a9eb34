"""Int8 weights with int16 activations, calibrated."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.data.dataset import DatasetInfo
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

_INT16_OPERATORS = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"


class Int16x8Parameters(CalibratedParameters):
    """How to calibrate, and what the file takes and gives."""

    io: Literal["float32", "int16"] = Field(
        "float32",
        title="Inputs and outputs",
        description="float32: the file converts by itself and is a drop-in replacement. int16: the caller "
        "converts.",
    )


class Int16x8(Technique[Int16x8Parameters]):
    """Stores weights in 8 bits and activations in 16, with ranges observed on sample data.

    For models that lose too much with 8-bit activations, on signal processors and accelerators
    made for it. A quarter of the size. On a PC it is a check of quality only: LiteRT has plain
    reference kernels for it, 25 to 90 times slower than float32 where we measured.

    Source: https://ai.google.dev/edge/litert/models/post_training_integer_quant_16x8
    """

    name: ClassVar[str] = "quantization.int16x8"
    family: ClassVar[Family] = "quantization"
    title: ClassVar[str] = "Int16 activations, int8 weights"
    parameters_type: ClassVar[type[Parameters]] = Int16x8Parameters
    produces: ClassVar[Format | None] = "tflite"

    @override
    def unavailable(self) -> Text | None:
        return missing_converter()

    @override
    def fits(self, variant: Variant, dataset: DatasetInfo, parameters: Int16x8Parameters) -> Text | None:
        return only_from_keras(variant)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: Int16x8Parameters) -> Estimate:
        samples = min(parameters.samples, dataset.counts.get(parameters.split, parameters.samples))
        return Estimate(
            seconds=conversion_seconds(variant.description, samples),
            size_ratio=0.28,
            expectation=say(
                "Size about 1/4, quality close to float32. On a PC 25 to 90 times slower than float32: "
                "LiteRT has only reference kernels for it."
            ),
        )

    @override
    def apply(self, context: Context, parameters: Int16x8Parameters) -> Applied:
        model = load_parent(context)
        samples, note = representative(context, parameters, model)
        warning = say(
            "LiteRT runs int16 activations with reference kernels: expect 25 to 90 times the time of "
            "float32 on a PC."
        )
        return with_float_operations(
            write(
                context,
                model,
                "int8",
                (note, warning),
                representative_dataset=samples,
                **_converter(parameters),
            )
        )

    @override
    def code(self, variant: Variant, parameters: Int16x8Parameters, paths: CodePaths) -> str:
        extra = ""
        if parameters.io == "int16":
            extra = "    inference_input_type=tf.int16,\n    inference_output_type=tf.int16,\n"
        return f'''\
import keras
import numpy as np
import tensorflow as tf

model = keras.models.load_model("{paths.model}", compile=False)
data = np.load("{paths.data}")
{calibration_code(variant, parameters)}

int16x8 = tf.lite.OpsSet.{_INT16_OPERATORS}
model.export(
    "{output_name(paths)}",
    format="litert",
    verbose=False,
    optimizations=[tf.lite.Optimize.DEFAULT],
    representative_dataset=samples,
    target_spec={{"supported_ops": [int16x8, tf.lite.OpsSet.TFLITE_BUILTINS]}},
{extra})
'''


def _converter(parameters: Int16x8Parameters) -> dict[str, Any]:
    import tensorflow as tf

    settings: dict[str, Any] = {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "target_spec": {
            "supported_ops": [getattr(tf.lite.OpsSet, _INT16_OPERATORS), tf.lite.OpsSet.TFLITE_BUILTINS]
        },
    }
    if parameters.io == "int16":
        settings |= {"inference_input_type": tf.int16, "inference_output_type": tf.int16}
    return settings
