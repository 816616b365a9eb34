"""Tells the server that started this process whether jobs are under way in it.

A dashboard's server ends a kernel some time after its page is gone, and must know whether that would end
work. It names a file for each kernel (``WORKBENCH_JOBS_FILE``), which is there while jobs are.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

VARIABLE = "WORKBENCH_JOBS_FILE"

_lock = threading.Lock()
_jobs: set[str] = set()


def begin(job: str) -> None:
    """A job waits or runs from now on."""
    with _lock:
        _jobs.add(job)
        _tell()


def end(job: str) -> None:
    """A job has ended."""
    with _lock:
        _jobs.discard(job)
        _tell()


def _tell() -> None:
    named = os.environ.get(VARIABLE)
    if not named:
        return
    # Where the file cannot be written, the server only does not wait for the jobs.
    with suppress(OSError):
        if _jobs:
            Path(named).touch()
        else:
            Path(named).unlink(missing_ok=True)
