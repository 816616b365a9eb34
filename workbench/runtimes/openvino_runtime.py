"""OpenVINO."""

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
from workbench.api.privacy import import_openvino
from workbench.api.runtime import Runtime, Session
from workbench.api.text import Text, say
from workbench.api.variant import Format, RuntimeSettings
from workbench.data.batches import Arrays, Prepared, as_type, batched, chosen_output, joined, ordered


class OpenVino(Runtime):
    """Intel's runtime; the one where int8 is most often faster on a PC.

    It reads its own format (a folder with ``model.xml`` and ``model.bin``), ``.onnx`` and
    ``.tflite``. One stream, set for latency.
    """

    name: ClassVar[str] = "openvino"
    title: ClassVar[str] = "OpenVINO"
    formats: ClassVar[frozenset[Format]] = frozenset({"openvino", "onnx", "tflite"})
    packages: ClassVar[tuple[str, ...]] = ("openvino",)

    @override
    def unavailable(self) -> Text | None:
        if find_spec("openvino") is None:
            return say("{package} is not installed.", package="openvino")
        return None

    @override
    def load(self, path: Path, settings: RuntimeSettings) -> Session:
        return openvino_session(path, settings)


def openvino_session(path: Path, settings: RuntimeSettings, *, counting: bool = False) -> OpenVinoSession:
    """A session of a file or folder.

    Args:
        path: A file, or a folder with ``model.xml``.
        settings: How it is run.
        counting: Whether OpenVINO takes the time of each operation, for :meth:`OpenVinoSession.counters`.

    Raises:
        InvalidInput: If it cannot be loaded.
    """
    openvino = import_openvino()
    file = path / "model.xml" if path.is_dir() else path
    try:
        return OpenVinoSession(openvino.Core().read_model(file), settings, counting=counting)
    except RuntimeError as error:
        raise InvalidInput(
            say("OpenVINO cannot load {file}: {error}", file=path.name, error=reason_of(error))
        ) from error


def bare_openvino_session(settings: RuntimeSettings) -> OpenVinoSession:
    """A session that computes next to nothing, of which the time of a call itself is told."""
    openvino = import_openvino()
    given = openvino.opset13.parameter([1, 1], openvino.Type.f32, "x")
    model = openvino.Model([openvino.opset13.relu(given)], [given], "bare")
    return OpenVinoSession(model, settings)


class OpenVinoSession(Session):
    """A model compiled for the CPU, once per batch size that is asked for.

    A known batch size lets OpenVINO choose its fastest kernels; so a file whose batch axis is free
    is compiled for ``settings.batch``, and once more with the free axis for other sizes.
    """

    def __init__(self, model: Any, settings: RuntimeSettings, *, counting: bool = False) -> None:
        self._openvino = import_openvino()
        self._model = model
        self._counting = counting
        self._settings = settings
        self._names = [_name(port) for port in model.inputs]
        self._types = [port.element_type.to_dtype() for port in model.inputs]
        free = all(
            port.partial_shape.rank.is_static and port.partial_shape[0].is_dynamic for port in model.inputs
        )
        self._fixed = None if free else int(model.inputs[0].partial_shape[0].get_length())
        self._output = chosen_output([_name(port) for port in model.outputs], settings.output)
        self._requests: dict[int | None, Any] = {}
        self._request(settings.batch)

    @override
    def prepare(self, features: Features) -> object:
        arrays = tuple(
            as_type(array, dtype, name)
            for array, dtype, name in zip(
                ordered(features, self._names), self._types, self._names, strict=True
            )
        )
        return batched(arrays, self._fixed, self._tensors)

    @override
    def infer(self, prepared: object) -> npt.NDArray[np.float32]:
        assert isinstance(prepared, Prepared)
        return joined([self._infer_one(*batch) for batch in prepared.batches], prepared.count)

    @override
    def close(self) -> None:
        self._requests.clear()
        self._model = None

    def counters(self, batch: int) -> list[tuple[str, float]]:
        """Name and mean milliseconds of each operation in all calls so far, cut to whole microseconds.

        What was made part of another operation, or only gives the memory of another one a name, is left out.

        Args:
            batch: Samples in the calls.
        """
        found = self._request(batch).get_profiling_info()
        return [
            (one.node_name, 1000 * one.real_time.total_seconds())
            for one in found
            if not one.exec_type.startswith(("undef", "unknown"))
        ]

    def originals(self, batch: int) -> dict[str, tuple[str, ...]]:
        """What each operation that is run does of the file: names of operations, and of their tensors.

        Args:
            batch: Samples in the calls.
        """
        tensors = {
            node.get_friendly_name(): sorted(node.output(0).get_names())
            for node in self._model.get_ordered_ops()
            if node.get_output_size()
        }
        executed = self._request(batch).get_compiled_model().get_runtime_model()
        names = {}
        for node in executed.get_ordered_ops():
            info = node.get_rt_info()
            told = info["originalLayersNames"].astype(str) if "originalLayersNames" in info else ""
            layers = list(filter(None, told.split(",")))
            names[node.get_friendly_name()] = (
                *layers,
                *(one for name in layers for one in tensors.get(name, ())),
            )
        return names

    def _infer_one(self, request: Any, tensors: list[Any]) -> npt.NDArray[Any]:
        for position, tensor in enumerate(tensors):
            request.set_input_tensor(position, tensor)
        request.infer()
        output: npt.NDArray[Any] = request.get_output_tensor(self._output).data
        return output.copy()  # the request overwrites it in the next run

    def _tensors(self, arrays: Arrays) -> tuple[Any, list[Any]]:
        request = self._request(len(arrays[0]))
        return request, [self._openvino.Tensor(np.ascontiguousarray(array)) for array in arrays]

    def _request(self, batch: int) -> Any:
        free = self._fixed is None
        key = batch if free and batch == self._settings.batch else None
        if key not in self._requests:
            model = self._model
            if key is not None:
                model = model.clone()
                model.reshape({port: [key, *list(port.partial_shape)[1:]] for port in model.inputs})
            options: dict[str, Any] = {
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": 1,
                # Left alone, OpenVINO computes float32 files in bfloat16 where the CPU can.
                "INFERENCE_PRECISION_HINT": "f32",
                "INFERENCE_NUM_THREADS": self._settings.threads,
            }
            if _adds_rows(model):
                options["SNIPPETS_MODE"] = "DISABLE"
            if self._counting:
                options["PERF_COUNT"] = True
            compiled = self._openvino.Core().compile_model(model, "CPU", options)
            self._requests[key] = compiled.create_infer_request()
        return self._requests[key]


def _name(port: Any) -> str:
    names = sorted(port.names)
    return names[0] if names else str(port.node.get_friendly_name())


def _adds_rows(model: Any) -> bool:
    """Whether a model adds two computed rows of a fixed shape, as a residual connection of dense layers does.

    OpenVINO 2026.4 may end the process while it fuses such layers into one piece of code: seen with less than
    256 units, one thread and a batch of fixed size (``tests/runtimes/test_runtimes.py``).
    """
    return any(
        node.get_type_name() == "Add"
        and node.get_output_partial_shape(0).is_static
        and len(node.get_output_shape(0)) <= 2
        and all(one.get_source_output().get_node().get_type_name() != "Constant" for one in node.inputs())
        for node in model.get_ordered_ops()
    )
