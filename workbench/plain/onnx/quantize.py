"""Makes ONNX files that compute on 8-bit numbers, with ONNX Runtime's own quantizer."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from .ranges import write_ranges

RangeMethod = Literal["MinMax", "Entropy", "Percentile"]
"""Names of ``CalibrationMethod``."""
ActivationType = Literal["QUInt8", "QInt8"]
"""Names of ``QuantType``."""


def sample_reader(samples: Iterable[Mapping[str, Any]]) -> Any:
    """Calibration samples as ONNX Runtime reads them, a ``CalibrationDataReader``. They are read once.

    Args:
        samples: Each a batch of one by the file's input names.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from onnxruntime.quantization import CalibrationDataReader

    class Samples(CalibrationDataReader):
        def __init__(self) -> None:
            self._samples = iter(samples)

        def get_next(self) -> Mapping[str, Any] | None:
            return next(self._samples, None)

    return Samples()


def _nothing() -> None:
    pass


def quantize_int8(
    source: Path | str,
    target: Path | str,
    reader: Any,
    *,
    method: RangeMethod = "MinMax",
    activations: ActivationType = "QUInt8",
    per_channel: bool = True,
    reduce_range: bool = False,
    large: bool = False,
    release: Callable[[], None] = _nothing,
) -> None:
    """Stores weights in 8 bits, and puts nodes that quantize and dequantize around what computes on them.

    Args:
        source: A float32 ``.onnx`` file that ``quant_pre_process`` has prepared.
        target: The file to write.
        reader: Calibration samples, of :func:`sample_reader`.
        method: How the range of activations is found.
        activations: Their numbers.
        per_channel: Whether each channel of a weight has a scale of its own.
        reduce_range: Whether weights use 7 of their 8 bits.
        large: Whether weights lie in files of their own, those of the target too.
        release: Called between observing and quantizing, to give memory back.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from onnxruntime.quantization import CalibrationMethod, QuantType, quantize_static

    # Of a large model, one copy less in memory.
    before = large or method == "Entropy"
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        ranges = Path(folder) / "ranges.json"
        if before:
            write_ranges(str(source), reader, str(ranges), method, external=large)
            release()
        quantize_static(
            str(source),
            str(target),
            None if before else reader,
            calibration_cache_path=ranges if before else None,
            use_external_data_format=large,
            per_channel=per_channel,
            reduce_range=reduce_range,
            activation_type=QuantType[activations],
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod[method],
        )
