"""How long this process computed, and how long it waited for a processor that others used."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class ProcessorTime(NamedTuple):
    """Of all threads of a process since their start, in nanoseconds.

    Attributes:
        computing: On a processor.
        waiting: Ready to compute, while other tasks had the processors.
    """

    computing: int
    waiting: int


def processor_time(tasks: Path = Path("/proc/self/task")) -> ProcessorTime | None:
    """What Linux's scheduler has counted of this process; None where the system does not say.

    Args:
        tasks: Folder with a folder for each thread.
    """
    computing = waiting = 0
    try:
        for task in tasks.iterdir():
            try:
                on_processor, on_queue, _ = (task / "schedstat").read_text().split()
            except FileNotFoundError:  # a thread that ended meanwhile
                continue
            computing += int(on_processor)
            waiting += int(on_queue)
    except (OSError, ValueError):
        return None
    return ProcessorTime(computing, waiting) if computing else None


def share_waited(before: ProcessorTime | None, after: ProcessorTime | None) -> float | None:
    """The share of the time between two moments that a process waited, 0 to 100; None if unknown."""
    if before is None or after is None:
        return None
    computing, waiting = after.computing - before.computing, after.waiting - before.waiting
    if computing <= 0 or waiting < 0:  # threads that ended took their counts along
        return None
    return 100 * waiting / (computing + waiting)
