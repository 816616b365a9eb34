"""Limits on what one job may take, so that a foreign file cannot take the machine with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pydantic import Field

from workbench.api.records import Record

try:
    import resource
except ImportError:  # Windows
    _LIMITED = False
else:
    _LIMITED = True


class Limits(Record):
    """What a job may take beyond what its worker process already has. None: no limit.

    Attributes:
        address_space_bytes: Virtual memory (``RLIMIT_AS``). Exceeding it is a ``MemoryError``, or
            ends the worker where native code does not handle it.
        cpu_seconds: CPU time of all threads together (``RLIMIT_CPU``), rounded up to whole seconds.
            Exceeding it ends the worker.
        wall_seconds: Time from the moment that the job starts to run. The executor ends it then.
    """

    address_space_bytes: int | None = Field(None, gt=0)
    cpu_seconds: float | None = Field(None, gt=0)
    wall_seconds: float | None = Field(None, gt=0)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Applies the memory and CPU limits to this process, and takes them back afterwards.

        The soft limits alone are set, to what the process uses now plus the allowance: a worker
        serves many jobs, and a lowered hard limit could never be raised again.
        """
        if not _LIMITED:  # the wall time still holds
            yield
            return
        before: list[tuple[int, tuple[int, int]]] = []
        try:
            if self.address_space_bytes is not None:
                before.append(_lower(resource.RLIMIT_AS, _address_space_bytes() + self.address_space_bytes))
            if self.cpu_seconds is not None:
                before.append(_lower(resource.RLIMIT_CPU, math.ceil(_cpu_seconds() + self.cpu_seconds)))
            yield
        finally:
            for kind, limits in reversed(before):
                resource.setrlimit(kind, limits)


def limit_for_good(address_space_bytes: int | None = None, cpu_seconds: int | None = None) -> None:
    """Limits a process that was started for one task as long as it lives, and keeps it from dumping core.

    Windows has no such limits.

    Args:
        address_space_bytes: Virtual memory, libraries included.
        cpu_seconds: CPU time of all its threads.
    """
    without_core_files()
    if not _LIMITED:
        return
    for kind, wanted in ((resource.RLIMIT_AS, address_space_bytes), (resource.RLIMIT_CPU, cpu_seconds)):
        if wanted is not None:
            # not under the soft limit of the process that started it: that one is for its own job
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def without_core_files() -> None:
    """Keeps a process that is ended by a limit from writing its memory to disk."""
    if _LIMITED:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _lower(kind: int, wanted: int) -> tuple[int, tuple[int, int]]:
    soft, hard = resource.getrlimit(kind)
    caps = [cap for cap in (soft, hard) if cap != resource.RLIM_INFINITY]
    resource.setrlimit(kind, (min([wanted, *caps]), hard))
    return kind, (soft, hard)


def _address_space_bytes() -> int:
    import psutil

    return int(psutil.Process().memory_info().vms)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
