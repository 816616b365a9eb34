"""Times of operations as runtimes take them themselves, in a process that does nothing else.

Both count whole microseconds, cut off: half of one is added to what was counted at all.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from workbench.api.dataset import Features, sample_count
from workbench.api.runtime import Session
from workbench.api.variant import RuntimeSettings
from workbench.measure.latency import rotating, timed_block
from workbench.runtimes.onnx_runtime import OnnxRuntimeSession, onnx_session
from workbench.runtimes.openvino_runtime import bare_openvino_session, openvino_session

HALF_A_TICK_MS = 0.0005
_KERNEL = "_kernel_time"
_CHAINS = 8, 72
"""Operations in the two chains whose difference tells what one takes."""


class Profile(ABC):
    """Runs a file with the runtime's own clock on each operation.

    Args:
        path: The file.
        settings: How it is run.
        folder: Where it may write.
    """

    def __init__(self, path: Path, settings: RuntimeSettings, folder: Path) -> None:
        self._path, self._settings, self._folder = path, settings, folder

    @abstractmethod
    def block(self, batches: Sequence[Features], discard: int, runs: int) -> dict[str, float]:
        """Milliseconds that each operation takes in one call, by the runtime's name for it.

        Args:
            batches: Inputs, taken in turn.
            discard: Calls before those that count.
            runs: Calls that count.
        """

    @abstractmethod
    def graph(self) -> dict[str, tuple[str, ...]]:
        """For each operation, names in the file that tell what it does."""

    @abstractmethod
    def overhead(self, discard: int, runs: int) -> tuple[float, float]:
        """Milliseconds that are in the time of each operation only because it is taken, and of a bare call.

        Args:
            discard: Calls before those that count.
            runs: Calls that count.
        """


class OnnxProfile(Profile):
    """ONNX Runtime's profiler: the time of each operation in each call.

    What it writes of an operation is partly inside its time: some microseconds, as much as a small operation
    takes. A chain of operations on one number tells how much, with the profiler and without.
    """

    @override
    def block(self, batches: Sequence[Features], discard: int, runs: int) -> dict[str, float]:
        return self._profiled(self._path, batches, discard, runs)

    @override
    def graph(self) -> dict[str, tuple[str, ...]]:
        import onnx

        written = self._folder / "optimized.onnx"
        onnx_session(self._path, self._settings, optimized=written)
        graph = onnx.load(str(written), load_external_data=False).graph
        written.unlink()
        return {node.name: (*node.output, node.name.removesuffix("_nchwc")) for node in graph.node}

    @override
    def overhead(self, discard: int, runs: int) -> tuple[float, float]:
        batches = [np.zeros((1, 1), np.float32)]
        settings = RuntimeSettings(threads=self._settings.threads)
        short, long = (_chain(self._folder, length) for length in _CHAINS)
        took = [
            call_ms(OnnxRuntimeSession(onnx_session(path, settings), settings), batches, discard, runs)
            for path in (short, long)
        ]
        each = (took[1] - took[0]) / (_CHAINS[1] - _CHAINS[0])
        told = self._profiled(long, batches, discard, runs)
        return float(np.mean(list(told.values()))) - each, took[0] - _CHAINS[0] * each

    def _profiled(self, path: Path, batches: Sequence[Features], discard: int, runs: int) -> dict[str, float]:
        session = onnx_session(path, self._settings, profile=self._folder / "profile")
        call_all(OnnxRuntimeSession(session, self._settings), batches, discard + runs)
        written = Path(session.end_profiling())
        calls = operation_times(json.loads(written.read_text()))
        written.unlink()
        return middle_half(calls[-runs:])


class OpenVinoProfile(Profile):
    """OpenVINO's counters: the mean time of each operation over all calls.

    Its names may differ at each load: an operation is known by its place.
    """

    def __init__(self, path: Path, settings: RuntimeSettings, folder: Path) -> None:
        super().__init__(path, settings, folder)
        self._graph: dict[str, tuple[str, ...]] = {}

    @override
    def block(self, batches: Sequence[Features], discard: int, runs: int) -> dict[str, float]:
        session = openvino_session(self._path, self._settings, counting=True)
        batch = sample_count(batches[0])
        call_all(session, batches, discard)
        before = session.counters(batch)
        call_all(session, batches, runs)
        after = session.counters(batch)
        originals = session.originals(batch)
        self._graph = {str(place): originals.get(name, ()) for place, (name, _) in enumerate(after)}
        session.close()
        return {
            # Of what is cut to nothing it is not known whether it is run at all.
            str(place): max(0.0, ((discard + runs) * mean - discard * earlier) / runs + HALF_A_TICK_MS)
            if mean > 0
            else 0.0
            for place, ((_, mean), (_, earlier)) in enumerate(zip(after, before, strict=True))
        }

    @override
    def graph(self) -> dict[str, tuple[str, ...]]:
        return self._graph

    @override
    def overhead(self, discard: int, runs: int) -> tuple[float, float]:
        settings = RuntimeSettings(threads=self._settings.threads)
        took = call_ms(bare_openvino_session(settings), [np.zeros((1, 1), np.float32)], discard, runs)
        return 0.0, took


PROFILES: dict[str, type[Profile]] = {"onnxruntime": OnnxProfile, "openvino": OpenVinoProfile}
"""By the runtime's name."""


def call_all(session: Session, batches: Sequence[Features], count: int) -> None:
    """Infers as often as asked for, with the batches in turn."""
    prepared = [session.prepare(batch) for batch in batches]
    for number in range(count):
        session.infer(prepared[number % len(prepared)])


def call_ms(session: Session, batches: Sequence[Features], discard: int, runs: int) -> float:
    """Median milliseconds of one call."""
    call = rotating(session, [session.prepare(batch) for batch in batches])
    times, _ = timed_block(call, discard, runs, 1)
    session.close()
    return float(np.median(times))


def operation_times(events: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """Milliseconds of each operation in each call, from the events of ONNX Runtime's profiler."""
    calls: list[dict[str, float]] = []
    now: dict[str, float] = {}
    for event in events:
        name = str(event.get("name", ""))
        if event.get("cat") == "Node" and name.endswith(_KERNEL):
            name = name.removesuffix(_KERNEL)
            now[name] = now.get(name, 0.0) + event["dur"] / 1000 + HALF_A_TICK_MS
        elif name == "model_run":
            calls.append(now)
            now = {}
    return calls


def _chain(folder: Path, length: int) -> Path:
    """A file of operations in a row, each on one number."""
    import onnx

    path = folder / f"chain-{length}.onnx"
    if not path.exists():
        make, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
        nodes = [onnx.helper.make_node("Neg", [str(one)], [str(one + 1)], str(one)) for one in range(length)]
        ends = make("0", kind, [1, 1]), make(str(length), kind, [1, 1])
        graph = onnx.helper.make_graph(nodes, "chain", [ends[0]], [ends[1]])
        opset = onnx.helper.make_opsetid("", 17)
        onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), str(path))
    return path


def middle_half(calls: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each operation over those calls that were neither fast nor slow in all.

    The same calls for all operations, so that their sum is that of calls as they are.
    """
    order = sorted(calls, key=lambda call: sum(call.values()))
    quarter = len(order) // 4
    chosen = order[quarter : len(order) - quarter] or order
    names = dict.fromkeys(name for call in chosen for name in call)
    return {name: float(np.mean([call.get(name, 0.0) for call in chosen])) for name in names}
