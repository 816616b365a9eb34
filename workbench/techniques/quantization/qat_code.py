"""Quantization-aware training as plain Keras code."""

from __future__ import annotations

import json

from workbench.api.plain_source import plain_source
from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.techniques.export_code import litert_export, litert_source
from workbench.techniques.quantization.litert_files import SLIMMING, output_name
from workbench.techniques.quantization.sensitivity import FOUR_BIT_KERNELS
from workbench.training import TrainingParameters, training_code
from workbench.training.preserving_code import needs_preserving, preserving_code

_SOURCES = (
    *("workbench.models.rebuilding.channel_factors", "workbench.models.rebuilding.retracing"),
    *("workbench.models.rebuilding.batchnorm_folding", "workbench.training.fake_quantization"),
    *SLIMMING,
)
_INT8_CODE = """\
# The ranges are in the graph: the converter needs no samples.
model.export(
    OUTPUT,
    format="litert",
    verbose=False,
    optimizations=[tf.lite.Optimize.DEFAULT],
    target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
)
"""
_FLOAT_CODE = """\
baked(model, plain).export(
    "float32.tflite",
    format="litert",
    verbose=False,
    target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
)
"""
_INT4_CODE = f"""
from litert_quantizer.qtyping import TFLOperationName as Operation
from litert_quantizer.quantizer import Quantizer

quantizer = Quantizer("float32.tflite")
quantizer.add_dynamic_config(".*", Operation.ALL_SUPPORTED, 8)
for kind in {list(FOUR_BIT_KERNELS)}:
    quantizer.add_dynamic_config(".*", Operation[kind], 4)
quantizer.quantize().export_model(OUTPUT, overwrite=True)
"""


def qat_code(variant: Variant, parameters: TrainingParameters, paths: CodePaths, *, bits: int) -> str:
    """A script that trains with rounding and writes the file.

    Args:
        variant: The parent.
        parameters: How it is trained.
        paths: File names.
        bits: Of the weights: 8, or 4.
    """
    ending = litert_export(variant, _INT8_CODE if bits == 8 else _FLOAT_CODE)
    ending += f"{_INT4_CODE if bits == 4 else ''}slim_tflite(Path(OUTPUT))\n"
    preserved = needs_preserving(variant)
    return f"""\
{plain_source(*_SOURCES)}

{litert_source(variant)}data = np.load({json.dumps(paths.data)})
plain, _, _ = folded(flattened(keras.models.load_model({json.dumps(paths.model)}, compile=False)))
model = fake_quantized(plain, bits={bits})
{preserving_code("model") if preserved else ""}\
{training_code("model", variant, parameters, callbacks=["Preserving()"] if preserved else [])}
{ending.replace("OUTPUT", json.dumps(output_name(paths)))}"""
