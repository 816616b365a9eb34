"""Live curves as figures: what they are, what their axes are, and their bands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from widgets.charts.chart import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, chart, column, plain
from widgets.wording import digits
from workbench.api.text import Text, say
from workbench.jobs.curves import CurveKind, kind_of, text_of
from workbench.jobs.state import Point

Curve = Sequence[Point]

_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
_DASHES = ("solid", "dash", "dot", "dashdot")
_MOST_ROWS = 40
HEIGHT = 190
SMALL = {"size": 11}


@dataclass(frozen=True, eq=False)
class Axes:
    """What the curves of one picture share.

    Attributes:
        title: Of the picture.
        across: The horizontal axis, with its unit.
        up: The vertical axis, with its unit.
    """

    title: Text
    across: Text
    up: Text


_LOSS = Axes(say("Loss"), say("epoch"), say("loss"))
_SCORE = Axes(say("Scores while training"), say("epoch"), say("F1 or accuracy, 0 to 1"))
_ZEROS = Axes(say("Zeros while training"), say("training step"), say("share of zeros, 0 to 1"))
_RUNNING = Axes(say("Running score of the evaluation"), say("test samples"), say("macro F1, 0 to 1"))
_ERRORS = Axes(say("Running error of the evaluation"), say("test samples"), say("mean absolute error"))
_SECONDS = Axes(say("Validation F1 over seconds"), say("seconds of training"), say("macro F1, 0 to 1"))
_TRIED = Axes(say("One layer quantized at a time"), say("layers tried"), say("macro F1, 0 to 1"))
_KEPT = Axes(say("Layers that are left exact"), say("layers left exact"), say("macro F1, 0 to 1"))

_ERROR = Axes(say("Errors while training"), say("epoch"), say("mean absolute error"))
_ERROR_SECONDS = Axes(
    say("Validation error over seconds"), say("seconds of training"), say("mean absolute error")
)
_ERROR_TRIED = Axes(say("One layer quantized at a time"), say("layers tried"), say("mean absolute error"))
_ERROR_KEPT = Axes(say("Layers that are left exact"), say("layers left exact"), say("mean absolute error"))
_OVERLAP = Axes(say("Scores while training"), say("epoch"), say("mIoU or accuracy, 0 to 1"))
_OVERLAP_SECONDS = Axes(say("Validation mIoU over seconds"), say("seconds of training"), say("mIoU, 0 to 1"))
_AGREEMENT = Axes(say("Agreement while training"), say("epoch"), say("agreement, at most 1"))
_AGREEMENT_SECONDS = Axes(
    say("Validation agreement over seconds"), say("seconds of training"), say("agreement, at most 1")
)

_OF_KIND: dict[CurveKind, Axes] = {
    "loss": _LOSS,
    "score": _SCORE,
    "overlap": _OVERLAP,
    "agreement": _AGREEMENT,
    "error": _ERROR,
    "zeros": _ZEROS,
    "score over layers tried": _TRIED,
    "error over layers tried": _ERROR_TRIED,
    "score over layers kept": _KEPT,
    "error over layers kept": _ERROR_KEPT,
    "score over seconds": _SECONDS,
    "overlap over seconds": _OVERLAP_SECONDS,
    "agreement over seconds": _AGREEMENT_SECONDS,
    "error over seconds": _ERROR_SECONDS,
    "score over test samples": _RUNNING,
    "error over test samples": _ERRORS,
}
"""In the order of their pictures; curves that somebody else's technique draws follow."""


def grouped(metrics: Mapping[str, Curve]) -> dict[Axes, dict[str, Curve]]:
    """Curves that share both axes; one of which nothing is known has axes of its own."""
    groups: dict[Axes, dict[str, Curve]] = {axes: {} for axes in _OF_KIND.values()}
    for name, points in metrics.items():
        # JSON has no infinity: a loss that has left the numbers ends its curve.
        drawn = [point for point in points if all(map(math.isfinite, point))]
        if drawn:
            kind = kind_of(name)
            axes = Axes(text_of(name), say("step"), text_of(name)) if kind is None else _OF_KIND[kind]
            groups.setdefault(axes, {})[name] = drawn
    return {axes: curves for axes, curves in groups.items() if curves}


def ends(point: Point) -> tuple[float, float] | None:
    """The ends of a point's interval, where it has one."""
    return None if len(point) == 2 else (point[2], point[3])


def band(points: Curve, colour: str, **more: Any) -> list[dict[str, Any]]:
    """The area between the ends of the intervals, as two traces to be drawn below the curve.

    Args:
        points: Those without an interval are left out.
        colour: As ``#rrggbb``.
        **more: Of both traces, such as their axis.
    """
    sure = [(point[0], *found) for point in points if (found := ends(point)) is not None]
    if not sure:
        return []
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    edge = {
        "type": "scatter",
        "mode": "lines",
        "x": [step for step, _, _ in sure],
        "line": {"width": 0, "color": colour},
        "hoverinfo": "skip",
        "showlegend": False,
        **more,
    }
    return [
        edge | {"y": [low for _, low, _ in sure]},
        edge
        | {
            "y": [high for _, _, high in sure],
            "fill": "tonexty",
            "fillcolor": f"rgba({red},{green},{blue},0.22)",
        },
    ]


def curves_figure(curves: Mapping[str, Curve], across: str, up: str = "") -> dict[str, Any]:
    """One figure, as plotly's JSON.

    Args:
        curves: Name -> points.
        across: Title of the horizontal axis.
        up: Title of the vertical axis.
    """
    data: list[dict[str, Any]] = []
    for place, (name, points) in enumerate(curves.items()):
        colour = _COLOURS[place % 6]
        data += band(points, colour)
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(points) <= 60 else "lines",
                "name": plain(str(text_of(name))),
                "x": [point[0] for point in points],
                "y": [point[1] for point in points],
                "line": {"color": colour, "width": 2, "dash": _DASHES[place % 4]},
                "marker": {"size": 5},
                "hoverinfo": "x+y+name",
            }
        )
    return {
        "data": data,
        "layout": {
            "xaxis": {"title": {"text": across, "font": SMALL}, "rangemode": "tozero", "zeroline": False},
            "yaxis": {"title": {"text": up, "font": SMALL}, "zeroline": False, "nticks": 5},
            "showlegend": len(curves) > 1,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": SMALL},
            "margin": {"l": 8, "r": 12, "t": 26, "b": 4},
            "hovermode": "x",
        },
    }


def curves_chart(axes: Axes, curves: Mapping[str, Curve]) -> dict[str, Any]:
    """The curves that share two axes: with their newest values in words, and the table behind them."""
    newest = tuple(f"{text_of(name)} {_with_ends(points[-1])}" for name, points in curves.items())
    return chart(
        str(axes.title),
        curves_figure(curves, str(axes.across), str(axes.up)),
        str(say("Now: {values}.", values=newest)),
        [column(say("Curve")), column(axes.across, numeric=True), column(axes.up, numeric=True)],
        [
            [str(text_of(name)), f"{point[0]:g}", _with_ends(point)]
            for name, points in curves.items()
            for point in points[-_MOST_ROWS:]
        ],
        HEIGHT,
    )


def _with_ends(point: Point) -> str:
    found = ends(point)
    return digits(point[1]) + ("" if found is None else f" [{digits(found[0])}, {digits(found[1])}]")
