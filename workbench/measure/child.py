"""The fresh process that measures: ``python -m workbench.measure.child``.

It reads one line of JSON from standard input, imports only the runtimes of the files named there,
writes arrays into the folder named there, and says what it does as lines of JSON on standard
output (which nothing else in the process can write to). Started by
:mod:`workbench.measure.child_process`; see there for the messages.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from workbench.api.dataset import Dataset, sample_count
from workbench.api.errors import InvalidInput, JobFailed, WorkbenchError
from workbench.api.library_errors import library_cause, raw_text, reason_of
from workbench.api.runtime import Runtime
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import Table
from workbench.jobs.child_process import die_with_parent
from workbench.jobs.lean_import import import_tensorflow
from workbench.jobs.limits import limit_for_good
from workbench.measure.block_plan import BlockPlan
from workbench.measure.inside.profiling_child import profile_layers
from workbench.measure.latency import Candidate, input_batches, time_interleaved
from workbench.measure.narrowing import SECONDS_BETWEEN, Narrowing
from workbench.measure.prediction import predict_in_batches


class Line:
    """Speaks to the process that started this one; has the methods of a reporter."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")
        self._last_progress = 0.0

    def send(self, **message: Any) -> None:
        """Sends one message."""
        self._file.write(json.dumps(message) + "\n")
        self._file.flush()

    def stage(self, text: Text) -> None:
        """Says what is being done."""
        self.send(stage=text.model_dump(mode="json"))

    def progress(self, fraction: float) -> None:
        """Says how much is done, a few times a second at most."""
        now = time.monotonic()
        # Each message wakes the other process, on the machine that is being measured.
        if now - self._last_progress > SECONDS_BETWEEN:
            self._last_progress = now
            self.send(progress=fraction)

    def so_far(self, **message: Any) -> None:
        """Says what is known in the middle of a timing, and how much is done."""
        if "progress" in message:
            self._last_progress = time.monotonic()
        self.send(**message)

    def metric(
        self, name: str, step: float, value: float, interval: tuple[float, float] | None = None
    ) -> None:
        """Adds a point to a curve."""
        self.send(metric=[name, step, value, interval])

    def table(self, table: Table) -> None:
        """Shows a table as far as it is filled."""
        self.send(table=table.model_dump(mode="json"))

    def log(self, text: Text) -> None:
        """Adds a line to the log."""
        self.send(log=text.model_dump(mode="json"))

    def check(self) -> None:
        """Does nothing: this process is killed when its job is cancelled."""

    def working_on(self, variant: str | None) -> None:
        """Says which file is being loaded, in case it kills the process."""
        self.send(working_on=variant)


def latency(line: Line, spec: dict[str, Any], candidates: list[Candidate]) -> dict[str, Any]:
    """Times the candidates; raw samples go to ``samples.npz``."""
    plan = spec.get("plan")
    timed = time_interleaved(
        candidates,
        Dataset(Path(spec["dataset"])).x(spec.get("split", "test")),
        spec["protocol"],
        spec["seed"],
        line,
        runtime_of=runtimes_of(spec),
        plan=plan and BlockPlan.model_validate(plan),
        working_on=line.working_on,
        watch=Narrowing(line.so_far, len(candidates)),
    )
    arrays = {str(index): samples for index, samples in enumerate(timed.samples)}
    if timed.control is not None:
        arrays["control"] = timed.control
    for index, busy in enumerate(timed.cores_busy):
        if busy is not None:
            arrays[f"busy {index}"] = busy
    np.savez(Path(spec["folder"]) / "samples.npz", **arrays)  # type: ignore[arg-type]  # stub knows no **
    return {
        "load_ms": timed.load_ms,
        "first_ms": timed.first_ms,
        "plan": timed.plan.model_dump(mode="json"),
        "waited": timed.waited,
    }


def predict(line: Line, spec: dict[str, Any], candidates: list[Candidate]) -> dict[str, Any]:
    """Predicts a split; outputs grow in ``outputs.npy``."""
    (candidate,) = candidates
    features = Dataset(Path(spec["dataset"])).x(spec.get("split", "test"))
    line.working_on(candidate.variant)
    session = runtimes_of(spec)(candidate.runtime).load(candidate.path, candidate.settings)
    stored: Any = None
    for start, stop, outputs in predict_in_batches(session, features):
        if stored is None:
            shape = (sample_count(features), *outputs.shape[1:])
            path = Path(spec["folder"]) / "outputs.npy"
            stored = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        stored[start:stop] = outputs
        line.send(batch=[start, stop])
    session.close()
    return {}


def memory(line: Line, spec: dict[str, Any], candidates: list[Candidate]) -> dict[str, Any]:
    """Loads one file, infers once, and tells the growth of the highest resident memory."""
    (candidate,) = candidates
    runtime = runtimes_of(spec)(candidate.runtime)
    features = Dataset(Path(spec["dataset"])).x(spec.get("split", "test"))
    (batch, *_) = input_batches(features, candidate.settings.batch, np.random.default_rng(0))
    line.working_on(candidate.variant)
    gc.collect()
    _forget_peak_memory()
    before = resident_bytes()
    session = runtime.load(candidate.path, candidate.settings)
    session.predict(batch)
    peak = peak_resident_bytes()
    return {"bytes": None if before is None or peak is None else max(0, peak - before)}


