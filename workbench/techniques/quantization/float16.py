"""Float16 weights."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from workbench.data.dataset import DatasetInfo
from workbench.technique import Applied, CodePaths, Context, Estimate, Family, Parameters, Technique
from workbench.techniques.quantization.litert_files import (
    conversion_seconds,
    load_parent,
    missing_converter,
    only_from_keras,
    output_name,
    write,
)
from workbench.text import Text, say
from workbench.variant import Format, Variant


class Float16Parameters(Parameters):
    """Nothing to choose."""


class Float16(Technique[Float16Parameters]):
    """Stores every weight in 16 bits instead of 32, as a LiteRT file.

    Half the size, and next to no change in quality: a float16 keeps 11 significant bits. On a PC
    the runtime widens the weights to float32 when it loads the file, so it computes as before and
    is not faster; GPUs and recent Arm processors compute in float16. No data is needed.

    Source: IEEE 754-2008 binary16; https://ai.google.dev/edge/litert/models/post_training_float16_quant
    """

    name: ClassVar[str] = "quantization.float16"
    family: ClassVar[Family] = "quantization"
    title: ClassVar[str] = "Float16 weights"
    parameters_type: ClassVar[type[Parameters]] = Float16Parameters
    produces: ClassVar[Format | None] = "tflite"

    @override
    def unavailable(self) -> Text | None:
        return missing_converter()

    @override
    def fits(self, variant: Variant, dataset: DatasetInfo, parameters: Float16Parameters) -> Text | None:
        return only_from_keras(variant)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: Float16Parameters) -> Estimate:
        return Estimate(
            seconds=conversion_seconds(variant.description),
            size_ratio=0.5,
            expectation=say(
                "Size about 1/2. Speed on a PC unchanged against LiteRT float32, which it is widened to; "
                "quality practically unchanged."
            ),
        )

    @override
    def apply(self, context: Context, parameters: Float16Parameters) -> Applied:
        model = load_parent(context)
        import tensorflow as tf

        return write(
            context,
            model,
            "float16",
            (say("LiteRT on a CPU computes with these weights in float32."),),
            optimizations=[tf.lite.Optimize.DEFAULT],
            target_spec={
                "supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS],
                "supported_types": [tf.float16],
            },
        )

    @override
    def code(self, variant: Variant, parameters: Float16Parameters, paths: CodePaths) -> str:
        return f'''\
import keras
import tensorflow as tf

model = keras.models.load_model("{paths.model}", compile=False)
model.export(
    "{output_name(paths)}",
    format="litert",
    verbose=False,
    optimizations=[tf.lite.Optimize.DEFAULT],
    target_spec={{"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS], "supported_types": [tf.float16]}},
)
'''
