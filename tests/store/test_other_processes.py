"""What other processes write in the same folder is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

from workbench.jobs.live_states import LiveStates
from workbench.store import Store
from workbench.store.other_processes import watch_other_processes


def test_what_is_written_before_the_loop_turns_is_told(tmp_path: Path) -> None:
    store, other = Store(tmp_path), Store(tmp_path)
    told = asyncio.Event()
    watching = watch_other_processes(
        store, LiveStates(tmp_path / "live"), lambda job: True, lambda state: None, told.set
    )
    other.set_fact("cancel a-job", "asked")

    async def watch() -> None:
        task = asyncio.ensure_future(watching)
        await asyncio.wait_for(told.wait(), 60)
        task.cancel()

    asyncio.run(watch())
    assert store.fact("cancel a-job") == "asked"
    store.close()
    other.close()