def work(line: Line, spec: dict[str, Any], candidates: list[Candidate]) -> dict[str, Any]:
    """Infers without a pause for some seconds, for an energy meter to watch."""
    (candidate,) = candidates
    features = Dataset(Path(spec["dataset"])).x("test")
    line.working_on(candidate.variant)
    session = runtimes_of(spec)(candidate.runtime).load(candidate.path, candidate.settings)
    batches = input_batches(features, candidate.settings.batch, np.random.default_rng(0))
    prepared = [session.prepare(batch) for batch in batches]
    for item in prepared:
        session.infer(item)
    line.send(started=True)
    calls, start = 0, time.monotonic()
    while (spent := time.monotonic() - start) < spec["seconds"]:
        session.infer(prepared[calls % len(prepared)])
        calls += 1
        line.progress(spent / spec["seconds"])
    line.send(finished=True)
    return {"calls": calls}


def layers(line: Line, spec: dict[str, Any], candidates: list[Candidate]) -> dict[str, Any]:
    """Times the operations of one file by its runtime's own clock."""
    (candidate,) = candidates
    return profile_layers(line, spec, candidate, runtimes_of(spec)(candidate.runtime))


def resident_bytes() -> int | None:
    """Resident memory of this process now; None where the system does not say."""
    try:
        import psutil

        return int(psutil.Process().memory_info().rss)
    except (ImportError, OSError):
        return None


def peak_resident_bytes() -> int | None:
    """Highest resident memory of this process; None where the system does not say."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage: on Linux its maximum is inherited from the process that started this one.
        for entry in status.read_text().splitlines():
            if entry.startswith("VmHWM:"):
                return int(entry.split()[1]) * 1024
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None


def _forget_peak_memory() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def runtimes_of(spec: dict[str, Any]) -> Callable[[str], Runtime]:
    """Finds a runtime by name as the process that asks knows it."""
    made: dict[str, Runtime] = {}

    def find(name: str) -> Runtime:
        if name not in made:
            module, _, qualified = spec["runtimes"][name].partition(":")
            kind: Any = importlib.import_module(module)
            for part in qualified.split("."):
                kind = getattr(kind, part)
            made[name] = kind()
        return made[name]

    return find


def import_ahead(candidates: Sequence[Candidate], runtime_of: Callable[[str], Runtime]) -> None:
    """Imports TensorFlow the short way, where a candidate's runtime would import it in full."""
    if any(runtime_of(candidate.runtime).imports_tensorflow for candidate in candidates):
        with suppress(ImportError):  # left to the file that needs it, which says so
            import_tensorflow()


def end_with_input() -> None:
    """Ends this process when the one that started it is gone, where the kernel does not do that."""
    if platform.system() == "Linux":
        return

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=wait_for_end, daemon=True).start()


_TASKS = {"latency": latency, "predict": predict, "memory": memory, "work": work, "layers": layers}


def _shapes(spec: dict[str, Any]) -> str:
    shapes = Dataset(Path(spec["dataset"])).info.input_shapes
    return ", ".join(f"{name} {shape}".strip() for name, shape in shapes.items())


def main() -> int:
    """Does what the specification on standard input asks for."""
    line = Line(os.dup(1))
    # Libraries print: what they say goes to standard error, not between the messages.
    os.dup2(2, 1)
    spec = json.loads(sys.stdin.readline())
    die_with_parent(spec["parent"])
    end_with_input()
    limit_for_good(spec.get("address_space_bytes"))
    sys.path.extend(entry for entry in spec["path"] if entry not in sys.path)
    candidates = [Candidate.model_validate(item) for item in spec["candidates"]]
    files = ", ".join(dict.fromkeys(candidate.path.name for candidate in candidates))
    try:
        if spec["task"] != "memory":  # which counts what a runtime's import takes as everybody has it
            import_ahead(candidates, runtimes_of(spec))
        line.send(result=_TASKS[spec["task"]](line, spec, candidates))
    except WorkbenchError as error:
        if (cause := library_cause(error)) is not None:
            line.log(verbatim(raw_text(cause)))
        line.send(error=error.as_json())
    except MemoryError:
        problem = say("{file} needs more memory than this machine can give.", file=files)
        failed = JobFailed(problem, say("Close other programs, or use a smaller model."))
        line.send(error=failed.as_json())
    except Exception as error:
        line.log(verbatim(raw_text(error)))
        invalid = InvalidInput(
            say(
                "{file} could not be run: {kind}: {error}",
                file=files,
                kind=type(error).__name__,
                error=reason_of(error, longest=2000),
            ),
            say(
                "It was given samples of shape {shapes}. The job's log has all that was said.",
                shapes=_shapes(spec),
            ),
        )
        line.send(error=invalid.as_json())
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Not through the runtimes' destructors, some of which crash at exit.
    os._exit(code)
