"""One connection to a scheduler: sends calls, hears their events, stops them.

Lives on the executor's loop. Importing it does not import dask; connecting does.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import pickle
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, get_args

from workbench.api.errors import JobFailed, Unavailable
from workbench.api.library_errors import with_kind
from workbench.api.text import Text, say, verbatim
from workbench.jobs import failure, worker
from workbench.jobs.cluster_process import ClusterProcess
from workbench.jobs.credentials import plain_address, security_of
from workbench.jobs.deaths import Deaths
from workbench.jobs.reporter import SECONDS_BETWEEN_WORDS_OF_WAITING
from workbench.jobs.running import Running
from workbench.jobs.stopping import Stopping
from workbench.jobs.worker import Call, Outcome, WorkerKind

_SCHEDULER_NAME = "Workbench-"  # as in workbench.jobs.cluster, which imports dask

_CONNECT_SECONDS = 15
_EVENTS_SECONDS = 10.0
_QUEUE_SECONDS = 0.5
_MOST_SENDINGS = 20
_SENDER_SECONDS = 0.05  # dask's background sender notices only then that it is closed

_log = logging.getLogger(__name__)


class _Closing(logging.Filter):
    """Drops dask's own words on a client that was closed while it tried to reach a lost scheduler again."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


# The owner of a job is told that the scheduler is lost; a traceback of dask's inside helps nobody.
logging.getLogger("distributed.client").addFilter(_Closing())


