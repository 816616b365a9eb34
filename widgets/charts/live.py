"""What the job that runs draws while it works: curves, latencies that narrow, tables that fill."""

from __future__ import annotations

from typing import Any, ClassVar

from widgets.assets import esm
from widgets.charts.curves import curves_chart, grouped
from widgets.charts.found import findings
from widgets.charts.narrowing import narrowing_chart, timings
from widgets.charts.trade_off import CHART_LABELS
from widgets.component import Component, words
from workbench.api.text import say
from workbench.jobs.state import JobState
from workbench.measure.narrowing import timed_variant

_LABELS = {"show": say("Show"), "hide": say("Hide")}


class LiveChart(Component):
    """What the job that runs now draws, or what the last one drew.

    Args:
        workbench: A workbench, or the session of one.

    Example:
        >>> chart = LiveChart(workbench)  # as the last line of a cell it is drawn
    """

    _esm = esm("live")
    panel: ClassVar[str] = "live"
    follows: ClassVar[frozenset[str]] = frozenset({"jobs"})

    def _job(self) -> JobState | None:
        drawn = [job for job in self.session.jobs if job.tables or any(job.metrics.values())]
        return next((job for job in drawn if not job.ended), drawn[0] if drawn else None)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        job = self._job()
        running = job is not None and not job.ended
        return {
            "labels": words(CHART_LABELS) | words(_LABELS),
            "running": running,
            "title": str(say("Live curves") if running or job is None else say("Curves of the last job")),
            "aside": str(job.title) if job is not None else None,
            "charts": [] if job is None else self._charts(job),
        }

    def _charts(self, job: JobState) -> list[dict[str, Any]]:
        tables = [found for found in findings(job.tables) if found["figure"] is not None]
        timed = timings(job.metrics, self.session.variants)
        curves = {name: points for name, points in job.metrics.items() if timed_variant(name) is None}
        return [
            *tables,
            *([narrowing_chart(timed)] if timed else []),
            *(curves_chart(axes, group) for axes, group in grouped(curves).items()),
        ]
