"""What other processes do in the same folder: a second page, a script beside a notebook."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from workbench.jobs.state import JobState
from workbench.store import Store

_LOOK_SECONDS = 1.0


async def watch_neighbours(
    store: Store,
    own: Callable[[str], bool],
    job_changed: Callable[[JobState], None],
    stored: Callable[[], None],
) -> None:
    """Tells what others have written, until it is cancelled.

    Args:
        store: The folder's store.
        own: Whether a job, by identifier, is one of this process.
        job_changed: Called with the state of another process's job that is new or has changed.
        stored: Called after anything was written.
    """
    version = store.version()
    known = {state.id: state.status for state in store.jobs()}
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        now = store.version()
        if now == version:
            continue
        version = now
        stored()
        for state in store.jobs():
            if known.get(state.id) != state.status:
                known[state.id] = state.status
                if not own(state.id):
                    job_changed(state)
