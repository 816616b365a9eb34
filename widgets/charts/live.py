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


def curves_figure(curves: Mapping[str, Curve], across: str, up: str = "") -> dict[str, Any]:
    """One figure, as plotly's JSON.

    Args:
        curves: Name -> points (step, value).
        across: Title of the horizontal axis.
        up: Title of the vertical axis.
    """
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers" if len(points) <= 60 else "lines",
                "name": plain(_named(name)),
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
            "yaxis": {"title": {"text": up, "font": {"size": 11}}, "zeroline": False, "nticks": 5},
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


_LABELS = {"show": say("Show"), "hide": say("Hide")}
_TITLES = {
    "loss": (say("Loss"), say("epoch"), say("loss")),
    "score": (say("Scores while training"), say("epoch"), say("score, 0 to 1")),
    "running": (say("Running score of the evaluation"), say("test samples"), say("score, 0 to 1")),
    "time": (say("Validation F1 over time"), say("seconds of training"), say("validation F1")),
    "latency": (say("Time of a call"), say("samples in a call"), say("milliseconds")),
}
_SHOWN_AS = {"time to F1": say("validation F1")}
"""Curves whose name says what they are for, and not what is drawn."""


def _named(name: str) -> str:
    return str(_SHOWN_AS.get(name, Text(template=name)))


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
            "labels": words(CHART_LABELS) | words(_LABELS),
            "running": job is not None and not job.ended,
            "title": str(
                say("Live curves") if job is None or not job.ended else say("Curves of the last job")
            ),
            "aside": str(job.title) if job is not None else None,
            "charts": charts,
        }


def _chart(group: str, curves: Mapping[str, Curve]) -> dict[str, Any]:
    title, across, up = _TITLES[group]
    newest = ", ".join(f"{_named(name)} {digits(points[-1][1])}" for name, points in curves.items())
    return chart(
        str(title),
        curves_figure(curves, str(across), str(up)),
        str(say("Now: {values}.", values=newest)),
        [column(say("Curve")), column(across, numeric=True), column(say("Value"), numeric=True)],
        [
            [_named(name), f"{step:g}", digits(value)]
            for name, points in curves.items()
            for step, value in points[-40:]
        ],
        190,
    )
