"""How much memory is free for this process, and whether a conversion fits in it."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress
from pathlib import Path

from workbench.api.errors import Refused
from workbench.api.text import Text, say

_GIB = 2**30
_LARGE_FILE = 32 * 2**20


def require_memory(needed_bytes: float, purpose: Text) -> None:
    """Refuses what cannot fit, before it takes the machine with it.

    Args:
        needed_bytes: What it will take beyond what this process has now, estimated.
        purpose: What is to be done, such as "The conversion to ONNX".

    Raises:
        Refused: With both numbers, if less is free.
    """
    free = free_bytes()
    if needed_bytes > free:
        raise Refused(
            say(
                "{purpose} would take about {needed:.1f} GiB of memory, and {free:.1f} GiB are free.",
                purpose=purpose,
                needed=needed_bytes / _GIB,
                free=free / _GIB,
            ),
            say("Close what else runs, or do it on a machine with more memory, or with a smaller model."),
        )


def free_bytes() -> int:
    """What this process may still take: of the machine, of its container, and under its own limits."""
    import psutil

    free = [int(psutil.virtual_memory().available), *_container(), *_address_space(), *_worker()]
    return max(0, min(free))


def release_memory() -> None:
    """Drops what Keras keeps of models that are gone, and gives freed memory back to the system."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()
    gc.collect()
    with suppress(OSError, AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


def release_after(model: Path) -> None:
    """Releases memory after a model has been at work; a small one leaves too little to look for.

    Args:
        model: Its file.
    """
    if model.is_file() and model.stat().st_size > _LARGE_FILE:
        release_memory()


def _container() -> list[int]:
    """Under Linux, what its control group leaves."""
    folder = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        limit = int((folder / "memory.max").read_text())
        used = int((folder / "memory.current").read_text())
        kept = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        # Files that are cached there make room when it is needed.
        return [limit - used + int(kept.get("inactive_file", 0))]
    return []


def _address_space() -> list[int]:
    try:
        import resource
    except ImportError:  # Windows
        return []
    import psutil

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return [] if limit == resource.RLIM_INFINITY else [limit - int(psutil.Process().memory_info().vms)]


def _worker() -> list[int]:
    """In a worker process, what is left until it is ended."""
    if "distributed.worker" not in sys.modules:
        return []
    import psutil

    used = int(psutil.Process().memory_info().rss)
    limits = [
        worker.memory_manager.memory_limit for worker in sys.modules["distributed.worker"].Worker._instances
    ]
    return [int(0.95 * limit) - used for limit in limits if limit]
