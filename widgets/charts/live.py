"""Live curves of the job that runs: losses, scores, time to F1, running F1 of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.charts.chart import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, chart, column, plain
from widgets.charts.trade_off import CHART_LABELS
from widgets.component import Component, words
from widgets.wording import digits
from workbench.jobs.state import JobState
from workbench.text import Text, say

Curve = Sequence[tuple[float, float]]
_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
_DASHES = ("solid", "dash", "dot", "dashdot")


def curves_figure(curves: Mapping[str, Curve], across: str) -> dict[str, Any]:
    """One figure, as plotly's JSON.

    Args:
        curves: Name -> points (step, value).
        across: Title of the horizontal axis.
    """
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers" if len(points) <= 60 else "lines",
                "name": plain(str(Text(template=name))),
                "x": [step for step, _ in points],
                "y": [value for _, value in points],
                "line": {"color": _COLOURS[place % 6], "width": 2, "dash": _DASHES[place % 4]},
                "marker": {"size": 5},
                "hoverinfo": "x+y+name",
            }
            for place, (name, points) in enumerate(curves.items())
        ],
        "layout": {
            "xaxis": {
                "title": {"text": across, "font": {"size": 11}},
                "rangemode": "tozero",
                "zeroline": False,
            },
            "yaxis": {"zeroline": False, "nticks": 5},
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}},
            "margin": {"l": 8, "r": 12, "t": 26, "b": 4},
            "hovermode": "x",
        },
    }


def grouped(metrics: Mapping[str, Curve]) -> dict[str, dict[str, Curve]]:
    """Curves that share both axes: losses, scores by step or seconds, running scores, times of a call."""
    groups: dict[str, dict[str, Curve]] = {}
    for name, points in metrics.items():
        lower = name.lower()
        group = "score"
        if "loss" in lower:
            group = "loss"
        elif "time to" in lower:
            group = "time"
        elif "running" in lower:
            group = "running"
        elif "p50" in lower:
            group = "latency"
        # JSON has no infinity: a loss that has left the numbers ends its curve.
        drawn = [point for point in points if math.isfinite(point[1])]
        if drawn:
            groups.setdefault(group, {})[name] = drawn
    return {
        group: groups[group] for group in ("loss", "score", "running", "time", "latency") if group in groups
    }


_TITLES = {
    "loss": (say("Loss"), say("epoch")),
    "score": (say("Scores while training"), say("epoch")),
    "running": (say("Running score of the evaluation"), say("test samples")),
    "time": (say("Time to F1"), say("seconds of training")),
    "latency": (say("Time of a call"), say("samples in a call")),
}


class LiveChart(Component):
    """Curves of the job that runs now, or of the last one.

    Args:
        workbench: A workbench, or the session of one.
    """

    _esm = esm("live")
    follows: ClassVar[frozenset[str]] = frozenset({"jobs"})

    def _job(self) -> JobState | None:
        drawn = [job for job in self.session.jobs if any(job.metrics.values())]
        return next((job for job in drawn if not job.ended), drawn[0] if drawn else None)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        job = self._job()
        charts = (
            [] if job is None else [_chart(group, curves) for group, curves in grouped(job.metrics).items()]
        )
        return {
            "labels": words(CHART_LABELS),
            "title": str(say("Live curves")),
            "aside": str(job.title) if job is not None else None,
            "empty": None if charts else str(say("Appears while something trains or is evaluated.")),
            "charts": charts,
        }


def _chart(group: str, curves: Mapping[str, Curve]) -> dict[str, Any]:
    title, across = _TITLES[group]
    newest = ", ".join(f"{Text(template=name)} {digits(points[-1][1])}" for name, points in curves.items())
    return chart(
        str(title),
        curves_figure(curves, str(across)),
        str(say("Now: {values}.", values=newest)),
        [column(say("Curve")), column(across, numeric=True), column(say("Value"), numeric=True)],
        [
            [str(Text(template=name)), f"{step:g}", digits(value)]
            for name, points in curves.items()
            for step, value in points[-40:]
        ],
        190,
    )
