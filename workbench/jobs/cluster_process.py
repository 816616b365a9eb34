"""Starts and ends the process that holds the cluster; knows nothing of dask."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from workbench.api.errors import Unavailable
from workbench.api.text import say, verbatim
from workbench.jobs.slot import SLOT_VARIABLE, slot_root
from workbench.jobs.worker import WorkerKind

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from workbench.jobs.cluster import main; main()"
)
_END_SECONDS = 2.0


class ClusterProcess:
    """A cluster on this machine: scheduler, nannies and workers, reachable from this machine only.

    It ends with :meth:`close`, or when the process that started it ends in any way.

    Args:
        kinds: The workers to start at once; others start when they are first needed.
        memory_limit_bytes: Resident memory at which a worker is ended; None: most of the machine's.
    """

    def __init__(
        self, kinds: Sequence[WorkerKind] = ("light", "tensorflow"), *, memory_limit_bytes: int | None = None
    ) -> None:
        self._settings = {"kinds": list(kinds), "memory_limit_bytes": memory_limit_bytes}
        self._folder: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()  # it may be closed while another thread starts it

    @property
    def pid(self) -> int | None:
        """Its process; None before :meth:`start`."""
        return None if self._process is None else self._process.pid

    def start(self) -> str:
        """Starts it, waits until it listens, and returns its address. A closed one cannot be started.

        Raises:
            Unavailable: If it does not come up, with its last words.
        """
        with self._lock:
            if self._closed:
                raise Unavailable(say("The workbench is closed."), say("Open it again."))
            process = self._spawn()
        assert process.stdout is not None
        with process.stdout as lines:
            address = lines.readline().decode().strip()
        if not address:
            words = self.last_words()
            self.close()  # also where that is why it said nothing
            raise Unavailable(
                say("The worker processes could not be started: {words}", words=verbatim(words)),
                say("Run `workbench doctor` to see what is installed."),
            )
        return address

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._folder = tempfile.mkdtemp(prefix="workbench-workers-")
        settings = {**self._settings, "folder": self._folder}
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - this very Python
            [sys.executable, "-c", _START, json.dumps(sys.path), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            # What a library leaves behind there when its worker is killed, as TensorFlow does, goes with it.
            env={**os.environ, "TMPDIR": self._folder, SLOT_VARIABLE: slot_root()},
            start_new_session=True,  # Ctrl-C in a terminal is for this process alone to handle
        )
        return self._process

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """The end of what the cluster and its workers have written to standard error."""
        words = self._words
        if words is None or words.closed:
            return ""
        try:
            size = os.fstat(words.fileno()).st_size
            return os.pread(words.fileno(), 2000, max(0, size - 2000)).decode(errors="replace").strip()
        except (OSError, ValueError):  # closed meanwhile
            return ""

    def close(self) -> None:
        """Ends the cluster with everything that runs in it. Calling it again does nothing."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        _end_group(process)
        if self._words is not None:
            self._words.close()
            self._words = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def serve_cluster(kinds: Sequence[WorkerKind] = ("light", "tensorflow")) -> tuple[ClusterProcess, str]:
    """Starts a cluster for several processes to share, such as the kernels of a dashboard.

    Args:
        kinds: The workers to start at once.

    Returns:
        The cluster, to be closed in the end, and its address, which the others take from the
        environment variable ``WORKBENCH_SCHEDULER``.
    """
    process = ClusterProcess(kinds)
    return process, process.start()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    if os.name != "posix":
        process.kill()
        process.wait()
        return
    # The leader is not reaped before the group is killed: its number stays ours until then.
    until = time.monotonic() + _END_SECONDS
    while time.monotonic() < until:
        with suppress(ChildProcessError):
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
                time.sleep(0.01)
                continue
        break
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
