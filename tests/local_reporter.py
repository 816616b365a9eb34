"""A reporter that keeps what it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

from workbench.api.errors import Cancelled
from workbench.api.text import Text
from workbench.api.variant import Table
from workbench.jobs.reporter import Event, point
from workbench.jobs.state import Point


class LocalReporter:
    """Keeps what work reports in lists: for work in the same process.

    Attributes:
        events: Everything, in order.
        stages: The texts of the stages.
        fractions: The values of the progress.
        metrics: Name of a curve -> its points, see :func:`point`.
        tables: Those that fill, as they are now, by title.
        lines: The texts of the log.

    Args:
        on_event: Called with every event as it comes.
    """

    def __init__(self, on_event: Callable[[Event], None] | None = None) -> None:
        self.events: list[Event] = []
        self.stages: list[Text] = []
        self.fractions: list[float] = []
        self.metrics: dict[str, list[Point]] = {}
        self.tables: dict[str, Table] = {}
        self.lines: list[Text] = []
        self._on_event = on_event
        self._cancelled = threading.Event()

    def stage(self, text: Text) -> None:
        """Says what is being done now."""
        self.stages.append(text)
        self._add({"type": "stage", "text": text})

    def progress(self, fraction: float) -> None:
        """Says how much of the work is done, 0 to 1."""
        self.fractions.append(float(fraction))
        self._add({"type": "progress", "fraction": float(fraction)})

    def metric(
        self, name: str, step: float, value: float, interval: tuple[float, float] | None = None
    ) -> None:
        """Adds a point to a live curve."""
        added = point(step, value, interval)
        self.metrics.setdefault(name, []).append(added)
        self._add({"type": "metric", "name": name, "points": [added]})

    def table(self, table: Table) -> None:
        """Shows a table as far as it is filled."""
        self.tables[table.title.template] = table
        self._add({"type": "table", "table": table})

    def log(self, text: Text) -> None:
        """Adds a line to the log."""
        self.lines.append(text)
        self._add({"type": "log", "text": text})

    def check(self) -> None:
        """Raises :class:`workbench.api.errors.Cancelled` after :meth:`cancel`."""
        if self._cancelled.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Makes the next :meth:`check` raise; callable from any thread."""
        self._cancelled.set()

    def _add(self, event: Event) -> None:
        self.events.append(event)
        if self._on_event is not None:
            self._on_event(event)
