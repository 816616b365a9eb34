"""ONNX Runtime."""

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
from workbench.api.privacy import import_onnxruntime
from workbench.api.runtime import Runtime, Session
from workbench.api.text import Text, say
from workbench.api.variant import Format, RuntimeSettings
from workbench.data.batches import Arrays, Prepared, as_type, batched, chosen_output, joined, ordered

_NUMPY_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


class OnnxRuntime(Runtime):
    """Microsoft's runtime for ``.onnx`` files, the format that most tools exchange.

    Threads do not spin while they wait, so that a timing does not pay for its neighbour's.
    """

    name: ClassVar[str] = "onnxruntime"
    title: ClassVar[str] = "ONNX Runtime"
    formats: ClassVar[frozenset[Format]] = frozenset({"onnx"})
    packages: ClassVar[tuple[str, ...]] = ("onnxruntime",)

    @override
    def unavailable(self) -> Text | None:
        if find_spec("onnxruntime") is None:
            return say("{package} is not installed.", package="onnxruntime")
        return None

    @override
    def load(self, path: Path, settings: RuntimeSettings) -> Session:
        return OnnxRuntimeSession(onnx_session(path, settings), settings)


def onnx_session(
    path: Path, settings: RuntimeSettings, *, profile: Path | None = None, optimized: Path | None = None
) -> Any:
    """ONNX Runtime's own session of a file.

    Args:
        path: The file.
        settings: How it is run.
        profile: Where the times of its operations go, a prefix; None for no such times.
        optimized: Where the graph is written that is run in the end; None for nowhere.

    Raises:
        InvalidInput: If it cannot be loaded.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base class but Exception
        raise InvalidInput(
            say("ONNX Runtime cannot load {file}: {error}", file=path.name, error=reason_of(error))
        ) from error


class OnnxRuntimeSession(Session):
    """An ``.onnx`` file on the CPU."""

    def __init__(self, session: Any, settings: RuntimeSettings) -> None:
        self._session = session
        names = [item.name for item in session.get_outputs()]
        self._output = [names[chosen_output(names, settings.output) if settings.output else 0]]
        self._inputs = session.get_inputs()
        self._names = [item.name for item in self._inputs]
        sizes = [item.shape[0] for item in self._inputs if item.shape]
        self._fixed = sizes[0] if sizes and isinstance(sizes[0], int) else None

    @override
    def prepare(self, features: Features) -> object:
        arrays = tuple(
            as_type(array, _NUMPY_TYPES[item.type], item.name)
            for array, item in zip(ordered(features, self._names), self._inputs, strict=True)
        )
        return batched(arrays, self._fixed, self._feed)

    @override
    def infer(self, prepared: object) -> npt.NDArray[np.float32]:
        assert isinstance(prepared, Prepared)
        run = self._session.run
        return joined([run(self._output, batch)[0] for batch in prepared.batches], prepared.count)

    @override
    def close(self) -> None:
        self._session = None

    def _feed(self, arrays: Arrays) -> dict[str, npt.NDArray[Any]]:
        return dict(zip(self._names, map(np.ascontiguousarray, arrays), strict=True))
