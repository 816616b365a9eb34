"""A job's progress in the terminal."""

from __future__ import annotations

import contextlib
import sys

from workbench.jobs.job import Job
from workbench.jobs.state import JobState
from workbench.variant import Variant

_END_SECONDS = 10.0


def watch(job: Job) -> Variant | None:
    """Shows a job's progress on standard error until it ends; Ctrl-C cancels it.

    Raises:
        WorkbenchError: Why it failed.
        Cancelled: If something else cancelled it.
        KeyboardInterrupt: After Ctrl-C.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(file=sys.stderr)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task(str(job.state.title), total=1.0)

        def show(state: JobState) -> None:
            words = str(state.title) if state.stage is None else f"{state.title}: {state.stage}"
            progress.update(bar, completed=state.progress or 0.0, description=words)

        stop = job.observe(show)
        try:
            return job.wait()
        except KeyboardInterrupt:
            job.cancel()
            with contextlib.suppress(Exception):  # how it ends is of no interest any more
                job.wait(_END_SECONDS)
            raise
        finally:
            stop()
