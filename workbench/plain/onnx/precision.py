"""Makes ONNX files in fewer bits from float32 ones, with ONNX Runtime's own tools."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from pathlib import Path
from typing import Any

TENSORRT_INT8 = {
    "ActivationSymmetric": True,
    "WeightSymmetric": True,
    "QuantizeBias": False,
    "AddQDQPairToWeight": True,
    "DedicatedQDQPair": True,
}
"""What TensorRT takes as explicit quantization."""


def to_float16(source: Path | str, target: Path | str) -> None:
    """Stores weights and computes in float16; inputs and outputs stay float32.

    Args:
        source: A float32 ``.onnx`` file.
        target: The file to write.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnx
    from onnxruntime.quantization.onnx_model import ONNXModel
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with warnings.catch_warnings():
        # Weights below 6e-8 become zero, which it tells one by one.
        warnings.filterwarnings("ignore", message="the float32 number")
        converted = ONNXModel(convert_float_to_float16(onnx.load(source), keep_io_types=True))
    converted.topological_sort()
    onnx.checker.check_model(converted.model)
    onnx.save(converted.model, target)


def to_dynamic_int8(source: Path | str, target: Path | str) -> None:
    """Stores weights in 8 bits; activations are rounded to 8 bits anew in each product.

    Args:
        source: A float32 ``.onnx`` file.
        target: The file to write.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with contextlib.redirect_stdout(io.StringIO()):
        quantize_dynamic(str(source), str(target), weight_type=QuantType.QUInt8)


def to_tensorrt_int8(source: Path | str, target: Path | str, reader: Any) -> None:
    """Inserts nodes that quantize and dequantize, as TensorRT wants them.

    Symmetric int8 for activations (one scale) and weights (one per output channel), every zero point 0,
    a pair of nodes at each weight too, biases in float32.

    Args:
        source: A float32 ``.onnx`` file that ``quant_pre_process`` has prepared.
        target: The file to write.
        reader: Calibration samples, an ``onnxruntime.quantization.CalibrationDataReader``.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from onnxruntime.quantization import QuantType, quantize_static

    with contextlib.redirect_stdout(io.StringIO()):
        quantize_static(
            str(source),
            str(target),
            reader,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            extra_options=TENSORRT_INT8,
        )
