"""Runs an ONNX file in TensorRT: its engine, with PyCUDA's buffers and streams.

Checked against the bindings of TensorRT 10 and 11; not yet run on a GPU.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..batches import Samples, in_batches, of_input
from ..outputs import position
from .build import cached_engine, largest_batch
from .device import Device, open_device
from .errors import EngineFailed
from .protocol import CudaEngine, EngineRuntime, ExecutionContext

Array = npt.NDArray[Any]


def load(
    path: Path | str, *, batch: int = 1, output: tuple[str, int] | None = None
) -> Callable[[Samples], Any]:
    """A function that gives predictions for samples.

    The engine is built the first time, which takes seconds to minutes, and kept beside the file.

    Args:
        path: An ``.onnx`` file.
        batch: The batch that the engine is tuned for; other sizes run too.
        output: Name and position of the output in the model; None is the first of the file.
    """
    file = Path(path)
    device = open_device()
    atexit.register(device.context.pop)
    engine = Engine(device, cached_engine(device, file, batch, file.absolute().parent))
    atexit.register(engine.close)  # before the context, in which its memory lives
    wanted = engine.outputs[position(engine.outputs, output) if output else 0]

    def run(samples: Samples) -> Any:
        given = {
            name: np.ascontiguousarray(of_input(samples, name), engine.input_type(name))
            for name in engine.inputs
        }
        return engine.infer(given)[wanted].copy()  # the next run overwrites it

    def predict(samples: Samples) -> Any:
        return in_batches(run, samples, engine.batch_size(len(next(iter(samples.values()))), batch))

    return predict


class Engine:
    """An engine with its buffers, run on a stream of its own.

    Args:
        device: Where it runs.
        plan: Bytes of :func:`cached_engine`.

    Raises:
        EngineFailed: If it was built for another GPU or version.
    """

    def __init__(self, device: Device, plan: bytes) -> None:
        self._device = device
        self._runtime: EngineRuntime = device.trt.Runtime(device.logger)
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise EngineFailed("load")
        self._engine: CudaEngine = engine
        self._context: ExecutionContext = engine.create_execution_context()
        self._stream = device.cuda.Stream()
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        inputs = device.trt.TensorIOMode.INPUT
        self.inputs = [name for name in names if engine.get_tensor_mode(name) == inputs]
        self.outputs = [name for name in names if engine.get_tensor_mode(name) != inputs]
        self._memory: dict[str, Any] = {}
        self._host: dict[str, Array] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}

    def input_type(self, name: str) -> np.dtype[Any]:
        """NumPy's element type of an input."""
        dtype: np.dtype[Any] = np.dtype(self._device.trt.nptype(self._engine.get_tensor_dtype(name)))
        return dtype

    def batch_size(self, count: int, batch: int) -> int | None:
        """How many samples it is given at a time.

        Args:
            count: How many there are.
            batch: The batch that it is tuned for.

        Returns:
            None if it takes them all at once.
        """
        size = int(self._engine.get_tensor_shape(self.inputs[0])[0])
        if size > 0:
            return size
        return largest_batch(batch) if count > largest_batch(batch) else None

    def pinned(self, array: Array) -> Array:
        """A copy in memory that the device reads by itself."""
        copy: Array = self._device.cuda.pagelocked_empty(array.shape, array.dtype)
        copy[...] = array
        return copy

    def infer(self, arrays: dict[str, Array]) -> dict[str, Array]:
        """Copies inputs to the device, runs, copies outputs back and waits.

        Args:
            arrays: By input name, contiguous, of the engine's element types.

        Returns:
            By output name; overwritten by the next run.

        Raises:
            EngineFailed: If TensorRT could not run it.
        """
        shapes = {name: array.shape for name, array in arrays.items()}
        if shapes != self._shapes:
            self._allocate(arrays)
            self._shapes = shapes
        cuda = self._device.cuda
        for name, array in arrays.items():
            cuda.memcpy_htod_async(self._memory[name], array, self._stream)
        if not self._context.execute_async_v3(self._stream.handle):
            raise EngineFailed("run")
        for name, array in self._host.items():
            cuda.memcpy_dtoh_async(array, self._memory[name], self._stream)
        self._stream.synchronize()
        return self._host

    def close(self) -> None:
        """Frees the device's memory, and leaves the context to whoever opened it. It cannot be used after."""
        for memory in self._memory.values():
            memory.free()
        self._memory.clear()
        self._host.clear()
        # While the context is still there that they live in.
        del self._context, self._engine, self._runtime, self._stream

    def _allocate(self, arrays: dict[str, Array]) -> None:
        cuda, trt = self._device.cuda, self._device.trt
        for memory in self._memory.values():
            memory.free()
        self._memory.clear()
        self._host.clear()
        for name, array in arrays.items():
            self._context.set_input_shape(name, array.shape)
            self._place(name, array.nbytes)
        for name in self.outputs:
            shape = tuple(self._context.get_tensor_shape(name))
            dtype = trt.nptype(self._engine.get_tensor_dtype(name))
            self._host[name] = cuda.pagelocked_empty(shape, dtype)
            self._place(name, self._host[name].nbytes)

    def _place(self, name: str, count: int) -> None:
        memory = self._device.cuda.mem_alloc(max(1, count))
        self._memory[name] = memory
        self._context.set_tensor_address(name, int(memory))
