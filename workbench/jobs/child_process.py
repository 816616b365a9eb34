"""Modules of this package that run in a process of their own: how it is started, limited and ended.

What a foreign file may do to it does no harm here. A child dies with its parent, and is killed when its
time is up or the job is cancelled. :func:`run_limited` waits for one that is limited from its first moment
and says at its end what it has found; one that talks while it works (:mod:`workbench.measure.child_process`)
or that is asked again and again (:mod:`workbench.measure.answering`) is started by :func:`start_module`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import workbench
from workbench.api.technique import Reporter
from workbench.jobs.limits import limit_for_good

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class ChildLimits:
    """What a child may take, all in all.

    Attributes:
        address_space_bytes: Virtual memory, libraries included.
        cpu_seconds: CPU time of all its threads.
        wall_seconds: Time until it is killed.
    """

    address_space_bytes: int
    cpu_seconds: int
    wall_seconds: float


@dataclass(frozen=True)
class ChildExit:
    """How a child ended.

    Attributes:
        code: Exit status; negative for the signal that killed it, as in :mod:`subprocess`.
        output: What it wrote to standard output.
        last_line: The last line that it wrote to standard error.
        out_of_time: Whether it was killed because its time was up.
    """

    code: int
    output: str
    last_line: str
    out_of_time: bool = False

    @property
    def signal_name(self) -> str | None:
        """Name of the signal that killed it, such as ``SIGFPE``; None if none did."""
        return signal.Signals(-self.code).name if self.code < 0 else None

    @property
    def answers(self) -> list[str]:
        """The lines of its output that are JSON objects: libraries print between them."""
        return [line for line in self.output.splitlines() if line.startswith('{"')]


def start_module(
    module: str, *arguments: str, environment: Mapping[str, str], **options: Any
) -> subprocess.Popen[bytes]:
    """Starts ``python -m module``.

    Args:
        module: A module of this package.
        *arguments: Its arguments.
        environment: Its variables; where this package lies is added.
        **options: Further ones of :class:`subprocess.Popen`.
    """
    package = str(Path(workbench.__file__).parents[1])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    # -P: files that lie beside a foreign one, or in the working directory, must not stand in for a library.
    command = [sys.executable, "-P", "-m", module, *arguments]
    return subprocess.Popen(command, env={**environment, "PYTHONPATH": path}, **options)  # noqa: S603  # fixed program


def end_child(child: subprocess.Popen[bytes]) -> None:
    """Kills a child if it still runs, and closes what leads to it."""
    if child.poll() is None:
        child.kill()
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):  # what was still to be written has no reader any more
                pipe.close()


def run_limited(module: str, arguments: list[str], limits: ChildLimits, report: Reporter) -> ChildExit:
    """Runs ``python -m module`` under limits, without the secrets of this process, and waits for it.

    Args:
        module: A module of this package that calls :func:`limit_this_process` first.
        arguments: Its arguments.
        limits: What it may take.
        report: Asked for cancellation several times a second.

    Raises:
        workbench.api.errors.Cancelled: If the user cancelled the job; the child is dead by then.
    """
    own = [str(limits.address_space_bytes), str(limits.cpu_seconds)]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = start_module(
            module,
            *own,
            *arguments,
            environment=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=tempfile.gettempdir(),
            start_new_session=True,
        )
        out_of_time = False
        try:
            until = time.monotonic() + limits.wall_seconds
            while child.poll() is None:
                report.check()
                if time.monotonic() > until:
                    out_of_time = True
                    break
                try:
                    child.wait(0.1)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if child.poll() is None:
                _kill_group(child)
        return ChildExit(child.returncode, _text(output), _last_line(_text(errors)), out_of_time)


def limit_this_process(arguments: list[str]) -> list[str]:
    """Applies the limits that :func:`run_limited` passed on; the first thing a child does.

    Args:
        arguments: ``sys.argv`` without the program.

    Returns:
        The arguments that are the child's own.
    """
    die_with_parent()
    limit_for_good(int(arguments[0]), int(arguments[1]))
    return arguments[2:]


def die_with_parent(parent: int | None = None) -> None:
    """Lets the kernel end this process when its parent dies, even while it holds the interpreter (Linux).

    Args:
        parent: Identifier of that process; where it is gone already this one ends at once.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith(("TOKEN", "PASSWORD", "SECRET", "KEY"))
    }
    return kept | {
        "PYTHONWARNINGS": "ignore",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "OMP_NUM_THREADS": "1",
    }


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        child.kill()
    child.wait()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    content = file.read()
    return content.decode("utf-8", "replace")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
