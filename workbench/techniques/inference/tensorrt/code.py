"""Plain code that makes a TensorRT engine and runs it."""

from __future__ import annotations

import json

from workbench.api.bundle import import_code
from workbench.api.file_format import file_format
from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.exporting.calibration import samples_code
from workbench.models.converting.conversion import OPSET
from workbench.techniques.inference.runtime_code import conversion_code, loading_code, samples_lines
from workbench.techniques.inference.tensorrt.parameters import TensorRtParameters

_PREPARE = {
    "float32": """\
shutil.copyfile("prepared.onnx", {file})
""",
    "float16": """\
to_float16("prepared.onnx", {file})
""",
    "bfloat16": """\
to_bfloat16("prepared.onnx", {file})
""",
    "int8": """\
names = [x.name for x in onnxruntime.InferenceSession("prepared.onnx").get_inputs()]
{samples}\
reader = sample_reader({{name: x[i : i + 1] for name, x in arrays.items()}} for i in rows)
to_tensorrt_int8("prepared.onnx", {file}, reader)
""",
}

_IMPORTS = {
    "float32": ("import shutil",),
    "float16": ("from plain.onnx.precision import to_float16",),
    "bfloat16": ("from plain.onnx.bfloat16 import to_bfloat16",),
    "int8": (
        "import onnxruntime",
        "from plain.calibration import drawn",
        "from plain.onnx.precision import to_tensorrt_int8",
        "from plain.onnx.quantize import sample_reader",
    ),
}

BEFORE_THE_GPU = "# From here on an NVIDIA GPU is needed.\n"
"""Divides the script: what is above runs anywhere."""


def tensorrt_code(variant: Variant, parameters: TensorRtParameters, paths: CodePaths) -> str:
    """The script: the ONNX file, then the engine, then predictions of the test split as ``<output>.npy``.

    Args:
        variant: The parent, a Keras or ONNX file.
        parameters: Precision, batch, calibration.
        paths: File names.
    """
    file = file_format("onnx").named(paths.output)
    stem = file.removesuffix(file_format("onnx").suffix)
    source = "float32.onnx" if variant.format == "keras" else paths.model
    start = (
        conversion_code(variant, "onnx", paths.model, source, OPSET)
        if variant.format == "keras"
        else 'import os\n\nos.environ["ORT_DISABLE_TELEMETRY"] = "1"\n'
    )
    prepared = _PREPARE[parameters.precision].format(
        file=json.dumps(file),
        samples=samples_code(variant, parameters, "names[0]") if parameters.precision == "int8" else "",
    )
    load = loading_code(variant, "tensorrt", json.dumps(file), 1, batch=parameters.batch)
    imports = import_code(
        "import numpy as np",
        "from onnxruntime.quantization.shape_inference import quant_pre_process",
        "from plain.tensorrt.run import load",
        *_IMPORTS[parameters.precision],
    )
    return f"""\
{start}
{imports}\
{samples_lines(variant, paths.data)}\
quant_pre_process({json.dumps(source)}, "prepared.onnx", skip_symbolic_shape=True)
{prepared}
{BEFORE_THE_GPU}\
predict = {load}
predictions = predict(samples)
np.save({json.dumps(stem + ".npy")}, predictions)
print(predictions.argmax(-1)[:20])
"""
