"""ONNX files in fewer bits, made from float32 ones by ONNX Runtime's own tools."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.library_errors import reason_of
from workbench.api.privacy import forbid_telemetry
from workbench.api.text import say


def to_float16(source: Path, target: Path) -> Path:
    """Stores weights and computes in float16; inputs and outputs stay float32.

    Args:
        source: A float32 ``.onnx`` file.
        target: The file to write.

    Raises:
        InvalidInput: If the tool cannot convert it.
    """
    forbid_telemetry()
    import onnx
    from onnxruntime.quantization.onnx_model import ONNXModel
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with warnings.catch_warnings():
        # Weights below 6e-8 become zero, which it tells one by one.
        warnings.filterwarnings("ignore", message="the float32 number")
        try:
            converted = ONNXModel(convert_float_to_float16(onnx.load(source), keep_io_types=True))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _failed("float16", error) from error
    converted.topological_sort()
    onnx.checker.check_model(converted.model)
    onnx.save(converted.model, target)
    return target


def to_dynamic_int8(source: Path, target: Path) -> Path:
    """Stores weights in 8 bits; activations are rounded to 8 bits anew in each product.

    Args:
        source: A float32 ``.onnx`` file.
        target: The file to write.

    Raises:
        InvalidInput: If the tool cannot convert it.
    """
    forbid_telemetry()
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with contextlib.redirect_stdout(io.StringIO()):
        try:
            quantize_dynamic(str(source), str(target), weight_type=QuantType.QUInt8)
        except (ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
            raise _failed("dynamic int8", error) from error
    return target


def _failed(precision: str, error: Any) -> InvalidInput:
    return InvalidInput(
        say("The ONNX file cannot be made {precision}: {error}", precision=precision, error=reason_of(error)),
        say("Choose another precision, or another runtime."),
    )


def to_tensorrt_int8(source: Path, target: Path, reader: Any) -> Path:
    """Inserts nodes that quantize and dequantize, as TensorRT wants them.

    Symmetric int8 for activations (one scale) and weights (one per output channel), every zero point 0,
    a pair of nodes at each weight too, biases in float32.

    Args:
        source: A float32 ``.onnx`` file that ``quant_pre_process`` has prepared.
        target: The file to write.
        reader: Calibration samples, an ``onnxruntime.quantization.CalibrationDataReader``.

    Raises:
        InvalidInput: If the quantizer cannot do it.
    """
    forbid_telemetry()
    from onnxruntime.quantization import QuantType, quantize_static

    with contextlib.redirect_stdout(io.StringIO()):
        try:
            quantize_static(
                str(source),
                str(target),
                reader,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                extra_options=TENSORRT_INT8,
            )
        except (ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
            raise _failed("int8", error) from error
    return target


TENSORRT_INT8 = {
    "ActivationSymmetric": True,
    "WeightSymmetric": True,
    "QuantizeBias": False,
    "AddQDQPairToWeight": True,
    "DedicatedQDQPair": True,
}
"""Options of ONNX Runtime's quantizer for a file that TensorRT reads."""
