"""What whoever waits for a job sees meanwhile: a card below the cell, a line in a terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from workbench.api.display import shown as shown_in_notebook
from workbench.jobs.kernel import in_cell
from workbench.jobs.state import JobState

if TYPE_CHECKING:
    from workbench.jobs.job import Job


@contextlib.contextmanager
def shown(job: Job) -> Iterator[None]:
    """Shows a job while it is waited for; elsewhere than in a notebook or a terminal nothing."""
    if job.state.ended:
        yield
    elif in_cell():
        with _below_the_cell(job):
            yield
    elif threading.current_thread() is threading.main_thread() and sys.stderr and sys.stderr.isatty():
        with _in_the_terminal(job):
            yield
    else:
        yield


@contextlib.contextmanager
def _below_the_cell(job: Job) -> Iterator[None]:
    from IPython import display as module

    display: Any = module.display
    card = shown_in_notebook("live job", job)
    handle = display(mime_bundle(job, card), raw=True, display_id=True)
    try:
        yield
    finally:
        if job.state.ended:  # interrupted, the card stays: the job goes on
            # A saved notebook has no widgets; what came out stays readable.
            handle.update(mime_bundle(job, None), raw=True)
            if card is not None:
                card.close()


@contextlib.contextmanager
def _in_the_terminal(job: Job) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    ) as progress:
        bar = progress.add_task(str(job.state.title), total=1.0)

        def show(state: JobState) -> None:
            words = (state.title, state.step, state.stage)
            description = ": ".join(str(part) for part in words if part is not None)
            progress.update(bar, completed=state.progress or 0.0, description=description)

        show(job.state)
        stop = job.observe(show)
        try:
            yield
        finally:
            stop()


def mime_bundle(job: Job, card: Any) -> dict[str, Any]:
    """A job for all that may show it.

    Args:
        job: The job.
        card: Its widget, or None.
    """
    bundle: dict[str, Any] = {"text/plain": repr(job), "text/html": shown_in_notebook("job", job)}
    if card is not None:
        shown = card._repr_mimebundle_()
        data = shown[0] if isinstance(shown, tuple) else shown
        bundle |= {kind: value for kind, value in (data or {}).items() if kind not in bundle}
    return bundle
