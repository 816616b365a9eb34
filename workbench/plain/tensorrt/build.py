"""Builds TensorRT engines of ONNX files.

Written for TensorRT 10.13 and later and 11, where the types in the file decide what is computed in
which precision (strongly typed networks): there are no precision flags to set. Checked against the
bindings of both; not yet run on a GPU.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .device import Device
from .errors import EngineFailed, FileNotRead, FreeAxis
from .protocol import Builder, Network, OnnxParser, Shape

_WORKSPACE_BYTES = 1 << 30


def largest_batch(batch: int) -> int:
    """The most samples that an engine takes at a time, if it was tuned for ``batch``."""
    return max(batch, 32)


def build(device: Device, model: bytes, batch: int, timing_cache: bytes = b"") -> tuple[bytes, bytes]:
    """Builds an engine.

    Args:
        device: Where it will run; an engine runs only on the kind of GPU that it was built on.
        model: Bytes of an ``.onnx`` file, whose element types decide the precision.
        batch: The batch that it is tuned for; it takes 1 to :func:`largest_batch`.
        timing_cache: Of an earlier build: the same kernels are not timed again.

    Returns:
        The engine and the timing cache, as bytes.

    Raises:
        FileNotRead: If TensorRT cannot read the file.
        FreeAxis: If an axis besides the batch is free.
        EngineFailed: If it cannot build the engine.
    """
    trt = device.trt
    builder: Builder = trt.Builder(device.logger)
    # In 11 every network is strongly typed; the flag is still there.
    network: Network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser: OnnxParser = trt.OnnxParser(network, device.logger)
    if not parser.parse(model):
        raise FileNotRead("; ".join(str(parser.get_error(index)) for index in range(parser.num_errors)))
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
        raise EngineFailed("build")
    return bytes(plan), bytes(cache.serialize())


def profile_shapes(name: str, shape: Sequence[int], batch: int) -> tuple[Shape, Shape, Shape]:
    """Smallest, usual and largest shape of an input.

    Args:
        name: For the error.
        shape: As in the file; -1 where an axis is free.
        batch: The batch that the engine is tuned for.

    Raises:
        FreeAxis: If an axis besides the batch is free.
    """
    first, *others = shape
    if any(size < 0 for size in others):
        raise FreeAxis(name, shape)
    sizes = (first, first, first) if first >= 0 else (1, batch, largest_batch(batch))
    low, usual, high = ((size, *others) for size in sizes)
    return low, usual, high


def cached_engine(device: Device, path: Path, batch: int, folder: Path) -> bytes:
    """The engine of a file, built where it is not kept from an earlier time.

    Args:
        device: Where it will run.
        path: An ``.onnx`` file.
        batch: The batch that it is tuned for.
        folder: Where engines and the timings of kernels are kept, for each kind of GPU and version of
            TensorRT its own.
    """
    model = path.read_bytes()
    machine = f"{device.trt.__version__} {device.name}"
    plan = folder / f"{_digest(f'{hashlib.sha256(model).hexdigest()} {machine} {batch}')}.engine"
    if plan.is_file():
        return plan.read_bytes()
    timing = folder / f"{_digest(machine)}.timing"
    engine, cache = build(device, model, batch, timing.read_bytes() if timing.is_file() else b"")
    _write(timing, cache)
    _write(plan, engine)
    return engine


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:24]


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: several processes may build at once."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)
