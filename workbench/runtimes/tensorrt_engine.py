"""Builds TensorRT engines of ONNX files and runs them with PyCUDA's buffers and streams.

Written for TensorRT 10.13 and later and 11, where the types in the file decide what is computed in
which precision (strongly typed networks): there are no precision flags to set. Checked against the
bindings of both; not yet run on a GPU.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput, JobFailed, Unavailable
from workbench.api.library_errors import reason_of
from workbench.api.text import say, verbatim
from workbench.runtimes.tensorrt_protocol import (
    Builder,
    CudaEngine,
    EngineRuntime,
    ExecutionContext,
    Network,
    OnnxParser,
    TensorRT,
)

_WORKSPACE_BYTES = 1 << 30
_LARGEST_BATCH = 32
"""Quality is judged in batches of this."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Device:
    """A GPU that is ready, with its libraries.

    Attributes:
        trt: The module ``tensorrt``.
        cuda: The module ``pycuda.driver``.
        name: The GPU's name and compute capability.
        context: Its primary context, current in this thread.
        logger: Kept as long as what was made with it.
    """

    trt: TensorRT
    cuda: Any
    name: str
    context: Any
    logger: Any


def open_device() -> Device:
    """Loads the libraries and opens the first GPU.

    Raises:
        Unavailable: Without the packages, the driver or a GPU, with what is missing.
    """
    try:
        import tensorrt
    except (ImportError, OSError) as error:
        raise _missing("TensorRT", error) from error
    try:
        import pycuda.driver as cuda
    except (ImportError, OSError) as error:
        raise _missing("PyCUDA", error) from error
    try:
        cuda.init()
        device = cuda.Device(0)
        name = "{} {}.{}".format(device.name(), *device.compute_capability())
        context = device.retain_primary_context()
        context.push()
    except cuda.Error as error:
        raise _missing("the GPU", error) from error
    return Device(tensorrt, cuda, name, context, tensorrt.Logger(tensorrt.Logger.WARNING))


def _missing(what: str, error: Exception) -> Unavailable:
    return Unavailable(
        say("{what} cannot be used here: {error}", what=verbatim(what), error=reason_of(error)),
        say(
            "TensorRT needs an NVIDIA GPU with its driver. On such a machine: pip install "
            "'neural-workbench[tensorrt]'."
        ),
    )


def build(device: Device, model: bytes, batch: int, timing_cache: bytes = b"") -> tuple[bytes, bytes]:
    """Builds an engine.

    Args:
        device: Where it will run; an engine runs only on the kind of GPU that it was built on.
        model: Bytes of an ``.onnx`` file, whose element types decide the precision.
        batch: The batch that it is tuned for; it takes 1 to the larger of this and 32.
        timing_cache: Of an earlier build: the same kernels are not timed again.

    Returns:
        The engine and the timing cache, as bytes.

    Raises:
        InvalidInput: If TensorRT cannot read the file.
        JobFailed: If it cannot build the engine.
    """
    trt = device.trt
    builder: Builder = trt.Builder(device.logger)
    # In 11 every network is strongly typed; the flag is still there.
    network: Network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser: OnnxParser = trt.OnnxParser(network, device.logger)
    if not parser.parse(model):
        told = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise InvalidInput(say("TensorRT cannot read this file: {error}", error=verbatim(told[:1000])))
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    config.builder_optimization_level = 3
    # float32 in the file is float32 on the device, not 19 bits of it.
    config.clear_flag(trt.BuilderFlag.TF32)
    cache = config.create_timing_cache(timing_cache)
    config.set_timing_cache(cache, ignore_mismatch=False)
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        profile.set_shape(tensor.name, *profile_shapes(tensor.name, tuple(tensor.shape), batch))
    config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise JobFailed(
            say("TensorRT could not build an engine of this file."),
            say("Its log on standard error says why. Try float32."),
        )
    return bytes(plan), bytes(cache.serialize())


def profile_shapes(
    name: str, shape: Sequence[int], batch: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Smallest, usual and largest shape of an input.

    Args:
        name: For the error.
        shape: As in the file; -1 where an axis is free.
        batch: The batch that the engine is tuned for.

    Raises:
        InvalidInput: If an axis besides the batch is free.
    """
    first, *others = shape
    if any(size < 0 for size in others):
        raise InvalidInput(
            say(
                "Input {name} has a free axis besides the batch: {shape}.", name=name, shape=str(tuple(shape))
            ),
            say("Fix its length in the model."),
        )
    sizes = (first, first, first) if first >= 0 else (1, batch, max(batch, _LARGEST_BATCH))
    low, usual, high = ((size, *others) for size in sizes)
    return low, usual, high


def cached_engine(device: Device, path: Path, batch: int) -> bytes:
    """The engine of a file, built where it is not kept from an earlier time.

    Args:
        device: Where it will run.
        path: An ``.onnx`` file.
        batch: The batch that it is tuned for.
    """
    folder = _cache_folder()
    model = path.read_bytes()
    machine = f"{device.trt.__version__} {device.name}"
    key = f"{hashlib.sha256(model).hexdigest()} {machine} {batch}"
    plan = folder / f"{_digest(key)}.engine"
    if plan.is_file():
        return plan.read_bytes()
    timing = folder / f"{_digest(machine)}.timing"
    engine, cache = build(device, model, batch, timing.read_bytes() if timing.is_file() else b"")
    _write(timing, cache)
    _write(plan, engine)
    return engine


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:24]


def _cache_folder() -> Path:
    import platformdirs

    chosen = os.environ.get("WORKBENCH_ENGINE_FOLDER")
    folder = Path(chosen) if chosen else platformdirs.user_cache_path("neural-workbench") / "tensorrt"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: several processes may build at once."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


class Engine:
    """An engine with its buffers, run on a stream of its own.

    Args:
        device: Where it runs.
        plan: Bytes of :func:`build`.
    """

    def __init__(self, device: Device, plan: bytes) -> None:
        self._device = device
        self._runtime: EngineRuntime = device.trt.Runtime(device.logger)
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise JobFailed(
                say("TensorRT cannot load this engine."),
                say("It was built for another GPU or version: delete it, and it is built again."),
            )
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

    def input_shape(self, name: str) -> tuple[int, ...]:
        """Shape of an input; -1 where it is free."""
        return tuple(self._engine.get_tensor_shape(name))

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
        """
        shapes = {name: array.shape for name, array in arrays.items()}
        if shapes != self._shapes:
            self._allocate(arrays)
            self._shapes = shapes
        cuda = self._device.cuda
        for name, array in arrays.items():
            cuda.memcpy_htod_async(self._memory[name], array, self._stream)
        if not self._context.execute_async_v3(self._stream.handle):
            raise JobFailed(say("TensorRT could not run the engine."))
        for name, array in self._host.items():
            cuda.memcpy_dtoh_async(array, self._memory[name], self._stream)
        self._stream.synchronize()
        return self._host

    def close(self) -> None:
        """Frees the device's memory. It cannot be used after."""
        for memory in self._memory.values():
            memory.free()
        self._memory.clear()
        self._host.clear()
        # While the context is still there that they live in.
        del self._context, self._engine, self._runtime, self._stream
        self._device.context.pop()

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
