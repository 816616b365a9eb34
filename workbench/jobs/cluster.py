"""The cluster's own process: dask's scheduler and a nanny for each kind of worker.

Started by :mod:`workbench.jobs.cluster_process`. A process of its own, so that a busy kernel never
delays the workers of others, a script needs no ``if __name__ == "__main__"``, and everything ends
with one signal.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import dask
import psutil
from distributed import Nanny, Scheduler, Worker
from distributed.diagnostics.plugin import SchedulerPlugin

from workbench.jobs.credentials import make_credentials, with_credentials
from workbench.jobs.worker import WorkerKind, kill_run

EXIT_TOPIC = "workbench-exit"
SCHEDULER_NAME = "Workbench-"
_ABANDONED_SECONDS = 3.0

_SETTINGS: dict[str, Any] = {
    "distributed.scheduler.allowed-failures": 0,  # a crashing job would be run again
    "distributed.scheduler.worker-ttl": None,  # native code may hold the GIL for long
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,  # wakes up 100 times a second during measurements
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.nanny.pre-spawn-environ": {},  # would run NumPy with one thread
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.tick.limit": "1h",
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.admin.low-level-log-length": 100,
}

_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # several processes share a GPU
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "agg",
    "PYTHONHASHSEED": "0",  # the ONNX converter goes through sets: the same click gives the same file
}


class _NoHTTP:
    """Without dask's web server, which would show everybody on the host what runs."""

    def start_http_server(self, *arguments: Any, **options: Any) -> None:
        """Starts nothing."""


class _Scheduler(_NoHTTP, Scheduler):
    pass


class _Worker(_NoHTTP, Worker):
    pass


class _Nanny(Nanny):
    """Tells how its worker ended."""

    async def _on_worker_exit(self, exitcode: int) -> None:
        with suppress(Exception):
            await self.scheduler.log_event(
                topic=EXIT_TOPIC, msg={"worker": self.worker_address, "exitcode": exitcode}
            )
        await super()._on_worker_exit(exitcode)


class _Started(SchedulerPlugin):
    """Remembers which tasks have started to run; dask's scheduler does not know.

    Args:
        abandoned: Called with the run and its worker, when nobody wants a task that runs any more.
    """

    def __init__(self, abandoned: Callable[[str, str], None]) -> None:
        self.keys: dict[str, tuple[str, str]] = {}
        self._abandoned = abandoned

    def log_event(self, topic: str, msg: Any) -> None:
        if isinstance(msg, dict) and "started" in msg:
            self.keys[msg["key"]] = (msg["run"], msg["started"])

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        if finish in ("processing", "waiting"):
            return
        running = self.keys.pop(key, None)
        if running is not None and finish == "released":
            self._abandoned(*running)


class _Cluster:
    """Starts workers when they are first needed.

    Args:
        scheduler: The scheduler.
        security: Its key, which its workers have too.
        folder: Where workers may write.
        memory_limit_bytes: At which a worker is ended; None: most of what the machine has.
    """

    def __init__(
        self, scheduler: Scheduler, security: Any, folder: str, memory_limit_bytes: int | None
    ) -> None:
        self._scheduler = scheduler
        self._security = security
        self._folder = folder
        self._memory_limit = memory_limit_bytes
        self._nannies: dict[WorkerKind, Nanny] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._started = _Started(self._on_abandoned)
        scheduler.add_plugin(self._started, name="workbench-started")
        scheduler.handlers["workbench_ensure"] = self.ensure
        scheduler.handlers["workbench_queue"] = self.queue

    async def ensure(self, kind: WorkerKind) -> str:
        """Starts the worker of a kind if there is none."""
        async with self._locks.setdefault(kind, asyncio.Lock()):
            nanny = self._nannies.get(kind)
            if nanny is None or nanny.status.name in ("closed", "failed"):
                self._nannies[kind] = await self._nanny(kind)
        return "OK"

    async def queue(self, kind: WorkerKind) -> list[str]:
        """Keys of the unfinished tasks of a kind: what runs first, the rest in its order."""
        waiting = [
            task
            for task in self._scheduler.tasks.values()
            if task.state in ("processing", "no-worker", "queued", "waiting")
            and kind in (task.resource_restrictions or {})
        ]
        waiting.sort(key=lambda task: (task.key not in self._started.keys, task.priority))
        return [str(task.key) for task in waiting]

    def _on_abandoned(self, run: str, worker: str) -> None:
        """A visitor has left: work that does not notice by itself must not keep the others waiting."""

        def end() -> None:
            for nanny in self._nannies.values():
                if nanny.worker_address == worker:
                    kill_run(run, nanny)

        asyncio.get_running_loop().call_later(_ABANDONED_SECONDS, end)

    async def _nanny(self, kind: WorkerKind) -> Nanny:
        from distributed.system import MEMORY_LIMIT

        nanny: Nanny = await _Nanny(
            self._scheduler.address,
            name=f"{kind}-{uuid.uuid4().hex[:6]}",
            nthreads=1,
            resources={kind: 1},
            host="127.0.0.1",
            protocol="tls",
            security=self._security,
            memory_limit=self._memory_limit or int(0.9 * MEMORY_LIMIT),
            local_directory=self._folder,
            worker_class=_Worker,
            preload=["workbench.jobs.worker"],
            env={name: os.environ.get(name, value) for name, value in _ENVIRONMENT.items()},
        )
        return nanny


async def _serve(kinds: list[WorkerKind], memory_limit_bytes: int | None, folder: str) -> None:
    security, credentials = make_credentials(Path(folder))
    scheduler = _Scheduler(host="127.0.0.1", port=0, protocol="tls", dashboard=False, security=security)
    scheduler.id = f"{SCHEDULER_NAME}{uuid.uuid4().hex}"
    await scheduler
    cluster = _Cluster(scheduler, security, folder, memory_limit_bytes)
    answer = os.dup(1)
    os.dup2(2, 1)  # what workers print must not fill a pipe that nobody reads
    with os.fdopen(answer, "w") as file:
        file.write(with_credentials(scheduler.address, credentials) + "\n")
    starting = [asyncio.ensure_future(cluster.ensure(kind)) for kind in kinds]
    await asyncio.gather(*starting, return_exceptions=True)
    await asyncio.Event().wait()


def _end_with_parent(folder: str) -> None:
    """Ends this process and all its descendants when the parent closes the pipe, or dies."""
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    shutil.rmtree(folder, ignore_errors=True)
    if os.name == "posix" and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)  # also a worker that was born just now
    os._exit(0)


def main() -> None:
    """Runs a cluster until standard input is closed; prints its address.

    The second command line argument holds the settings as JSON: ``kinds`` of workers to start at
    once, ``memory_limit_bytes`` of each, ``folder`` for them to write into.
    """
    settings = json.loads(sys.argv[2])
    folder = settings["folder"]
    threading.Thread(target=_end_with_parent, args=(folder,), name="end with parent", daemon=True).start()
    dask.config.set(_SETTINGS)
    asyncio.run(_serve(settings["kinds"], settings["memory_limit_bytes"], folder))
