"""What each lesson of the course takes on this machine, as a learner who knows all answers runs it.

``python -m tests.benchmarks.lessons [LESSON ...]`` runs the solution of each lesson, by its name or number
(by default of all), in a kernel of its own, in a folder in which nothing was opened or measured before.
Printed, in seconds: until the first cell has shown a result, counted from the start of the kernel; all cells
together; processor time of all processes; the whole, start and end of the kernel included. And the highest
memory of all processes together, pages that they share counted once.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tests.benchmarks.table import heads, row
from widgets.course.lesson import LESSONS, lessons
from workbench.course.notebooks import build

_MIB = 2**20
_OWN = ("HOME", "WORKBENCH_FOLDER", "IPYTHONDIR", "XDG_DATA_HOME")
_NOT_OF_A_USER = (
    "WORKBENCH_SHORT_TIMING",
    "WORKBENCH_SCHEDULER",
    "WORKBENCH_SLOT_FOLDER",
    "PYTEST_CURRENT_TEST",
)


class Watch(threading.Thread):
    """Looks at all processes that this one has started.

    Attributes:
        most_bytes: The most memory that they had together.
        processor_seconds: What they have used, those included that have ended.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most_bytes = 0
        self._used: dict[tuple[int, float], float] = {}
        self._ended = threading.Event()

    @property
    def processor_seconds(self) -> float:
        return sum(self._used.values())

    def run(self) -> None:
        """Looks twice a second."""
        while not self._ended.wait(0.5):
            total = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    times = process.cpu_times()
                    self._used[process.pid, process.create_time()] = times.user + times.system
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.most_bytes = max(self.most_bytes, total)

    def end(self) -> None:
        """Stops looking."""
        self._ended.set()
        self.join()


@dataclass
class Run:
    """How a lesson went.

    Attributes:
        wall_s: From before the kernel's start until after its end.
        first_s: Until the first result was seen.
        processor_s: Of all processes.
        most_bytes: Memory of all processes together.
        cells: Seconds of each cell of code, by name.
        failed: What stopped it; empty if nothing did.
    """

    wall_s: float = 0.0
    first_s: float | None = None
    processor_s: float = 0.0
    most_bytes: int = 0
    cells: dict[str, float] = field(default_factory=dict)
    failed: str = ""

    @property
    def cells_s(self) -> float:
        return sum(self.cells.values())


def run(name: str) -> Run:
    """Runs the solution of a lesson where nothing is known of it."""
    source = LESSONS / f"{name.replace('-', '_')}.py"
    notebook = nbformat.reads(json.dumps(build(source, "en", solution=True)), as_version=4)
    found, begun = Run(), {}
    with tempfile.TemporaryDirectory(prefix="workbench-lesson-") as folder, _as_a_new_user(Path(folder)):
        began = time.monotonic()

        def start(cell: Any, cell_index: int) -> None:
            begun[cell_index] = time.monotonic()

        def end(cell: Any, cell_index: int, **_: Any) -> None:
            if cell.cell_type != "code":
                return
            now = time.monotonic()
            found.cells[cell.id] = now - begun[cell_index]
            if found.first_s is None and any(_is_result(output) for output in cell.outputs):
                found.first_s = now - began

        client = NotebookClient(
            notebook,
            timeout=3600,
            resources={"metadata": {"path": folder}},
            on_cell_execute=start,
            on_cell_executed=end,
        )
        watch = Watch()
        watch.start()
        try:
            client.execute()
        except CellExecutionError as error:
            found.failed = str(error).strip().splitlines()[-1]
        found.wall_s = time.monotonic() - began
        watch.end()
    found.processor_s, found.most_bytes = watch.processor_seconds, watch.most_bytes
    return found


def _is_result(output: Any) -> bool:
    """Whether a cell has shown something, and not only that it waits."""
    return output.get("output_type") in ("execute_result", "display_data") and "text/html" in output.get(
        "data", {}
    )


@contextmanager
def _as_a_new_user(folder: Path) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in (*_OWN, *_NOT_OF_A_USER)}
    for name in before:
        os.environ.pop(name, None)
    os.environ |= {
        "HOME": str(folder),
        "WORKBENCH_FOLDER": str(folder / "workbench"),
        "IPYTHONDIR": str(folder / "ipython"),
        "XDG_DATA_HOME": str(folder / "data"),
    }
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def chosen(names: Sequence[str]) -> list[str]:
    """Names of lessons, also by their numbers."""
    known = {name.partition("-")[0]: name for name in lessons()}
    found = [known.get(name, name) for name in names]
    if unknown := set(found) - set(known.values()):
        sys.exit(f"There is no lesson {', '.join(sorted(unknown))}; there are {', '.join(known.values())}.")
    return found or list(known.values())


def main(names: Sequence[str] = ()) -> None:
    """Prints the table, and of each lesson its three slowest cells."""
    heads("lesson", "first result s", "cells s", "processor s", "wall s", "peak MiB", "slowest cells")
    for name in chosen(names):
        found = run(name)
        slowest = sorted(found.cells.items(), key=lambda item: -item[1])[:3]
        first = "-" if found.first_s is None else f"{found.first_s:.0f}"
        where = ", ".join(f"{cell} {took:.0f} s" for cell, took in slowest)
        row(
            name,
            first,
            *(f"{seconds:.0f}" for seconds in (found.cells_s, found.processor_s, found.wall_s)),
            f"{found.most_bytes / _MIB:.0f}",
            where + (f"; stopped: {found.failed}" if found.failed else ""),
        )


if __name__ == "__main__":
    main(sys.argv[1:])
