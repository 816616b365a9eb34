"""A call on its way, as the executor's side sees it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from workbench.api.errors import Cancelled
from workbench.jobs import failure
from workbench.jobs.limits import Limits
from workbench.jobs.reporter import Event
from workbench.jobs.worker import WorkerKind

Reason = Literal["cancelled", "wall time", "lost", "closed"]

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Running:
    """One call on its way.

    Attributes:
        job: Whose call it is.
        kind: The kind of worker that it needs.
        on_event: Told of its events.
        limits: What it may take.
        priority: A higher one runs earlier.
        run: Identifier of the call.
        reason: Why it is being stopped; None while it is not.
        address: The worker that runs it; None while it waits.
        starts: How often a worker has begun it.
        received: Number of the worker's messages that have come.
        ended: Number of messages that the worker has sent in all, once it has said so.
        position: Calls before it, as last told.
        told: When that was told, seconds of the loop's clock.
        future: dask's future while it is with the scheduler.
        complete: Set when all of its messages have come.
        finished: Set when nobody waits for it any more.
    """

    job: str
    kind: WorkerKind
    on_event: Callable[[Event], None]
    limits: Limits
    priority: int
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    reason: Reason | None = None
    address: str | None = None
    starts: int = 0
    received: int = 0
    ended: int | None = None
    position: int | None = None
    told: float = 0.0
    future: Any = None
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, event: Event) -> None:
        """Passes an event on; a faulty observer must not harm the work."""
        try:
            self.on_event(event)
        except Exception:
            _log.exception("An observer of job %s failed", self.job)

    def stopped(self) -> BaseException:
        """The error of a call that was stopped."""
        if self.reason == "wall time":
            return failure.wall_time(self.limits)
        return failure.run_again() if self.reason == "lost" else Cancelled()
