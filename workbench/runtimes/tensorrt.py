"""TensorRT."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from workbench.api.dataset import Features
from workbench.api.runtime import Runtime, Session
from workbench.api.text import Text, say
from workbench.api.variant import Format, RuntimeSettings
from workbench.data.batches import Arrays, Prepared, as_type, batched, chosen_output, joined, ordered
from workbench.runtimes.tensorrt_engine import Engine, cached_engine, open_device

GPU_VARIABLE = "WORKBENCH_GPU"
"""``remote`` if a worker with a GPU has joined the scheduler: this machine needs none then."""


class TensorRt(Runtime):
    """NVIDIA's runtime: an engine of the fastest kernels that it finds for one kind of GPU.

    It reads ``.onnx`` files; the element types in the file decide the precision. The engine is built when
    the file is loaded, which takes seconds to minutes, and kept for the next time. Copying samples to
    the GPU and results back is part of the time of a call. Written for TensorRT 10 and 11; not yet run
    on a GPU.
    """

    name: ClassVar[str] = "tensorrt"
    title: ClassVar[str] = "TensorRT"
    formats: ClassVar[frozenset[Format]] = frozenset({"onnx"})
    packages: ClassVar[tuple[str, ...]] = ("tensorrt", "pycuda")
    supports_threads: ClassVar[bool] = False
    needs_gpu: ClassVar[bool] = True

    @override
    def unavailable(self) -> Text | None:
        if os.environ.get(GPU_VARIABLE) == "remote":
            return None  # whether such a worker is there is known by the scheduler
        missing = [name for name in self.packages if find_spec(name) is None]
        if not has_gpu():
            missing.insert(0, "NVIDIA GPU")
        if not missing:
            return None
        return say(
            "TensorRT needs an NVIDIA GPU with its driver and the packages tensorrt and pycuda. Missing "
            "here: {missing}. On a machine with such a GPU: pip install 'neural-workbench[tensorrt]'; or let "
            "one join as a worker and set WORKBENCH_GPU=remote.",
            missing=tuple(missing),
        )

    @override
    def load(self, path: Path, settings: RuntimeSettings) -> Session:
        device = open_device()
        try:
            engine = Engine(device, cached_engine(device, path, settings.batch))
        except BaseException:
            device.context.pop()
            raise
        return TensorRtSession(engine, settings)


def has_gpu() -> bool:
    """Whether there seems to be an NVIDIA GPU with its driver (Linux, Jetson, WSL, Windows).

    Asks no library and starts no program; loading a file tells for sure.
    """
    places = ("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/nvmap", "/dev/dxg")
    return any(Path(place).exists() for place in places) or shutil.which("nvidia-smi") is not None


class TensorRtSession(Session):
    """An engine with samples that wait in pinned memory."""

    def __init__(self, engine: Engine, settings: RuntimeSettings) -> None:
        self._engine = engine
        self._names = engine.inputs
        size = engine.input_shape(self._names[0])[0]
        self._fixed = size if size > 0 else None
        self._largest = max(settings.batch, 32)
        names = engine.outputs
        self._output = names[chosen_output(names, settings.output) if settings.output else 0]

    @override
    def prepare(self, features: Features) -> object:
        arrays = tuple(
            as_type(array, self._engine.input_type(name), name)
            for array, name in zip(ordered(features, self._names), self._names, strict=True)
        )
        size = self._fixed
        if size is None and len(arrays[0]) > self._largest:
            size = self._largest
        return batched(arrays, size, self._pinned)

    @override
    def infer(self, prepared: object) -> npt.NDArray[np.float32]:
        assert isinstance(prepared, Prepared)
        return joined([self._first(batch) for batch in prepared.batches], prepared.count)

    @override
    def close(self) -> None:
        self._engine.close()

    def _pinned(self, arrays: Arrays) -> dict[str, npt.NDArray[Any]]:
        pinned = (self._engine.pinned(array) for array in arrays)
        return dict(zip(self._names, pinned, strict=True))

    def _first(self, batch: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        outputs = self._engine.infer(batch)
        first: npt.NDArray[Any] = outputs[self._output].copy()
        return first
