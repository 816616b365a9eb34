"""How workers died, as their nannies tell."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from workbench.api.errors import JobFailed
from workbench.jobs import failure
from workbench.jobs.running import Running

_EXIT_TOPIC = "workbench-exit"  # as in workbench.jobs.cluster, which imports dask
_MEMORY_TOPIC = "worker-restart-memory"  # dask's own
_PATIENCE_SECONDS = 3.0


class Deaths:
    """Listens to the nannies of a scheduler.

    Args:
        client: An asynchronous dask client.
    """

    def __init__(self, client: Any) -> None:
        self._exits: dict[str, int] = {}
        self._memory: dict[str, dict[str, Any]] = {}
        self._changed = asyncio.Condition()
        client.subscribe_topic(_EXIT_TOPIC, self._on_exit)
        client.subscribe_topic(_MEMORY_TOPIC, self._on_memory)

    async def reason(self, call: Running) -> JobFailed:
        """Why the worker under a call died; waits a little for the nanny's word."""
        address = call.address
        assert address is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS), self._changed:
                await self._changed.wait_for(lambda: address in self._exits)
        return failure.from_exit(self._exits.get(address), self._memory.get(address), call.limits, call.kind)

    async def _on_exit(self, event: tuple[float, dict[str, Any]]) -> None:
        async with self._changed:
            self._exits[event[1]["worker"]] = event[1]["exitcode"]
            self._changed.notify_all()

    def _on_memory(self, event: tuple[float, dict[str, Any]]) -> None:
        self._memory[event[1]["worker"]] = event[1]
