"""Ranges of activations, observed in a float32 .tflite file on samples.

Extremes are safe and coarse: one outlier widens every step. A percentile leaves outliers to be
clipped; the range of least squared error weighs what clipping costs against what finer steps gain
(Wu et al., Integer Quantization for Deep Learning Inference, 2020, arXiv:2004.09602, section 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .buffers import content_of

BINS = 2048


def observed_ranges(
    path: Path | str,
    samples: Callable[[], Iterable[dict[str, Any]]],
    method: str = "minmax",
    percentile: float = 99.99,
) -> dict[str, tuple[float, float]]:
    """The range of every float32 tensor that a file computes.

    Args:
        path: A float32 .tflite file.
        samples: Gives the samples by input name, each with its batch axis; called twice, once for
            ``minmax``.
        method: ``minmax``, ``percentile`` or ``mse``.
        percentile: Share of values, in percent, that lie inside the range; half of the rest on
            either side.

    Returns:
        Lowest and highest value by the tensor's name.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        str(path),
        num_threads=1,
        # XNNPACK would fuse tensors away.
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    constants = _constants(path)
    details = [
        detail
        for detail in interpreter.get_tensor_details()
        if detail["dtype"] == np.float32 and detail["name"] not in constants
    ]
    (signature,) = list(interpreter.get_signature_list())[:1]
    runner = interpreter.get_signature_runner(signature)

    def values() -> Iterable[tuple[str, Any]]:
        for sample in samples():
            runner(**sample)
            for detail in details:
                try:
                    value = interpreter.get_tensor(detail["index"])
                except ValueError:  # a tensor that no operation gives
                    continue
                finite = value[np.isfinite(value)]  # masks may be infinite
                if finite.size:
                    yield detail["name"], finite

    extremes: dict[str, tuple[float, float]] = {}
    for name, value in values():
        low, high = extremes.get(name, (np.inf, -np.inf))
        extremes[name] = min(low, float(value.min())), max(high, float(value.max()))
    if method == "minmax":
        return extremes
    counts = {name: np.zeros(BINS, np.int64) for name, limits in extremes.items() if _has_bins(*limits)}
    for name, value in values():
        if name in counts:
            counts[name] += np.histogram(value, BINS, extremes[name])[0]
    narrower = {
        name: _percentile(count, *extremes[name], percentile)
        if method == "percentile"
        else _least_error(count, *extremes[name])
        for name, count in counts.items()
    }
    return extremes | narrower


def with_ranges(calibration: dict[str, Any], ranges: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """What the quantizer knows of each tensor, with another range of values.

    Args:
        calibration: From ``litert_quantizer``'s ``Quantizer.calibrate``; changed in place.
        ranges: From :func:`observed_ranges`.
    """
    for name, (low, high) in ranges.items():
        if "min" in calibration.get(name, {}):
            shape = np.shape(calibration[name]["min"])
            calibration[name]["min"] = np.full(shape, low, np.float32)
            calibration[name]["max"] = np.full(shape, high, np.float32)
    return calibration


def _has_bins(low: float, high: float) -> bool:
    """Whether there are numbers between the values of an activation: there are none in a constant."""
    return (high - low) / BINS > 2 * float(np.spacing(np.float32(max(-low, high))))


def _percentile(counts: Any, low: float, high: float, percentile: float) -> tuple[float, float]:
    edges = np.linspace(low, high, BINS + 1)
    share = np.cumsum(counts) / counts.sum()
    rest = (1 - percentile / 100) / 2
    first = int(np.searchsorted(share, rest, side="right"))
    last = int(np.searchsorted(share, 1 - rest, side="left"))
    return float(edges[min(first, BINS - 1)]), float(edges[min(last, BINS - 1) + 1])


def _least_error(counts: Any, low: float, high: float, bits: int = 8) -> tuple[float, float]:
    edges = np.linspace(low, high, BINS + 1)
    centers = (edges[1:] + edges[:-1]) / 2
    best, chosen = np.inf, (low, high)
    for share in np.linspace(1.0, 0.1, 91):
        bottom, top = min(low * share, 0.0), max(high * share, 0.0)
        step = (top - bottom) / (2**bits - 1) or 1e-9
        rounded = np.clip(np.round((centers - bottom) / step) * step + bottom, bottom, top)
        error = float((counts * (rounded - centers) ** 2).sum())
        if error < best:
            best, chosen = error, (bottom, top)
    return chosen


def _constants(path: Path | str) -> set[str]:
    from ai_edge_litert import schema_py_generated as schema

    file = Path(path).read_bytes()
    model = schema.Model.GetRootAs(file, 0)
    graph = model.Subgraphs(0)
    tensors = [graph.Tensors(index) for index in range(graph.TensorsLength())]
    return {
        tensor.Name().decode() for tensor in tensors if content_of(model.Buffers(tensor.Buffer()), file).size
    }
