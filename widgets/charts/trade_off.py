"""The trade-off: latency across, F1 up, bubbles by size; intervals, lineage, Pareto front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from widgets.assets import esm
from widgets.charts.chart import (
    FAMILY_COLOURS,
    FAMILY_SHAPES,
    GREEN,
    GREY,
    chart,
    column,
    family_of,
    plain,
    whiskers,
)
from widgets.component import Component, words
from widgets.wording import family_title, score, score_interval, short, size, time, time_interval
from workbench.results import ResultRow
from workbench.text import Text, say

_LARGEST_BUBBLE_PIXELS = 34
_SMALLEST_BUBBLE_PIXELS = 5


def measured(rows: Sequence[ResultRow]) -> list[ResultRow]:
    """The rows that have all three numbers, with a latency that can stand beside the others'."""
    return [row for row in rows if row.size and row.paired_ms and row.quality]


def trade_off_figure(rows: Sequence[ResultRow], selected: str | None = None) -> dict[str, Any]:
    """The figure, as plotly's JSON.

    Args:
        rows: The results; those without all three measurements are left out.
        selected: Identifier of the variant to ring.
    """
    shown = measured(rows)
    places = {row.variant.id: _place(row) for row in shown}
    largest = max((row.size.file_bytes for row in shown if row.size), default=1)
    traces = [_lineage(shown, places), _front(shown)]
    by_family = sorted(shown, key=lambda row: _family(row))
    traces += [_bubbles(family, list(group), largest) for family, group in groupby(by_family, _family)]
    ringed = next((row for row in shown if row.variant.id == selected), None)
    if ringed is not None:
        x, y = _place(ringed)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [x],
                "y": [y],
                "hoverinfo": "skip",
                "showlegend": False,
                "marker": {
                    "size": _diameter(ringed, largest) + 9,
                    "color": GREY,
                    "symbol": "circle-open",
                    "line": {"width": 2},
                },
            }
        )
    spread = [x for x, _ in places.values()]
    return {
        "data": traces,
        "layout": {
            # Where names have room is known on the page.
            "meta": {"names": [_name(row, largest) for row in shown]},
            "xaxis": {
                "title": {"text": str(say("latency, median (ms) ← faster")), "font": {"size": 12}},
                **(log_axis(spread) if is_wide(spread) else {"type": "linear", "rangemode": "tozero"}),
                "zeroline": False,
            },
            "yaxis": {
                "title": {"text": str(say("macro F1 (better ↑)")), "font": {"size": 12}},
                "zeroline": False,
                "nticks": 7,
            },
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemsizing": "constant"},
            "margin": {"l": 8, "r": 16, "t": 30, "b": 8},
            "hovermode": "closest",
        },
    }


def is_wide(values: Sequence[float]) -> bool:
    """Whether the small ones could not be told apart on an axis from zero."""
    return bool(values) and min(values) > 0 and max(values) > 8 * min(values)


def log_axis(values: Sequence[float], steps: tuple[int, ...] = (1, 2, 5)) -> dict[str, Any]:
    """A logarithmic axis around the values.

    Args:
        values: What is drawn, above zero.
        steps: The labelled values of each decade.
    """
    # plotly writes 0.2 as "2" on such an axis; every label is to be a number that can be read alone.
    low, high = math.log10(min(values)) - 0.2, math.log10(max(values)) + 0.2
    ticks = [
        digit * 10.0**power
        for power in range(math.floor(low), math.ceil(high) + 1)
        for digit in steps
        if low <= math.log10(digit * 10.0**power) <= high
    ]
    return {
        "type": "log",
        "range": [low, high],
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [f"{tick:g}" for tick in ticks],
    }


def _family(row: ResultRow) -> str:
    return family_of(row.variant.technique)


def _place(row: ResultRow) -> tuple[float, float]:
    assert row.paired_ms is not None
    assert row.quality is not None
    return row.paired_ms.value, row.quality.f1_macro.value


def _name(row: ResultRow, largest: int) -> dict[str, Any]:
    x, y = _place(row)
    return {
        "x": x,
        "y": y,
        "text": plain(row.variant.name, 22),
        "radius": _diameter(row, largest) / 2,
        "first": row.on_front or row.variant.parent is None,
    }


def _diameter(row: ResultRow, largest: int) -> float:
    assert row.size is not None
    return max(_LARGEST_BUBBLE_PIXELS * math.sqrt(row.size.file_bytes / largest), _SMALLEST_BUBBLE_PIXELS)


def _hover(row: ResultRow) -> str:
    assert row.paired_ms is not None
    assert row.quality is not None
    assert row.size is not None
    up = row.quality.f1_macro
    lines = [
        f"<b>{plain(row.variant.name, 60)}</b>",
        f"{time(row.paired_ms.value)} {time_interval(row.paired_ms)}",
        f"F1 {score(up.value)} {score_interval(up)}",
        size(row.size.file_bytes),
    ]
    if row.latency is not None and row.variant.parent is not None:
        lines.insert(2, str(own_latency(row)))
    return "<br>".join(lines)


