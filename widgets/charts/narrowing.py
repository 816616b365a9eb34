"""The latency of the files that are being timed: medians and intervals that narrow round by round."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from widgets.charts.chart import FAMILY_COLOURS, chart, column, family_of, plain
from widgets.charts.curves import HEIGHT, SMALL, Curve, band, ends
from widgets.wording import short, time, time_interval, unit
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.jobs.state import Point
from workbench.measure.narrowing import timed_variant
from workbench.measure.records import Interval

MOST_STRIPS = 5
"""So many files get a strip each, with its own axis; of more, only the last interval is drawn."""

_STRIP_PIXELS = 78
_ROW_PIXELS = 24
_MOST_ROWS = 40


def timings(metrics: Mapping[str, Curve], variants: Sequence[Variant]) -> list[tuple[Variant, Curve]]:
    """The curves of latencies among all of a job; of variants that are still there."""
    known = {variant.id: variant for variant in variants}
    return [
        (known[id_], points)
        for name, points in metrics.items()
        if (id_ := timed_variant(name)) is not None and id_ in known and points
    ]


def narrowing_chart(lines: Sequence[tuple[Variant, Curve]]) -> dict[str, Any]:
    """The medians of all files of a run, from the first rounds to now."""
    few = len(lines) <= MOST_STRIPS
    return chart(
        str(say("Latency, while it is measured")),
        _strips(lines) if few else _whiskers(lines),
        str(
            say("Median time of a call; the band is its 95% interval.")
            if few
            else say("Median time of a call with its 95% interval.")
        ),
        [column(say("Variant")), column(say("round"), numeric=True), column(say("Median"), numeric=True)],
        [
            [short(variant.name), f"{point[0]:g}", _words(point)]
            for variant, points in lines
            for point in points[-_MOST_ROWS:]
        ],
        max(HEIGHT, 40 + _STRIP_PIXELS * len(lines)) if few else 60 + _ROW_PIXELS * len(lines),
    )


def _words(point: Point) -> str:
    found = ends(point)
    if found is None:
        return time(point[1])
    interval = Interval(value=point[1], low=found[0], high=found[1])
    return f"{time(point[1])} {time_interval(interval)}"


def _colour(variant: Variant) -> str:
    return FAMILY_COLOURS[family_of(variant.technique)]


def _strips(lines: Sequence[tuple[Variant, Curve]]) -> dict[str, Any]:
    """One above the other over the same rounds: their times may differ a hundredfold."""
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "xaxis": {
            "title": {"text": str(say("round")), "font": SMALL},
            "rangemode": "tozero",
            "zeroline": False,
            "anchor": "y" if len(lines) == 1 else f"y{len(lines)}",
        },
        "annotations": [],
        "showlegend": False,
        "margin": {"l": 8, "r": 12, "t": 20, "b": 4},
        "hovermode": "closest",
    }
    share = 1 / len(lines)
    for place, (variant, points) in enumerate(lines):
        number = "" if place == 0 else str(place + 1)
        factor, name = unit(points[-1][1])
        scaled: list[Point] = [(point[0], *(factor * value for value in point[1:])) for point in points]
        axis = {"yaxis": f"y{number}"}
        top = 1 - place * share
        data += band(scaled, _colour(variant), **axis)
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(points) <= 60 else "lines",
                "name": plain(variant.name),
                "x": [point[0] for point in scaled],
                "y": [point[1] for point in scaled],
                "line": {"color": _colour(variant), "width": 2},
                "marker": {"size": 4},
                "hovertext": [f"<b>{plain(variant.name)}</b><br>{_words(point)}" for point in points],
                "hoverinfo": "text",
                **axis,
            }
        )
        layout[f"yaxis{number}"] = {
            "domain": [top - share * 0.72, top],
            "ticksuffix": f" {name}",
            "nticks": 3,
            "zeroline": False,
        }
        layout["annotations"].append(
            {
                "text": f"<b>{plain(variant.name)}</b>  {_words(points[-1])}",
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": top,
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": SMALL,
            }
        )
    return {"data": data, "layout": layout}


def _whiskers(lines: Sequence[tuple[Variant, Curve]]) -> dict[str, Any]:
    last = [points[-1] for _, points in lines]
    sure = [ends(point) or (point[1], point[1]) for point in last]
    values = [point[1] for point in last]
    wide = max(values) > 10 * min(values)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": values,
                "y": list(range(len(lines))),
                "marker": {"size": 8, "color": [_colour(variant) for variant, _ in lines]},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [high - value for value, (_, high) in zip(values, sure, strict=True)],
                    "arrayminus": [value - low for value, (low, _) in zip(values, sure, strict=True)],
                    "thickness": 1.5,
                    "width": 4,
                },
                "hovertext": [
                    f"<b>{plain(variant.name)}</b><br>{_words(points[-1])}" for variant, points in lines
                ],
                "hoverinfo": "text",
            }
        ],
        "layout": {
            "xaxis": {
                "title": {"text": str(say("median time of a call in ms")), "font": SMALL},
                "zeroline": False,
                **(_decades(values) if wide else {"rangemode": "tozero"}),
            },
            "yaxis": {
                "range": [len(lines) - 0.5, -0.5],
                "tickmode": "array",
                "tickvals": list(range(len(lines))),
                "ticktext": [plain(variant.name, 24) for variant, _ in lines],
                "showgrid": False,
                "zeroline": False,
            },
            "showlegend": False,
        },
    }


def _decades(values: Sequence[float]) -> dict[str, Any]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    places = [10.0**power for power in range(low, high + 1)]
    return {"type": "log", "tickvals": places, "ticktext": [f"{place:g}" for place in places]}
