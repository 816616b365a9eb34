"""One executor for all workbenches of a folder in this process, as when a notebook is run again.

Otherwise each run of a cell that opens a folder would start worker processes of its own.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from workbench.jobs.executor import ADDRESS_VARIABLE, Executor

_lock = threading.Lock()
_in_use: dict[tuple[Path, str | None], tuple[Executor, int]] = {}


def executor_of(folder: Path) -> Executor:
    """The executor of a folder; to be given back as often as it was asked for.

    Args:
        folder: The workbench's folder, resolved.
    """
    key = folder, os.environ.get(ADDRESS_VARIABLE)
    with _lock:
        executor, users = _in_use.get(key, (None, 0))
        if executor is None or executor.status().state == "closed":
            executor, users = Executor(), 0
        _in_use[key] = executor, users + 1
        return executor


def give_back(executor: Executor) -> None:
    """Closes an executor, with its processes, unless another workbench of its folder is open here."""
    with _lock:
        for key, (known, users) in _in_use.items():
            if known is executor:
                if users > 1:
                    _in_use[key] = known, users - 1
                    return
                del _in_use[key]
                break
    executor.close()
