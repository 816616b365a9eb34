"""LiteRT, formerly TensorFlow Lite."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from workbench.api.dataset import Features
from workbench.api.errors import InvalidInput
from workbench.api.library_errors import reason_of
from workbench.api.runtime import Runtime, Session
from workbench.api.text import Text, say
from workbench.api.variant import Format, RuntimeSettings
from workbench.data.batches import Arrays, Prepared, as_type, batched, chosen_output, joined, ordered


class LiteRT(Runtime):
    """Google's runtime for phones and small boards, with the XNNPACK kernels.

    It reads ``.tflite`` files. On a PC, int8 is a size win and often no speed win: float32 uses
    the widest vector units, int8 only where the CPU has dot-product instructions (VNNI, NEON dot).
    """

    name: ClassVar[str] = "litert"
    title: ClassVar[str] = "LiteRT"
    formats: ClassVar[frozenset[Format]] = frozenset({"tflite"})
    packages: ClassVar[tuple[str, ...]] = ("ai-edge-litert",)

    @override
    def unavailable(self) -> Text | None:
        if find_spec("ai_edge_litert") is None:
            return say("{package} is not installed.", package="ai-edge-litert")
        return None

    @override
    def load(self, path: Path, settings: RuntimeSettings) -> Session:
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_path=str(path), num_threads=settings.threads)
            return LiteRTSession(interpreter, settings)
        except (ValueError, RuntimeError) as error:
            raise InvalidInput(
                say("LiteRT cannot load {file}: {error}", file=path.name, error=reason_of(error))
            ) from error


class LiteRTSession(Session):
    """A ``.tflite`` file in an interpreter.

    Samples are quantized in :meth:`prepare` where the file's inputs are int8 or int16, and outputs
    are dequantized in :meth:`infer`: real = scale * (stored - zero point).
    """

    def __init__(self, interpreter: Any, settings: RuntimeSettings) -> None:
        self._interpreter = interpreter
        inputs, outputs = _signature(interpreter)
        self._names = list(inputs)
        self._inputs = list(inputs.values())
        self._input_indices = [detail["index"] for detail in self._inputs]
        # The raw order of outputs is not the model's; the signature's names carry its numbers.
        self._output = list(outputs.values())[chosen_output(list(outputs), settings.output)]
        self._output_index = self._output["index"]
        # Lengths that the file leaves free besides the batch are known with the samples.
        self._shapes = [tuple(detail["shape"][1:]) for detail in self._inputs]
        self._elastic = any(-1 in detail["shape_signature"][1:] for detail in self._inputs)
        free = all(detail["shape_signature"][0] == -1 for detail in self._inputs)
        self._fixed = None if free else int(self._inputs[0]["shape"][0])
        self._scale, self._zero_point = _quantization(self._output)
        self._float32 = np.dtype(self._output["dtype"]) == np.float32
        self._batch = -1
        if not self._elastic:  # with a length of 1 in place of a free one, nothing may fit
            self._resize(settings.batch if free else int(self._inputs[0]["shape"][0]))

    @override
    def prepare(self, features: Features) -> object:
        arrays = tuple(
            as_stored(array, detail, name)
            for array, detail, name in zip(
                ordered(features, self._names), self._inputs, self._names, strict=True
            )
        )
        if self._elastic:
            self._shapes, self._batch = [array.shape[1:] for array in arrays], -1
            self._resize(self._fixed or len(arrays[0]))
        elif self._fixed is None:
            self._resize(len(arrays[0]))
        return batched(arrays, self._fixed, self._placed)

    # A small model takes a few microseconds; what stands between it and its caller is kept short.

    @override
    def infer(self, prepared: object) -> npt.NDArray[np.float32]:
        assert isinstance(prepared, Prepared)
        if prepared.count == self._batch:
            return self._invoke(prepared.batches[0])
        if self._fixed is None:
            self._resize(prepared.count)
        return joined([self._invoke(batch) for batch in prepared.batches], prepared.count)

    @override
    def close(self) -> None:
        self._interpreter = None

    def _placed(self, batch: Arrays) -> tuple[tuple[int, npt.NDArray[Any]], ...]:
        """Arrays with the numbers of the tensors that they go to."""
        return tuple(zip(self._input_indices, map(np.ascontiguousarray, batch), strict=True))

    def _invoke(self, batch: tuple[tuple[int, npt.NDArray[Any]], ...]) -> npt.NDArray[np.float32]:
        interpreter = self._interpreter
        for index, array in batch:
            interpreter.set_tensor(index, array)
        interpreter.invoke()
        raw: npt.NDArray[Any] = interpreter.get_tensor(self._output_index)
        if self._float32:
            return raw
        real = raw.astype(np.float32)
        return real if self._scale is None else (real - self._zero_point) * self._scale

    def _resize(self, batch: int) -> None:
        if batch == self._batch:
            return
        if self._fixed is None or self._elastic:
            for detail, shape in zip(self._inputs, self._shapes, strict=True):
                self._interpreter.resize_tensor_input(detail["index"], [batch, *shape])
        self._interpreter.allocate_tensors()
        self._batch = batch


def _signature(interpreter: Any) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    signatures = list(interpreter.get_signature_list())
    if signatures:
        runner = interpreter.get_signature_runner(signatures[0])
        return runner.get_input_details(), runner.get_output_details()
    return (
        {detail["name"]: detail for detail in interpreter.get_input_details()},
        {detail["name"]: detail for detail in interpreter.get_output_details()},
    )


def _quantization(detail: dict[str, Any]) -> tuple[np.float32 | None, np.float32]:
    parameters = detail["quantization_parameters"]
    if np.dtype(detail["dtype"]).kind == "f" or not len(parameters["scales"]):
        return None, np.float32(0)
    return np.float32(parameters["scales"][0]), np.float32(parameters["zero_points"][0])


def as_stored(array: npt.NDArray[Any], detail: dict[str, Any], name: str) -> npt.NDArray[Any]:
    """A batch as an input of a file stores it: quantized where the input is of whole numbers.

    Args:
        array: Real values, with the batch axis.
        detail: What the interpreter says of the input.
        name: For messages.
    """
    scale, zero_point = _quantization(detail)
    if scale is None:
        return as_type(array, detail["dtype"], name)
    dtype = np.dtype(detail["dtype"])
    limits = np.iinfo(dtype)
    return np.clip(np.round(array / scale + zero_point), limits.min, limits.max).astype(dtype)
