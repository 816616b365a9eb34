"""Size and quality of what was made, measured while the next is made: the two run in different workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from workbench.api.variant import Variant
from workbench.jobs.job import Job
from workbench.jobs.told import Aside, Told

Look = Callable[[Told, Variant], Awaitable[bool]]


class Looking:
    """Looks at variants one after the other, beside the job's main work. Used as ``async with``.

    Where the main work fails or is cancelled, so is this.

    Args:
        job: Hears of it; how far it is, only in :meth:`finished`.
        look: Measures one, and says whether its numbers are known then.
    """

    def __init__(self, job: Job, look: Look) -> None:
        self._aside = Aside(job)
        self._look = look
        self._last: asyncio.Task[None] | None = None
        self._good: list[Variant] = []

    async def __aenter__(self) -> Looking:
        return self

    async def __aexit__(self, *failure: object) -> None:
        if self._last is None:
            return
        self._last.cancel()
        await asyncio.wait([self._last])
        if not self._last.cancelled():
            self._last.exception()  # raised by `finished`, or after a failure of the main work not missed

    def begin(self, variant: Variant) -> None:
        """Looks at one after those before it, and returns at once."""
        self._last = asyncio.ensure_future(self._after(self._last, variant))

    async def finished(self) -> list[Variant]:
        """Waits for all; those whose numbers are known."""
        self._aside.alone = True
        if self._last is not None:
            await self._last
        self._aside.alone = False
        return self._good

    async def _after(self, before: asyncio.Task[None] | None, variant: Variant) -> None:
        if before is not None:
            await before
        if await self._look(self._aside, variant):
            self._good.append(variant)
