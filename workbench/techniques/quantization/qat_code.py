"""Quantization-aware training as plain Keras code."""

from __future__ import annotations

import json

from workbench.api.bundle import import_code
from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.exporting.litert_files import output_name
from workbench.plain.litert.sensitivity import FOUR_BIT_KERNELS
from workbench.training import TrainingParameters, training_code
from workbench.training.preserving import needs_preserving
from workbench.training.script import training_imports

_INT8_CODE = """\
# The ranges are in the graph: the converter needs no samples.
export_litert(model, OUTPUT, optimizations=[tf.lite.Optimize.DEFAULT])
"""
_FLOAT_CODE = """\
export_litert(baked(model, plain), "float32.tflite")
"""
_INT4_CODE = f"""\
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
    output = json.dumps(output_name(paths))
    ending = _INT8_CODE if bits == 8 else _FLOAT_CODE + _INT4_CODE
    quantizer = (
        "from litert_quantizer.qtyping import TFLOperationName as Operation",
        "from litert_quantizer.quantizer import Quantizer",
        "from plain.keras.fake_quantization import baked",
    )
    preserved = needs_preserving(variant)
    return f"""\
{
        import_code(
            "import keras",
            "import numpy as np",
            *(("import tensorflow as tf",) if bits == 8 else quantizer),
            "from plain.keras.batchnorm_folding import flattened, folded",
            "from plain.keras.fake_quantization import fake_quantized",
            "from plain.keras.preserving import preserve" if preserved else "",
            "from plain.litert.export import export_litert",
            "from plain.litert.strip import strip_metadata",
            *training_imports(variant),
        )
    }\
data = np.load({json.dumps(paths.data)})
plain, _, _ = folded(flattened(keras.models.load_model({json.dumps(paths.model)}, compile=False)))
model = fake_quantized(plain, bits={bits})
{training_code("model", variant, parameters, callbacks=["preserve(model)"] if preserved else [])}
{ending.replace("OUTPUT", output)}\
strip_metadata({output})
"""
