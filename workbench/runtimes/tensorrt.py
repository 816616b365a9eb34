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
from workbench.api.errors import InvalidInput, JobFailed, Unavailable, WorkbenchError
from workbench.api.library_errors import reason_of
from workbench.api.runtime import Runtime, Session
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import Format, RuntimeSettings
from workbench.data.batches import Arrays, Prepared, as_type, batched, chosen_output, joined, ordered
from workbench.plain.tensorrt import device as plain_device
from workbench.plain.tensorrt.build import cached_engine
from workbench.plain.tensorrt.device import Device
from workbench.plain.tensorrt.errors import EngineFailed, FileNotRead, FreeAxis
from workbench.plain.tensorrt.run import Engine

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
            try:
                engine = Engine(device, cached_engine(device, path, settings.batch, _cache_folder()))
            except (FileNotRead, FreeAxis, EngineFailed) as error:
                raise in_words(error) from error
        except BaseException:
            device.context.pop()
            raise
        return TensorRtSession(device, engine, settings)


def open_device() -> Device:
    """Loads the libraries and opens the first GPU.

    Raises:
        Unavailable: Without the packages, the driver or a GPU, with what is missing.
    """
    try:
        import tensorrt  # noqa: F401  (which of the two is missing)
    except (ImportError, OSError) as error:
        raise _missing("TensorRT", error) from error
    try:
        import pycuda.driver as cuda
    except (ImportError, OSError) as error:
        raise _missing("PyCUDA", error) from error
    try:
        return plain_device.open_device()
    except cuda.Error as error:
        raise _missing("the GPU", error) from error


def _missing(what: str, error: Exception) -> Unavailable:
    return Unavailable(
        say("{what} cannot be used here: {error}", what=verbatim(what), error=reason_of(error)),
        say(
            "TensorRT needs an NVIDIA GPU with its driver. On such a machine: pip install "
            "'neural-workbench[tensorrt]'."
        ),
    )


def in_words(error: FileNotRead | FreeAxis | EngineFailed) -> WorkbenchError:
    """What went wrong, as it is shown, with what to do."""
    if isinstance(error, FileNotRead):
        return InvalidInput(
            say("TensorRT cannot read this file: {error}", error=verbatim(error.messages[:1000]))
        )
    if isinstance(error, FreeAxis):
        return InvalidInput(
            say(
                "Input {name} has a free axis besides the batch: {shape}.",
                name=error.name,
                shape=str(error.shape),
            ),
            say("Fix its length in the model."),
        )
    match error.step:
        case "build":
            return JobFailed(
                say("TensorRT could not build an engine of this file."),
                say("Its log on standard error says why. Try float32."),
            )
        case "load":
            return JobFailed(
                say("TensorRT cannot load this engine."),
                say("It was built for another GPU or version: delete it, and it is built again."),
            )
        case "run":
            return JobFailed(say("TensorRT could not run the engine."))


def _cache_folder() -> Path:
    import platformdirs

    chosen = os.environ.get("WORKBENCH_ENGINE_FOLDER")
    folder = Path(chosen) if chosen else platformdirs.user_cache_path("neural-workbench") / "tensorrt"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def has_gpu() -> bool:
    """Whether there seems to be an NVIDIA GPU with its driver (Linux, Jetson, WSL, Windows).

    Asks no library and starts no program; loading a file tells for sure.
    """
    places = ("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/nvmap", "/dev/dxg")
    return any(Path(place).exists() for place in places) or shutil.which("nvidia-smi") is not None


class TensorRtSession(Session):
    """An engine with samples that wait in pinned memory."""

    def __init__(self, device: Device, engine: Engine, settings: RuntimeSettings) -> None:
        self._device = device
        self._engine = engine
        self._names = engine.inputs
        self._batch = settings.batch
        names = engine.outputs
        self._output = names[chosen_output(names, settings.output) if settings.output else 0]

    @override
    def prepare(self, features: Features) -> object:
        arrays = tuple(
            as_type(array, self._engine.input_type(name), name)
            for array, name in zip(ordered(features, self._names), self._names, strict=True)
        )
        return batched(arrays, self._engine.batch_size(len(arrays[0]), self._batch), self._pinned)

    @override
    def infer(self, prepared: object) -> npt.NDArray[np.float32]:
        assert isinstance(prepared, Prepared)
        return joined([self._first(batch) for batch in prepared.batches], prepared.count)

    @override
    def close(self) -> None:
        self._engine.close()
        self._device.context.pop()

    def _pinned(self, arrays: Arrays) -> dict[str, npt.NDArray[Any]]:
        pinned = (self._engine.pinned(array) for array in arrays)
        return dict(zip(self._names, pinned, strict=True))

    def _first(self, batch: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        try:
            outputs = self._engine.infer(batch)
        except EngineFailed as error:
            raise in_words(error) from error
        first: npt.NDArray[Any] = outputs[self._output].copy()
        return first
