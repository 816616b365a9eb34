"""How work speaks to whoever waits for it: :class:`workbench.api.technique.Reporter` in two forms.

Events are dicts of plain values, the same on the wire and for observers (there ``text`` is a
:class:`workbench.api.text.Text` again)::

    {"type": "stage", "text": ...}
    {"type": "progress", "fraction": 0.4}
    {"type": "metric", "name": "loss", "points": [(step, value), (step, value, low, high), ...]}
    {"type": "table", "table": ...}
    {"type": "log", "text": ...}
    {"type": "waiting", "text": ... or None, "may_go_on": False}
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from workbench.api.errors import Cancelled
from workbench.api.text import Text
from workbench.api.variant import Table
from workbench.jobs.state import Point

Event = dict[str, Any]

SECONDS_BETWEEN_MESSAGES = 0.25
SECONDS_BETWEEN_WORDS_OF_WAITING = 5.0
"""What waits says so again after this time: how long it has waited is read from the last word."""


def point(step: float, value: float, interval: tuple[float, float] | None = None) -> Point:
    """A point of a curve, with the ends of its interval where that is known."""
    if interval is None:
        return float(step), float(value)
    return float(step), float(value), float(interval[0]), float(interval[1])


class WorkerReporter:
    """Sends events out of a worker process, a few messages a second, losing none.

    Events that come faster are gathered: points of one curve into one event, progress to its
    latest value. What is left is sent by a timer, so that the last word before a long silent step
    arrives too.

    Args:
        send: Sends one list of events; callable from any thread.
        later: Calls a function after so many seconds on another thread.
        cancelled: Whether the user has cancelled the job.
        goes_on: Whether the user has said that it should go on without what it waits for.
    """

    def __init__(
        self,
        send: Callable[[list[Event]], None],
        later: Callable[[float, Callable[[], None]], None],
        cancelled: Callable[[], bool],
        goes_on: Callable[[], bool] = lambda: False,
    ) -> None:
        self._send = send
        self._later = later
        self._cancelled = cancelled
        self._goes_on = goes_on
        self._waiting: tuple[Text | None, bool] = (None, False)
        self._waiting_said = 0.0
        self._lock = threading.Lock()
        self._pending: list[Event] = []
        self._progress: Event | None = None
        self._curves: dict[str, Event] = {}
        self._tables: dict[str, Event] = {}
        self._sent_at = -math.inf
        self._timer_set = False

    def stage(self, text: Text) -> None:
        """Says what is being done now."""
        self._add({"type": "stage", "text": text.model_dump(mode="json")})

    def progress(self, fraction: float) -> None:
        """Says how much of the job's work is done, 0 to 1."""
        value = float(fraction)
        if math.isnan(value):
            return
        with self._lock:
            if self._progress is not None:
                self._pending.remove(self._progress)
            self._progress = {"type": "progress", "fraction": min(1.0, max(0.0, value))}
            self._pending.append(self._progress)
        self._flush_or_wait()

    def metric(
        self, name: str, step: float, value: float, interval: tuple[float, float] | None = None
    ) -> None:
        """Adds a point to a live curve."""
        name = str.__str__(
            name
        )  # a kind of curve is a text, which the way to the kernel takes as nothing else
        with self._lock:
            curve = self._curves.get(name)
            if curve is None:
                # A plain string: the wire takes no members of enums.
                curve = self._curves[name] = {"type": "metric", "name": str(name), "points": []}
                self._pending.append(curve)
            curve["points"].append(point(step, value, interval))
        self._flush_or_wait()

    def table(self, table: Table) -> None:
        """Shows a table as far as it is filled: of several that come together, the fullest is sent."""
        name = table.title.model_dump_json()
        with self._lock:
            if name in self._tables:
                self._pending.remove(self._tables[name])
            self._tables[name] = {"type": "table", "table": table.model_dump(mode="json")}
            self._pending.append(self._tables[name])
        self._flush_or_wait()

    def log(self, text: Text) -> None:
        """Adds a line to the job's log."""
        self._add({"type": "log", "text": text.model_dump(mode="json")})

    def wait(self, reason: Text | None, may_go_on: bool) -> bool:
        """Says that the work waits; see :class:`workbench.jobs.slot.CanWait`."""
        now = time.monotonic()
        said_long_ago = reason is not None and now - self._waiting_said > SECONDS_BETWEEN_WORDS_OF_WAITING
        if (reason, may_go_on) != self._waiting or said_long_ago:
            self._waiting, self._waiting_said = (reason, may_go_on), now
            text = None if reason is None else reason.model_dump(mode="json")
            self._add({"type": "waiting", "text": text, "may_go_on": may_go_on})
        return self._goes_on()

    def check(self) -> None:
        """Raises :class:`workbench.api.errors.Cancelled` if the user has cancelled the job."""
        if self._cancelled():
            raise Cancelled

    def flush(self) -> None:
        """Sends what is left."""
        # Sent under the lock: a timer and the job's own thread must not overtake each other.
        with self._lock:
            self._sent_at = time.monotonic()
            if self._pending:
                pending, self._pending, self._progress = self._pending, [], None
                self._curves, self._tables = {}, {}
                self._send(pending)

    def _add(self, event: Event) -> None:
        with self._lock:
            self._pending.append(event)
        self._flush_or_wait()

    def _flush_or_wait(self) -> None:
        due = self._sent_at + SECONDS_BETWEEN_MESSAGES - time.monotonic()
        if due <= 0:
            self.flush()
        elif not self._timer_set:
            self._timer_set = True
            self._later(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer_set = False
        self.flush()


class SilentReporter:
    """Drops everything: for work in the same process that nobody watches."""

    def stage(self, text: Text) -> None:
        """Does nothing."""

    def progress(self, fraction: float) -> None:
        """Does nothing."""

    def metric(
        self, name: str, step: float, value: float, interval: tuple[float, float] | None = None
    ) -> None:
        """Does nothing."""

    def table(self, table: Table) -> None:
        """Does nothing."""

    def log(self, text: Text) -> None:
        """Does nothing."""

    def check(self) -> None:
        """Does nothing: nobody can cancel."""
