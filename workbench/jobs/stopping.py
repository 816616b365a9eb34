"""Stopping calls that run in workers: first by asking, then with their process."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from workbench.jobs import worker
from workbench.jobs.running import Reason, Running

_COOPERATIVE_SECONDS = 1.0
_KILL_SECONDS = 3.0
_MOST_TRIES = 20


class Stopping:
    """Stops calls through a scheduler.

    Args:
        client: An asynchronous dask client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    async def stop(self, call: Running, reason: Reason) -> None:
        """Stops a call: by its flag if it looks at it within a second, else with its worker."""
        if call.reason is None:
            call.reason = reason
        if call.address is None:
            await self.withdraw(call)
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + _COOPERATIVE_SECONDS
        await self._raise_flag(call.run, call.address)
        with suppress(TimeoutError):
            await asyncio.wait_for(call.finished.wait(), max(0.0, until - loop.time()))
        for _ in range(_MOST_TRIES):
            if call.finished.is_set() or await self._kill(call.run, call.address):
                break
            await asyncio.sleep(0.1)
        with suppress(TimeoutError):
            await asyncio.wait_for(call.finished.wait(), _KILL_SECONDS)
        if not call.finished.is_set():  # a worker without a nanny: give it up
            await self.withdraw(call)

    async def stop_stray(self, run: str, address: str) -> None:
        """Stops a call that nobody waits for any more."""
        await self._raise_flag(run, address)
        await asyncio.sleep(_COOPERATIVE_SECONDS)
        await self._kill(run, address)

    async def withdraw(self, call: Running) -> None:
        """Takes a call back from the scheduler; whoever waits for it hears so at once."""
        if call.future is not None:
            await self._client.cancel([call.future], force=True)

    async def let_go_on(self, call: Running) -> None:
        """Lets a call that waits go on without what it waits for, where it may."""
        if call.address is not None:
            with suppress(Exception):  # the worker is gone, and the call with it
                await self._client.run(worker.let_go_on, call.run, workers=[call.address])

    async def _raise_flag(self, run: str, address: str) -> None:
        with suppress(Exception):  # a worker that holds the GIL does not answer
            await asyncio.wait_for(
                self._client.run(worker.raise_flag, run, workers=[address]), _COOPERATIVE_SECONDS / 2
            )

    async def _kill(self, run: str, address: str) -> bool:
        with suppress(Exception):  # the worker is gone already
            answers = await asyncio.wait_for(
                self._client.run(worker.kill_run, run, workers=[address], nanny=True), _KILL_SECONDS
            )
            return any(answers.values())
        return False