class Connection:
    """A client of a scheduler. Made by :meth:`open`.

    Attributes:
        address: Of the scheduler.
        stopping: Stops its calls.
        ours: Whether the scheduler is the workbench's own kind, which starts workers on demand.
    """

    def __init__(self, client: Any, process: ClusterProcess | None, address: str, ours: bool) -> None:
        self.address = address
        self.ours = ours
        self.stopping = Stopping(client)
        self._client = client
        self._process = process
        self._topic = f"workbench-{uuid.uuid4().hex}"
        self._calls: dict[str, Running] = {}
        self._deaths = Deaths(client)
        self._seen: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        client.subscribe_topic(self._topic, self._on_message)
        if ours:
            self._spawn(self._watch_queue())

    @classmethod
    async def open(
        cls, address: str | None, eager: Sequence[WorkerKind], memory_limit_bytes: int | None
    ) -> Connection:
        """Connects to a scheduler, or starts a cluster of its own.

        Raises:
            Unavailable: If that fails.
        """
        process = None
        try:
            if address is None:
                process = ClusterProcess(eager, memory_limit_bytes=memory_limit_bytes)
                starting = asyncio.ensure_future(asyncio.to_thread(process.start))
                await asyncio.sleep(0)
                from distributed import Client  # takes as long as the cluster's start: side by side

                reachable = await starting
            else:
                from distributed import Client

                reachable = address
            try:
                make_client: Any = Client
                client = await make_client(
                    plain_address(reachable),
                    asynchronous=True,
                    set_as_default=False,
                    timeout=_CONNECT_SECONDS,
                    security=security_of(reachable),
                )
                name = (await client.scheduler.identity(n_workers=0))["id"]
            except (OSError, TimeoutError, ValueError) as error:
                raise Unavailable(
                    say("The scheduler at {address} does not answer.", address=plain_address(reachable)),
                    say("Check the address, and that it is running: {reason}", reason=verbatim(str(error))),
                ) from error
        except BaseException:
            if process is not None:
                process.close()
            raise
        return cls(client, process, plain_address(reachable), name.startswith(_SCHEDULER_NAME))

    @property
    def alive(self) -> bool:
        """Whether the scheduler can be reached."""
        return self._client.status == "running" and (self._process is None or self._process.alive)

    @property
    def shared(self) -> bool:
        """Whether the scheduler serves others too."""
        return self._process is None

    async def close(self) -> None:
        """Ends the connection, and the cluster if it is ours alone."""
        for task in list(self._tasks):
            task.cancel()
        for call in list(self._calls.values()):
            if call.reason is None:
                call.reason = "closed"
        with suppress(Exception):
            await asyncio.wait_for(self._client.__aexit__(None, None, None), 2)
            await asyncio.sleep(_SENDER_SECONDS)
        if self._process is not None:
            self._process.close()

    # -- running ----------------------------------------------------------------------------

    async def run(self, call: Running, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Runs a call and returns its result; see :meth:`workbench.jobs.executor.Executor.run`."""
        import cloudpickle

        work = cloudpickle.dumps((function, arguments))
        payload = pickle.dumps(Call(run=call.run, topic=self._topic, work=work, limits=call.limits))
        await self._ensure_worker(call.kind)
        self._calls[call.run] = call
        try:
            for _ in range(_MOST_SENDINGS):
                if call.reason is not None:
                    raise call.stopped()
                outcome = await self._attempt(call, payload)
                if outcome is not None:
                    return self._result(call, outcome)
            raise failure.from_exit(None, None, call.limits, call.kind)
        finally:
            call.finished.set()
            del self._calls[call.run]

    async def _attempt(self, call: Running, payload: bytes) -> Outcome | None:
        """Sends a call; None if its worker died while the call still waited in line there."""
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        future = self._client.submit(
            worker.execute,
            payload,
            key=f"workbench-{uuid.uuid4().hex}",
            pure=False,
            resources={call.kind: 1},
            priority=call.priority,
            fifo_timeout="0 ms",
            retries=0,
        )
        call.future = future
        try:
            outcome: Outcome = pickle.loads(await future)  # noqa: S301 - from our worker
            future.release()  # while it is held, it would be computed again if its worker died
            with suppress(TimeoutError):
                await asyncio.wait_for(call.complete.wait(), _EVENTS_SECONDS)
            return outcome
        except KilledWorker:
            if call.reason is not None:
                raise call.stopped() from None
            if call.address is None:
                return None
            raise await self._deaths.reason(call) from None
        except FutureCancelledError:
            raise (call.stopped() if call.reason is not None else failure.connection_lost()) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # whoever waited for the result is gone
                if call.address is not None:  # else it is released; should it start, its message tells
                    self._spawn(self.stopping.stop_stray(call.run, call.address))
                raise
            raise (call.stopped() if call.reason is not None else failure.connection_lost()) from None
        except Exception as error:
            if call.reason is not None:
                raise call.stopped() from None
            raise JobFailed(
                say(
                    "The work stopped with an error: {error}",
                    error=verbatim(with_kind(error)),
                )
            ) from error
        finally:
            future.release()
            call.future = None

    def _result(self, call: Running, outcome: Outcome) -> Any:
        if call.reason is not None:
            raise call.stopped()
        if outcome.kind == "returned":
            return pickle.loads(outcome.content)  # noqa: S301 - from our worker
        if outcome.kind == "raised":
            raise pickle.loads(outcome.content)  # noqa: S301 - from our worker
        call.tell({"type": "log", "text": verbatim(outcome.details)})
        raise failure.from_outcome(outcome, call.limits)

    async def _ensure_worker(self, kind: WorkerKind) -> None:
        if self.ours:
            try:
                await self._client.scheduler.workbench_ensure(kind=kind)
            except OSError:
                raise failure.connection_lost() from None
            except Exception as error:
                raise Unavailable(
                    say("No worker process could be started: {reason}", reason=verbatim(str(error))),
                    say("Run `workbench doctor` to see what is installed."),
                ) from error
            return
        if kind in self._seen:
            return  # if it is away now, its nanny brings it back, and the scheduler waits for it
        workers = (await self._client.scheduler.identity(n_workers=-1))["workers"].values()
        for found in workers:
            self._seen.update(found.get("resources") or {})
        if kind not in self._seen:
            raise Unavailable(
                say(
                    "The scheduler at {address} has no worker of the kind {kind!r}.",
                    address=self.address,
                    kind=kind,
                ),
                say(
                    "Start one: dask worker {address} --nthreads 1 --resources {kind}=1 "
                    "--preload workbench.jobs.worker",
                    address=self.address,
                    kind=kind,
                ),
            )

    # -- what the scheduler says ------------------------------------------------------------

    def _on_message(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        call = self._calls.get(message["run"])
        if call is None:
            if "started" in message:
                self._spawn(self.stopping.stop_stray(message["run"], message["started"]))
            return
        if "started" in message:
            self._on_started(call, message["started"])
        elif "ended" in message:
            call.ended = message["ended"]
        else:
            call.received += 1
            for event_ in message["events"]:
                if event_.get("text") is not None:
                    event_ = {**event_, "text": Text.model_validate(event_["text"])}
                call.tell(event_)
        if call.ended is not None and call.received >= call.ended:
            call.complete.set()

    def _on_started(self, call: Running, address: str) -> None:
        call.starts += 1
        call.address = address
        if call.starts > 1 or call.reason is not None:
            # Computed again although its result was there (its worker died in between), or
            # cancelled while it was on its way to the worker.
            self._spawn(self.stopping.stop_stray(call.run, address))
            if call.reason is None:
                call.reason = "lost"
                self._spawn(self.stopping.withdraw(call))
            return
        call.tell({"type": "started"})
        if call.limits.wall_seconds is not None:
            self._spawn(self._stop_after(call, call.limits.wall_seconds))

    async def _stop_after(self, call: Running, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(call.finished.wait(), seconds)
        if not call.finished.is_set() and call.reason is None:
            await self.stopping.stop(call, "wall time")

    async def _watch_queue(self) -> None:
        """Tells waiting calls how many are before them."""
        for kind in itertools.cycle(get_args(WorkerKind)):
            await asyncio.sleep(_QUEUE_SECONDS / 2)
            waiting = {
                call.future.key: call
                for call in self._calls.values()
                if call.kind == kind and call.address is None and call.future is not None
            }
            if not waiting:
                continue
            with suppress(Exception):  # the connection is closing
                keys = await self._client.scheduler.workbench_queue(kind=kind)
                for position, key in enumerate(keys):
                    call = waiting.get(key)
                    if call is None or call.address is not None:
                        continue
                    now = asyncio.get_running_loop().time()
                    if call.position != position or now - call.told > SECONDS_BETWEEN_WORDS_OF_WAITING:
                        call.position, call.told = position, now
                        call.tell({"type": "queued", "position": position})

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.debug("Failed beside the work", exc_info=task.exception())
