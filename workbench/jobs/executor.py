"""Where work runs: worker processes of a dask cluster, driven from a thread of this process.

The same code serves a script, a notebook kernel and a dashboard's many kernels: a daemon thread
holds an asyncio loop with a dask client; the cluster is a process of this one, or, where
``WORKBENCH_SCHEDULER`` names one, shared with others or on another machine. dask is imported in
that thread only, TensorFlow never.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeVar

from workbench.api.errors import Unavailable
from workbench.api.records import Record
from workbench.api.technique import Reporter
from workbench.api.text import Text, say, verbatim
from workbench.jobs.connection import Connection
from workbench.jobs.limits import Limits
from workbench.jobs.reporter import Event
from workbench.jobs.running import Running
from workbench.jobs.worker import WorkerKind

ADDRESS_VARIABLE = "WORKBENCH_SCHEDULER"

T = TypeVar("T")
_MOST_CONNECTIONS = 3
"""So often a connection that is lost at once is made anew."""
_CLOSE_SECONDS = 8.0


class ExecutorStatus(Record):
    """What is known of an executor at one moment.

    Attributes:
        state: ``new`` before :meth:`Executor.start`; ``failed`` with a reason.
        address: Of the scheduler, once connected.
        shared: Whether the scheduler serves others too.
        running: Jobs that run in a worker.
        waiting: Jobs that wait for one.
        reason: Why it failed.
    """

    state: Literal["new", "starting", "ready", "failed", "closed"]
    address: str | None = None
    shared: bool = False
    running: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    reason: Text | None = None


class Executor:
    """Runs functions in worker processes, with progress, cancelling and limits.

    Args:
        address: Of a scheduler that is shared or elsewhere. None: what the environment variable
            ``WORKBENCH_SCHEDULER`` says, else a cluster of its own on this machine.
        eager: Workers of an own cluster that start at once; the others when first needed.
        memory_limit_bytes: Resident memory at which a worker of an own cluster is ended; None: most
            of the machine's.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        eager: Sequence[WorkerKind] = ("light", "tensorflow"),
        memory_limit_bytes: int | None = None,
    ) -> None:
        self._address = address or os.environ.get(ADDRESS_VARIABLE) or None
        self._eager = tuple(eager)
        self._memory_limit_bytes = memory_limit_bytes
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[Connection] | None = None
        self._reason: Text | None = None
        self._closed = False
        self._calls: set[Running] = set()

    # -- the thread ---------------------------------------------------------------------------

    def start(self) -> None:
        """Brings the workers up in the background and returns at once. Again: does nothing.

        Raises:
            Unavailable: After :meth:`close`.
        """
        with self._lock:
            if self._closed:
                raise Unavailable(say("The workbench is closed."), say("Open it again."))
            if self._thread is not None:
                return
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_run_loop, args=(self._loop,), name="workbench executor", daemon=True
            )
            self._thread.start()
            atexit.register(_close, weakref.ref(self))
        self.spawn(self._connect_early())

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Runs a coroutine on the executor's loop, from any thread.

        Args:
            coroutine: Such as ``executor.run(...)``.

        Returns:
            Its future; cancelling it cancels the coroutine.
        """
        try:
            self.start()
        except Unavailable:
            coroutine.close()
            raise
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def status(self) -> ExecutorStatus:
        """What is known of it now; never blocks."""
        connection = self._connection
        calls = tuple(self._calls)
        state: Literal["new", "starting", "ready", "failed", "closed"]
        if self._closed:
            state = "closed"
        elif self._thread is None:
            state = "new"
        elif self._reason is not None:
            state = "failed"
        else:
            state = "ready" if connection is not None else "starting"
        return ExecutorStatus(
            state=state,
            address=self._address if connection is None else connection.address,
            shared=self._address is not None,
            running=tuple(call.job for call in calls if call.address is not None),
            waiting=tuple(call.job for call in calls if call.address is None),
            reason=self._reason,
        )

    def close(self) -> None:
        """Ends everything that runs here, and all processes. Calling it again does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        closing = asyncio.run_coroutine_threadsafe(self._close(), loop)
        if threading.current_thread() is thread:
            return  # the loop ends itself
        with suppress(Exception):
            closing.result(_CLOSE_SECONDS)
        thread.join(_CLOSE_SECONDS)
        atexit.unregister(_close)

    # -- on the loop --------------------------------------------------------------------------

    async def run(
        self,
        function: Callable[..., T],
        *args: Any,
        worker: WorkerKind = "tensorflow",
        job: str,
        on_event: Callable[[Event], None],
        priority: int = 0,
        limits: Limits | None = None,
    ) -> T:
        """Runs ``function(reporter, *args)`` in a worker process. To be awaited on the loop.

        Args:
            function: Of an importable module (one of a notebook is sent as it is).
            *args: Its further arguments, small: paths, not arrays.
            worker: The kind of process; a ``light`` one never imports TensorFlow.
            job: Identifier by which :meth:`cancel` finds it.
            on_event: Called on the loop with every event of the function's reporter, in order, all
                before this returns; also with ``{"type": "started"}``, and where it has to wait
                ``{"type": "queued", "position": jobs before it}``.
            priority: A higher one runs earlier. The number of calls that are under way here is
                taken off it, so that those who share a scheduler take turns.
            limits: What it may take.

        Returns:
            What the function returned.

        Raises:
            WorkbenchError: As raised by the function.
            JobFailed: If it raised anything else, its worker died, or it hit a limit.
            Cancelled: After :meth:`cancel` or :meth:`close`.
            Unavailable: If there is no such worker.
        """
        under_way = sum(call.kind == worker for call in self._calls)
        call = Running(
            job=job, kind=worker, on_event=on_event, limits=limits or Limits(), priority=priority - under_way
        )
        self._calls.add(call)
        try:
            connection = await self._connected()
            result: T = await connection.run(call, function, args)
            return result
        finally:
            call.finished.set()
            self._calls.discard(call)

    async def cancel(self, job: str) -> None:
        """Cancels what runs or waits for a job; returns when it has ended.

        Work that looks at its reporter ends by itself within a second; otherwise its worker process
        is killed and replaced. To be awaited on the loop.
        """
        calls = [call for call in self._calls if call.job == job]
        for call in calls:
            call.reason = call.reason or "cancelled"
        if self._connection is not None:
            await asyncio.gather(*(self._connection.stopping.stop(call, "cancelled") for call in calls))

    async def let_go_on(self, job: str) -> None:
        """Lets what waits for a job go on without what it waits for, where it may; on the loop."""
        calls = [call for call in self._calls if call.job == job]
        if self._connection is not None:
            await asyncio.gather(*(self._connection.stopping.let_go_on(call) for call in calls))

    async def _connected(self) -> Connection:
        for _ in range(_MOST_CONNECTIONS):
            connection = self._connection
            if connection is None:
                if self._connecting is None:
                    self._connecting = asyncio.ensure_future(
                        Connection.open(self._address, self._eager, self._memory_limit_bytes)
                    )
                    self._connecting.add_done_callback(self._on_connected)
                # One caller's cancellation must not take the others' connection away.
                connection = await asyncio.shield(self._connecting)
            if connection.alive:
                return connection
            if self._connection is connection:  # whoever sees it first ends it
                self._connection = None
                await connection.close()
        raise Unavailable(
            say("The connection to the worker processes is lost as soon as it is there."),
            say("Run `workbench doctor` to see what is installed."),
        )

    def _on_connected(self, task: asyncio.Task[Connection]) -> None:
        self._connecting = None
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._connection, self._reason = task.result(), None
        elif isinstance(error, Unavailable):
            self._reason = error.text
        else:
            self._reason = verbatim(f"{type(error).__name__}: {error}")

    async def _connect_early(self) -> None:
        with suppress(Exception):  # told in status(), and raised again to the first who needs it
            await self._connected()

    async def _close(self) -> None:
        loop = asyncio.get_running_loop()
        if self._connecting is not None:
            with suppress(Exception):
                await asyncio.wait_for(asyncio.shield(self._connecting), _CLOSE_SECONDS / 2)
        for call in self._calls:
            call.reason = call.reason or "closed"
        if self._connection is not None:
            await self._connection.close()
        left = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=1) if left else None
        loop.call_soon(loop.stop)


def _nothing(reporter: Reporter) -> None:
    """Takes a worker's turn, which comes when it is ready."""


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


def _close(reference: weakref.ref[Executor]) -> None:
    executor = reference()
    if executor is not None:
        executor.close()
