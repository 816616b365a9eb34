"""Why a job ended without its result, in words: what happened, which limit, what to do."""

from __future__ import annotations

import signal
from typing import Any

from workbench.api.errors import JobFailed, TensorFlowCrashed
from workbench.api.text import Text, say, verbatim
from workbench.jobs import onednn
from workbench.jobs.limits import Limits
from workbench.jobs.worker import TENSORFLOW_KINDS, Outcome, WorkerKind

_GIB = 1024**3


def from_outcome(outcome: Outcome, limits: Limits) -> JobFailed:
    """The error of a function that ended with an exception that the workbench did not foresee."""
    if outcome.kind != "memory":
        return JobFailed(
            say("The work stopped with an error: {error}", error=verbatim(outcome.words)),
            say("The job's log has the details."),
        )
    if limits.address_space_bytes is not None:
        return JobFailed(
            say(
                "This needed more than {limit:.3g} GiB of memory, the most that such a job may take.",
                limit=limits.address_space_bytes / _GIB,
            ),
            say("The file may be damaged or made to do harm; otherwise use a smaller model or less data."),
        )
    return JobFailed(say("The memory ran out: {error}", error=verbatim(outcome.words)), _less_memory())


def wall_time(limits: Limits) -> JobFailed:
    """The error of a job that took longer than it may."""
    return JobFailed(
        say(
            "This took longer than {limit:g} seconds, the most that such a job may take; it was ended.",
            limit=limits.wall_seconds,
        ),
        say("Use a smaller model or less data."),
    )


def from_exit(
    exitcode: int | None, memory: dict[str, Any] | None, limits: Limits, kind: WorkerKind
) -> JobFailed:
    """The error of a job whose worker process died under it.

    Args:
        exitcode: As of :class:`subprocess.Popen`: minus the signal's number; None if unknown.
        memory: What the nanny said when it ended the worker for its memory; None if it did not.
        limits: What the job was allowed to take.
        kind: The kind of worker.
    """
    crashed = kind in TENSORFLOW_KINDS and onednn.is_crash(exitcode)
    if memory is not None:
        return JobFailed(
            say(
                "The worker process took {used:.3g} GiB of memory and was ended before the machine "
                "ran out of it.",
                used=memory["rss"] / _GIB,
            ),
            _less_memory(),
        )
    if limits.cpu_seconds is not None and exitcode == _by("SIGXCPU"):
        return JobFailed(
            say(
                "This took more than {limit:g} seconds of processor time, the most that such a job may "
                "take; it was ended.",
                limit=limits.cpu_seconds,
            ),
            say("The file may be damaged or made to do harm; otherwise use a smaller model or less data."),
        )
    if limits.address_space_bytes is not None and exitcode in (_by("SIGABRT"), _by("SIGSEGV")):
        error = TensorFlowCrashed if crashed else JobFailed
        return error(
            say(
                "The worker process crashed, most likely because it needed more than {limit:.3g} GiB of "
                "memory, the most that such a job may take.",
                limit=limits.address_space_bytes / _GIB,
            ),
            say("The file may be damaged or made to do harm; otherwise use a smaller model or less data."),
        )
    if exitcode == _by("SIGKILL"):
        return JobFailed(
            say(
                "The worker process was killed from outside. "
                "Most often the system does this when memory runs out."
            ),
            _less_memory(),
        )
    if crashed:
        return _tensorflow_crashed(exitcode, kind)
    return JobFailed(
        say("The worker process ended unexpectedly ({how}).", how=_how(exitcode)),
        say(
            "A new one has been started. Run the job again; if it happens again, the file or a "
            "runtime is at fault."
        ),
    )


def _tensorflow_crashed(exitcode: int | None, kind: WorkerKind) -> TensorFlowCrashed:
    if kind == "tensorflow":
        return TensorFlowCrashed(
            say("TensorFlow itself crashed ({how}).", how=_how(exitcode)), onednn.what_to_do()
        )
    return TensorFlowCrashed(
        say(
            "TensorFlow itself crashed ({how}), with its oneDNN kernels and without them ({switch}).",
            how=_how(exitcode),
            switch=f"{onednn.VARIABLE}={onednn.OFF}",
        ),
        say("The model's file or TensorFlow itself is at fault: try another version of TensorFlow."),
    )


def connection_lost() -> JobFailed:
    """The error of jobs whose scheduler is gone."""
    return JobFailed(
        say("The process that manages the workers is gone."), say("Run the job again: it is started anew.")
    )


def run_again() -> JobFailed:
    """The error of a job whose result was lost together with its worker."""
    return JobFailed(
        say("The worker process ended just after the work was done, and its result is lost."),
        say("Run the job again."),
    )


def _less_memory() -> Text:
    return say(
        "Close other programs, or use a smaller model, a smaller batch or less data; then run it again."
    )


def _by(name: str) -> int:
    """The exit code of a process that a signal ended; one that never comes where there is no such signal."""
    return -getattr(signal, name, 1000)


def _how(exitcode: int | None) -> Text:
    if exitcode is None:
        return say("no reason was given")
    if exitcode >= 0:
        return say("exit code {code}", code=exitcode)
    try:
        name = signal.Signals(-exitcode).name
    except ValueError:
        name = str(-exitcode)
    return say("signal {name}", name=name)
