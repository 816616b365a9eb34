"""Runs a file in OpenVINO."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..batches import Samples, in_batches
from ..outputs import plain_name, position


def load(
    path: Path | str, *, threads: int = 1, output: tuple[str, int] | None = None
) -> Callable[[Samples], Any]:
    """A function that gives predictions for samples.

    Args:
        path: A folder with ``model.xml``, or a ``.tflite`` or ``.onnx`` file.
        threads: Threads inside one inference.
        output: Name and position of the output in the model; None is the first.
    """
    # It reports its use to its maker unless told otherwise before it is imported.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: an import of it fails, which OpenVINO expects
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",  # where the processor could do with less
    }
    file = Path(path) / "model.xml" if Path(path).is_dir() else Path(path)
    compiled = openvino.Core().compile_model(str(file), "CPU", settings)
    request = compiled.create_infer_request()
    wanted = position([_name(port) for port in compiled.outputs], output)
    size = compiled.inputs[0].partial_shape[0]

    def run(samples: Samples) -> Any:
        given = {port: samples[_key(port, samples)] for port in compiled.inputs}
        return request.infer(given)[wanted].copy()  # the request overwrites it in the next run

    return lambda samples: in_batches(run, samples, None if size.is_dynamic else size.get_length())


def _name(port: Any) -> str:
    names = sorted(port.names)
    return names[0] if names else str(port.node.get_friendly_name())


def _key(port: Any, samples: Samples) -> str:
    """The name of an input, which a converter may have written its own way."""
    if len(samples) == 1:
        return next(iter(samples))
    return next(name for name in map(plain_name, sorted(port.names)) if name in samples)