def own_latency(row: ResultRow) -> Text:
    """The median of the run in which a variant was timed."""
    assert row.latency is not None
    p50 = row.latency.p50_ms
    return say("measured: {latency}", latency=f"{time(p50.value)} {time_interval(p50)}")


def _bubbles(family: str, rows: list[ResultRow], largest: int) -> dict[str, Any]:
    latency = [row.paired_ms for row in rows if row.paired_ms]
    quality = [row.quality.f1_macro for row in rows if row.quality]
    x, y = [one.value for one in latency], [one.value for one in quality]
    colour = FAMILY_COLOURS.get(family, GREY)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": str(say("Baseline") if family == "baseline" else family_title(family)),
        "x": x,
        "y": y,
        "cliponaxis": False,
        "customdata": [row.variant.id for row in rows],
        "hovertext": [_hover(row) for row in rows],
        "hoverinfo": "text",
        "error_x": whiskers(x, [one.low for one in latency], [one.high for one in latency], colour),
        "error_y": whiskers(y, [one.low for one in quality], [one.high for one in quality], colour),
        "marker": {
            "size": [row.size.file_bytes for row in rows if row.size],
            "sizemode": "area",
            "sizeref": 2 * largest / _LARGEST_BUBBLE_PIXELS**2,
            "sizemin": _SMALLEST_BUBBLE_PIXELS,
            "color": colour,
            "opacity": 0.75,
            "symbol": FAMILY_SHAPES.get(family, "circle"),
            "line": {"width": [2.5 if row.on_front else 0.5 for row in rows], "color": colour},
        },
    }


def _lineage(rows: list[ResultRow], places: dict[str, tuple[float, float]]) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    for row in rows:
        parent = places.get(row.variant.parent or "")
        if parent is not None:
            child = places[row.variant.id]
            x += [parent[0], child[0], None]
            y += [parent[1], child[1], None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "hoverinfo": "skip",
        "name": str(say("made from")),
        "line": {"color": GREY, "width": 1},
        "opacity": 0.55,
    }


def _front(rows: list[ResultRow]) -> dict[str, Any]:
    places = sorted(_place(row) for row in rows if row.on_front)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "hoverinfo": "skip",
        "name": str(say("Pareto front")),
        "line": {"color": GREEN, "width": 2, "dash": "dot"},
    }


class TradeoffChart(Component):
    """What each variant costs and what it gives.

    Args:
        workbench: A workbench, or the session of one.
    """

    _esm = esm("tradeOff")

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        rows = measured(self.session.rows)
        waiting = [row for row in self.session.rows if row not in rows]
        title = say("Trade-off")
        shown: dict[str, Any] = {
            "labels": words(CHART_LABELS),
            "title": str(title),
            "aside": str(
                say(
                    "bubble area = file size · whiskers = 95 % intervals · "
                    "latency = the baseline's divided by the speed-up"
                )
            ),
            "empty": None if rows else str(say("Appears with the first measured variant.")),
        }
        if rows:
            shown["chart"] = chart(
                str(title),
                trade_off_figure(rows, self.session.selected),
                " ".join(map(str, _summary(rows, waiting))),
                [
                    column(say("Variant")),
                    column(say("Latency"), numeric=True),
                    column(say("95 % interval"), numeric=True),
                    column(say("Measured p50"), numeric=True),
                    column(say("Macro F1"), numeric=True),
                    column(say("95 % interval"), numeric=True),
                    column(say("File"), numeric=True),
                    column(say("On the front")),
                ],
                [_cells(row) for row in rows],
                380,
            )
        return shown

    def act_select(self, variant: object = None) -> None:
        """Shows a variant's details."""
        self.session.select(variant)


CHART_LABELS = {"table": say("Show as table"), "picture": say("Show as picture")}


def _summary(rows: Sequence[ResultRow], waiting: Sequence[ResultRow]) -> list[Text]:
    def names(some: Sequence[ResultRow]) -> str:
        return ", ".join(short(row.variant.name) for row in some) or "–"

    said = [
        say(
            "Measured variants: {count}; on the Pareto front: {names}.",
            count=len(rows),
            names=names([row for row in rows if row.on_front]),
        )
    ]
    if waiting:
        said.append(say("Not measured yet: {names}", names=names(waiting)))
    return said


def _cells(row: ResultRow) -> list[str]:
    assert row.paired_ms is not None
    assert row.quality is not None
    assert row.size is not None
    return [
        short(row.variant.name),
        time(row.paired_ms.value),
        time_interval(row.paired_ms),
        "–" if row.latency is None else time(row.latency.p50_ms.value),
        score(row.quality.f1_macro.value),
        score_interval(row.quality.f1_macro),
        size(row.size.file_bytes),
        str(say("yes") if row.on_front else say("no")),
    ]
