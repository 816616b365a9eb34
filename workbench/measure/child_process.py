"""Runs a measurement in a process of its own, which a hostile file can kill without other harm."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from workbench.api.errors import InvalidInput, JobFailed, TensorFlowCrashed, WorkbenchError, error_from_json
from workbench.api.technique import Reporter
from workbench.api.text import Text, say, verbatim
from workbench.jobs import onednn
from workbench.jobs.child_process import end_child, start_module
from workbench.measure.latency import Candidate
from workbench.runtimes import runtime

SILENCE_S = 600.0
"""A process that says nothing for so long is ended."""

_POLL_S = 0.1
_LONGEST_LINE = 1_000_000


def run_in_child(
    report: Reporter,
    task: str,
    candidates: Sequence[Candidate],
    folder: Path,
    *,
    on_message: Callable[[dict[str, Any]], None] = lambda message: None,
    silence_s: float = SILENCE_S,
    **arguments: Any,
) -> dict[str, Any]:
    """Runs one task of :mod:`workbench.measure.child` and waits for it.

    Args:
        report: Its ``check`` is called ten times a second; when it raises, the process is killed.
        task: ``latency``, ``predict``, ``memory`` or ``work``.
        candidates: The files that the process will load.
        folder: Where it writes its arrays.
        on_message: Receives each message, such as ``{"progress": 0.5}``.
        silence_s: Longest time without a message, seconds.
        **arguments: What else the task needs, as JSON.

    Returns:
        The task's result.

    Raises:
        InvalidInput: If a file made the process crash, or could not be loaded or run.
        TensorFlowCrashed: If it crashed in TensorFlow.
        JobFailed: If the process ran out of memory, was ended from outside, or hung.
        workbench.api.errors.Cancelled: If the user has cancelled the job.
    """
    spec = {
        "task": task,
        "candidates": [candidate.model_dump(mode="json") for candidate in candidates],
        # By class, so that a runtime that was registered in this process is found there too.
        "runtimes": {name: class_of(name) for name in {candidate.runtime for candidate in candidates}},
        "path": [entry for entry in sys.path if entry],
        "folder": str(folder),
        "parent": os.getpid(),
        **arguments,
    }
    conversation = _Conversation(on_message, report.log)
    with tempfile.TemporaryFile() as complaints:
        process = start_module(
            "workbench.measure.child",
            environment=measuring_variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        try:
            _tell(process, spec)
            _listen(report, process, conversation, silence_s)
            code = process.wait()
        finally:
            end_child(process)
        if conversation.error is not None:
            raise conversation.error
        if conversation.result is not None and code == 0:
            return conversation.result
        for line in _last_lines(complaints):
            report.log(verbatim(line))
    raise _death(code, conversation.working_on, candidates)


class _Conversation:
    """What the process has said so far."""

    def __init__(self, on_message: Callable[[dict[str, Any]], None], on_log: Callable[[Text], None]) -> None:
        self.result: dict[str, Any] | None = None
        self.error: WorkbenchError | None = None
        self.working_on: str | None = None
        self._on_message = on_message
        self._on_log = on_log

    def hear(self, line: bytes) -> None:
        message = json.loads(line)
        if "working_on" in message:
            self.working_on = message["working_on"]
        elif "result" in message:
            self.result = message["result"]
        elif "log" in message:
            self._on_log(Text.model_validate(message["log"]))
        elif "error" in message:
            self.error = error_from_json(message["error"])
        else:
            self._on_message(message)


def class_of(name: str) -> str:
    """Where the class of a runtime is, for another process to import."""
    kind = type(runtime(name))
    return f"{kind.__module__}:{kind.__qualname__}"


def measuring_variables() -> dict[str, str]:
    """The variables of a process that measures."""
    return {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ}


def _tell(process: subprocess.Popen[bytes], spec: dict[str, Any]) -> None:
    assert process.stdin is not None
    try:
        # The pipe stays open: its end tells the process that this one is gone.
        process.stdin.write(json.dumps(spec).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        return


def _listen(
    report: Reporter, process: subprocess.Popen[bytes], conversation: _Conversation, silence_s: float
) -> None:
    assert process.stdout is not None
    descriptor, pending, heard = process.stdout.fileno(), b"", time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            report.check()
            if not selector.select(_POLL_S):
                if time.monotonic() - heard > silence_s:
                    raise JobFailed(
                        say(
                            "The measurement said nothing for {seconds:.0f} s and was ended.",
                            seconds=silence_s,
                        ),
                        say("The file may be damaged or far too large for this machine."),
                    )
                continue
            received = os.read(descriptor, 1 << 16)
            if not received:
                return
            heard = time.monotonic()
            *lines, pending = (pending + received).split(b"\n")
            if len(pending) > _LONGEST_LINE:
                raise JobFailed(say("The measurement gave an unreadable answer and was ended."))
            for line in lines:
                conversation.hear(line)


def _death(code: int, working_on: str | None, candidates: Sequence[Candidate]) -> WorkbenchError:
    files = [c for c in candidates if working_on in (None, c.variant)] or list(candidates)
    file = ", ".join(dict.fromkeys(c.path.name for c in files))
    runtimes = ", ".join(dict.fromkeys(c.runtime for c in files))
    if -code == signal.SIGKILL:
        return JobFailed(
            say(
                "The process that ran {file} was ended by the system, most likely for lack of memory.",
                file=file,
            ),
            say("Close other programs, or use a smaller model."),
        )
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        problem = say("{file} made {runtime} crash ({signal}).", file=file, runtime=runtimes, signal=name)
        if onednn.is_crash(code) and any(runtime(c.runtime).imports_tensorflow for c in files):
            return TensorFlowCrashed(problem, onednn.what_to_do())
        return InvalidInput(
            problem,
            say("The file is damaged or not made for this runtime. Nothing else was affected."),
        )
    return JobFailed(
        say("The process that ran {file} ended without a result (exit code {code}).", file=file, code=code)
    )


def _last_lines(complaints: IO[bytes], count: int = 5) -> list[str]:
    size = complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, size - 4000))
    lines = complaints.read().decode(errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()][-count:]
