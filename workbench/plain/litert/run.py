"""Runs a file in LiteRT."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..batches import Samples, in_batches, of_input
from ..outputs import plain_name, position


def load(
    path: Path | str, *, threads: int = 1, output: tuple[str, int] | None = None
) -> Callable[[Samples], Any]:
    """A function that gives predictions for samples.

    Args:
        path: A ``.tflite`` file.
        threads: Threads inside one inference.
        output: Name and position of the output in the model; None is the first.
    """
    from ai_edge_litert.interpreter import Interpreter

    file = _signature(Interpreter(str(path), num_threads=threads))
    inputs, outputs = file.get_input_details(), file.get_output_details()
    name = list(outputs)[position(list(outputs), output)]
    size = next(iter(inputs.values()))["shape_signature"][0]

    def run(samples: Samples) -> Any:
        given = file(**{each: stored(of_input(samples, each), detail) for each, detail in inputs.items()})
        return real(given[name], outputs[name])

    return lambda samples: in_batches(run, samples, None if size == -1 else int(size))


def stored(values: Any, detail: dict[str, Any]) -> Any:
    """Real values rounded to what a file stores: real = scale * (stored - zero point)."""
    scale, zero_point = detail["quantization"]
    if np.dtype(detail["dtype"]).kind == "f" or not scale:
        return np.asarray(values, detail["dtype"])
    limits = np.iinfo(detail["dtype"])
    rounded = np.round(values / np.float32(scale) + zero_point)
    return np.clip(rounded, limits.min, limits.max).astype(detail["dtype"])


def real(values: Any, detail: dict[str, Any]) -> Any:
    """Values of a file as float32."""
    scale, zero_point = detail["quantization"]
    if np.dtype(detail["dtype"]).kind == "f" or not scale:
        return values.astype("float32")
    return (values.astype("float32") - zero_point) * np.float32(scale)


def _signature(interpreter: Any) -> Any:
    signatures = list(interpreter.get_signature_list())
    return interpreter.get_signature_runner(signatures[0]) if signatures else _WithoutSignature(interpreter)


class _WithoutSignature:
    """Calls a file that has no signature by the names of its tensors."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter

    def get_input_details(self) -> dict[str, Any]:
        return {plain_name(detail["name"]): detail for detail in self._interpreter.get_input_details()}

    def get_output_details(self) -> dict[str, Any]:
        return {detail["name"]: detail for detail in self._interpreter.get_output_details()}

    def __call__(self, **values: Any) -> dict[str, Any]:
        inputs = {name: detail["index"] for name, detail in self.get_input_details().items()}
        for name, value in values.items():
            self._interpreter.resize_tensor_input(inputs[name], value.shape)
        self._interpreter.allocate_tensors()
        for name, value in values.items():
            self._interpreter.set_tensor(inputs[name], value)
        self._interpreter.invoke()
        return {
            name: self._interpreter.get_tensor(detail["index"])
            for name, detail in self.get_output_details().items()
        }
