"""The worker's side of a job, and what the executor runs out of band in workers and nannies.

Also a dask preload: ``dask worker ADDRESS --nthreads 1 --resources tensorflow=1 --preload
workbench.jobs.worker`` joins a shared or remote scheduler.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from workbench.api.errors import Cancelled, WorkbenchError
from workbench.api.library_errors import library_cause, raw_text, with_kind
from workbench.api.records import Record
from workbench.api.text import verbatim
from workbench.jobs import onednn
from workbench.jobs.child_process import die_with_parent
from workbench.jobs.lean_import import import_tensorflow
from workbench.jobs.limits import Limits, without_core_files
from workbench.jobs.reporter import Event, WorkerReporter

WorkerKind = Literal["tensorflow", "tensorflow_without_onednn", "light", "gpu"]
TENSORFLOW_KINDS: frozenset[WorkerKind] = frozenset({"tensorflow", "tensorflow_without_onednn"})
"""Those that import TensorFlow when they start."""

_MARKER = "running"

_flags: set[str] = set()
_going_on: set[str] = set()
_warming: list[threading.Thread] = []


class Call(Record):
    """One call of a function in a worker.

    Attributes:
        run: Identifier of this call.
        topic: Where its events go.
        work: The pickled function and its arguments.
        limits: What it may take.
    """

    run: str
    topic: str
    work: bytes
    limits: Limits = Limits()


class Outcome(Record):
    """How a call ended.

    Attributes:
        kind: ``memory`` is a ``MemoryError``, ``error`` anything that the workbench did not foresee.
        content: The pickled result (``returned``) or exception (``raised``).
        words: The error in one line.
        details: Its traceback.
    """

    kind: Literal["returned", "raised", "memory", "error"]
    content: bytes = b""
    words: str = ""
    details: str = ""


def execute(payload: bytes) -> bytes:
    """Runs one call; the function that the executor submits.

    Args:
        payload: A pickled :class:`Call`.

    Returns:
        A pickled :class:`Outcome`. Errors are not raised: unpickling a library's exception would
        import that library, and the kernel must never import TensorFlow.
    """
    from distributed import get_worker

    call: Call = pickle.loads(payload)  # noqa: S301 - from the executor
    worker: Any = get_worker()
    key = worker.get_current_task()
    state = worker.state.tasks.get(key)

    def abandoned() -> bool:
        # The scheduler releases the task of a client that is gone.
        return state is not None and state.state != "executing"

    def cancelled() -> bool:
        return call.run in _flags or abandoned()

    sent = 0

    def send(events: list[Event]) -> None:
        nonlocal sent
        sent += 1
        worker.log_event(call.topic, {"run": call.run, "events": events})

    def later(seconds: float, callback: Callable[[], None]) -> None:
        worker.loop.add_callback(worker.loop.call_later, seconds, callback)

    reporter = WorkerReporter(send, later, cancelled, lambda: call.run in _going_on)
    marker = Path(worker.local_directory) / _MARKER
    marker.write_text(call.run)
    try:
        _announce(worker, call, key)
        outcome = _call(call, reporter)
    finally:
        marker.unlink(missing_ok=True)
        _flags.discard(call.run)
        _going_on.discard(call.run)
    reporter.flush()
    worker.log_event(call.topic, {"run": call.run, "ended": sent})
    return pickle.dumps(outcome)


def _call(call: Call, reporter: WorkerReporter) -> Outcome:
    import cloudpickle

    try:
        for thread in _warming:  # two imports of TensorFlow at once would meet half-made modules
            while thread.is_alive():
                reporter.check()
                thread.join(0.1)
        reporter.check()
        function, arguments = pickle.loads(call.work)  # noqa: S301 - from the executor
        with call.limits.applied():
            result = function(reporter, *arguments)
        return Outcome(kind="returned", content=cloudpickle.dumps(result))
    except (WorkbenchError, Cancelled) as error:
        cause = library_cause(error)
        if cause is not None and isinstance(error, WorkbenchError):
            reporter.log(verbatim(raw_text(cause)))
        return Outcome(kind="raised", content=cloudpickle.dumps(error))
    except Exception as error:
        words = with_kind(error)
        memory = isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"
        return Outcome(kind="memory" if memory else "error", words=words, details=raw_text(error))


def _announce(worker: Any, call: Call, key: str) -> None:
    """Says that the call runs now, and waits until the scheduler has heard it.

    When a worker dies, the executor must know for sure whether this call was the one that ran
    (and may be to blame) or one that waited (and is to be sent again).
    """
    message = {"run": call.run, "started": worker.address, "pid": os.getpid(), "key": str(key)}

    async def announce() -> None:
        await worker.scheduler.log_event(topic=call.topic, msg=message)

    asyncio.run_coroutine_threadsafe(announce(), worker.loop.asyncio_loop).result()


# -- run out of band ------------------------------------------------------------------------------


def raise_flag(run: str) -> None:
    """In the worker: asks a call to stop; its reporter's ``check`` raises from now on."""
    _flags.add(run)


def let_go_on(run: str) -> None:
    """In the worker: a call that waits goes on without what it waits for, where it may."""
    _going_on.add(run)


def kill_run(run: str, dask_worker: Any) -> bool:
    """In the nanny: kills the worker process and its children, if it still runs this call.

    Args:
        run: Identifier of the call.
        dask_worker: The nanny (dask's name for it).

    Returns:
        False if the worker does something else by now, or is gone.
    """
    import psutil

    folder, pid = dask_worker.worker_dir, dask_worker.pid
    if folder is None or pid is None:
        return False
    try:
        if (Path(folder) / _MARKER).read_text() != run:
            return False
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except (OSError, psutil.NoSuchProcess):
        return False
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    return True


# -- start of a worker process --------------------------------------------------------------------


def dask_setup(worker: Any) -> None:
    """Prepares a worker process; called by dask at its start, in its main thread."""
    die_with_parent()  # elsewhere than on Linux dask's own watch thread notices
    without_core_files()
    kinds = set(worker.state.total_resources or {})
    if "tensorflow_without_onednn" in kinds:
        os.environ[onednn.VARIABLE] = onednn.OFF  # heard by TensorFlow when it is imported
    if kinds & TENSORFLOW_KINDS:
        thread = threading.Thread(target=_import_tensorflow, name="import tensorflow", daemon=True)
        thread.start()
        _warming.append(thread)


def _import_tensorflow() -> None:
    # A failed import is left to the job that needs it: there it has somebody to tell.
    with suppress(Exception):
        import_tensorflow()
        import sklearn.metrics  # noqa: F401  # a training scores each epoch with it
