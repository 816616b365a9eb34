"""What other processes do in the same folder: a second page, a script beside a notebook."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from workbench.jobs.live_states import LiveStates
from workbench.jobs.state import JobState
from workbench.store import Store

_LOOK_SECONDS = 1.0


def watch_other_processes(
    store: Store,
    live: LiveStates,
    own: Callable[[str], bool],
    job_changed: Callable[[JobState], None],
    stored: Callable[[], None],
) -> Coroutine[None, None, None]:
    """What tells of all that others write from now on, until it is cancelled.

    What is there is read by the caller: a loop that is busy, as at its start, begins late, and would take
    for old what was written meanwhile, such as that a job is to be cancelled.

    Args:
        store: The folder's store.
        live: How far the jobs of others are.
        own: Whether a job, by identifier, is one of this process.
        job_changed: Called with the state of another process's job that is new or has changed.
        stored: Called after anything was written.
    """
    version = store.version()
    return _watch(store, live, own, job_changed, stored, version, {state.id: state for state in store.jobs()})


async def _watch(
    store: Store,
    live: LiveStates,
    own: Callable[[str], bool],
    job_changed: Callable[[JobState], None],
    stored: Callable[[], None],
    version: int,
    known: dict[str, JobState],
) -> None:
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        now = store.version()
        if now != version:
            version = now
            stored()
            for state in store.jobs():
                if state.id not in known or known[state.id].status != state.status:
                    known[state.id] = state
                    if not own(state.id):
                        job_changed(state)
        for state in [state for state in known.values() if not state.ended and not own(state.id)]:
            shown = live.read(state.id)
            if shown is not None and shown != state and not shown.ended:
                known[state.id] = shown
                job_changed(shown)
