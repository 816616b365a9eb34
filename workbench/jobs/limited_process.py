"""Runs one of this package's modules in a process of its own, with limits, for a foreign file.

The child sets its own limits before it imports anything heavy, dies with its parent, and is killed
when its time is up or the job is cancelled.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import workbench
from workbench.api.technique import Reporter

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Allowance:
    """What the child may take.

    Attributes:
        address_space_bytes: Virtual memory, libraries included.
        cpu_seconds: CPU time of all its threads.
        wall_seconds: Time until it is killed.
    """

    address_space_bytes: int
    cpu_seconds: int
    wall_seconds: float


@dataclass(frozen=True)
class Ended:
    """How the child ended.

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


def run_confined(module: str, arguments: list[str], allowance: Allowance, report: Reporter) -> Ended:
    """Runs ``python -m module`` and waits for it.

    Args:
        module: A module of this package that calls :func:`confine_this_process` first.
        arguments: Its arguments.
        allowance: What it may take.
        report: Asked for cancellation several times a second.

    Raises:
        workbench.api.errors.Cancelled: If the user cancelled the job; the child is dead by then.
    """
    limits = [str(allowance.address_space_bytes), str(allowance.cpu_seconds)]
    # -P keeps files that lie beside a foreign one from being imported.
    command = [sys.executable, "-P", "-m", module, *limits, *arguments]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(  # noqa: S603  # arguments are passed as a list to a fixed program
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=_environment(),
            cwd=tempfile.gettempdir(),
            start_new_session=True,
        )
        out_of_time = False
        try:
            until = time.monotonic() + allowance.wall_seconds
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
                _kill(child)
        return Ended(child.returncode, _text(output), _last_line(_text(errors)), out_of_time)


def confine_this_process(arguments: list[str]) -> list[str]:
    """Applies the limits that :func:`run_confined` passed on; the first thing a child does.

    Args:
        arguments: ``sys.argv`` without the program.

    Returns:
        The arguments that are the child's own.
    """
    _die_with_parent()
    try:
        import resource
    except ImportError:  # Windows has no such limits; the wall time still holds there
        return arguments[2:]
    for kind, wanted in (
        (resource.RLIMIT_AS, int(arguments[0])),
        (resource.RLIMIT_CPU, int(arguments[1])),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    return arguments[2:]


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith(("TOKEN", "PASSWORD", "SECRET", "KEY"))
    }
    package = str(Path(workbench.__file__).parents[1])
    return kept | {
        "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")])),
        "PYTHONWARNINGS": "ignore",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "OMP_NUM_THREADS": "1",
    }


def _kill(child: subprocess.Popen[bytes]) -> None:
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
