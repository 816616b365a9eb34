"""Size, latency and F1 of each variant as bars, with the baseline as a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from widgets.assets import esm
from widgets.charts.chart import FAMILY_COLOURS, GREY, chart, column, family_of, plain, whiskers
from widgets.charts.trade_off import CHART_LABELS, is_wide, log_axis, own_latency
from widgets.component import Component, words
from widgets.wording import score, score_interval, short, size, time, time_interval
from workbench.measure.records import Interval
from workbench.results import ResultRow
from workbench.text import Text, say

_ROW_PIXELS = 30


class Number(NamedTuple):
    """One number of a variant as it is drawn.

    Attributes:
        row: The variant.
        value: Length of the bar.
        low: Lower end of its interval.
        high: Upper end.
        words: The number as text.
        interval: The interval as text; None for an exact number.
        measured: What was measured, where ``value`` follows from it.
    """

    row: ResultRow
    value: float
    low: float
    high: float
    words: str
    interval: str | None
    measured: Text | None = None


def bar_figure(
    numbers: Sequence[Number], *, from_zero: bool = True, logarithmic: bool = False
) -> dict[str, Any]:
    """One figure, as plotly's JSON.

    Args:
        numbers: One per variant, drawn from top to bottom.
        from_zero: Whether lengths from zero are compared; otherwise places on the axis, as dots,
            because a bar that does not start at zero lies.
        logarithmic: Whether equal ratios are equal distances; then there is no zero.
    """
    places = list(range(len(numbers)))
    values = [one.value for one in numbers]
    bars: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": places,
        "width": 0.62,
        "hovertext": [
            "<br>".join(
                [f"<b>{plain(one.row.variant.name, 60)}</b>", f"{one.words} {one.interval or ''}"]
                + ([str(one.measured)] if one.measured else [])
            )
            for one in numbers
        ],
        "hoverinfo": "text",
        "showlegend": False,
        "marker": {
            "color": [FAMILY_COLOURS.get(family_of(one.row.variant.technique), GREY) for one in numbers],
            "opacity": 0.85,
        },
    }
    if not from_zero:
        bars = {key: value for key, value in bars.items() if key not in ("orientation", "width")}
        bars |= {"type": "scatter", "mode": "markers", "marker": {**bars["marker"], "size": 11}}
    if any(one.interval for one in numbers):
        bars["error_x"] = whiskers(values, [one.low for one in numbers], [one.high for one in numbers], GREY)
    baseline = next((one.value for one in numbers if one.row.variant.parent is None), None)
    line = {"color": GREY, "width": 1.5, "dash": "dot"}
    return {
        "data": [bars],
        "layout": {
            "xaxis": {
                "zeroline": False,
                **(
                    log_axis(values, (1,) if max(values) > 50 * min(values) else (1, 3))
                    if logarithmic
                    else {"rangemode": "tozero" if from_zero else "normal", "nticks": 4}
                ),
            },
            "yaxis": {
                "range": [len(numbers) - 0.5, -0.5],
                "tickmode": "array",
                "tickvals": places,
                "showgrid": False,
                "zeroline": False,
                "ticktext": [f"{plain(one.row.variant.name, 16)}  <b>{one.words}</b>" for one in numbers],
            },
            "shapes": []
            if baseline is None
            else [
                {
                    "type": "line",
                    "x0": baseline,
                    "x1": baseline,
                    "y0": 0,
                    "y1": 1,
                    "yref": "paper",
                    "line": line,
                }
            ],
            "bargap": 0.3,
            "margin": {"l": 8, "r": 14, "t": 4, "b": 4},
        },
    }


def _sizes(row: ResultRow) -> Number | None:
    if row.size is None:
        return None
    count = row.size.file_bytes
    return Number(row, count / 1000, count / 1000, count / 1000, size(count), None)


def _latencies(row: ResultRow) -> Number | None:
    if row.paired_ms is None:
        return None
    paired: Interval = row.paired_ms
    own = own_latency(row) if row.latency is not None and row.variant.parent is not None else None
    return Number(row, paired.value, paired.low, paired.high, time(paired.value), time_interval(paired), own)


def _qualities(row: ResultRow) -> Number | None:
    if row.quality is None:
        return None
    f1: Interval = row.quality.f1_macro
    return Number(row, f1.value, f1.low, f1.high, score(f1.value), score_interval(f1))


class BarsChart(Component):
    """Size, latency and F1 beside the baseline's.

    Args:
        workbench: A workbench, or the session of one.
    """

    _esm = esm("bars")

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        pictures: list[tuple[Text, Callable[[ResultRow], Number | None]]] = [
            (say("File size (kB)"), _sizes),
            (say("Latency, median (ms)"), _latencies),
            (say("Macro F1"), _qualities),
        ]
        charts = []
        for title, read in pictures:
            numbers = [number for row in self.session.rows if (number := read(row)) is not None]
            wide = read is _latencies and is_wide([one.value for one in numbers])
            if wide:
                title = say("Latency, median (ms, logarithmic)")
            if numbers:
                bars = read is not _qualities and not wide
                charts.append(_chart(str(title), numbers, from_zero=bars, logarithmic=wide))
        return {
            "labels": words(CHART_LABELS),
            "title": str(say("Against the baseline")),
            "aside": str(
                say(
                    "dotted line = baseline · whiskers = 95 % intervals · "
                    "latency = the baseline's divided by the speed-up"
                )
            ),
            "empty": None if charts else str(say("Appears with the first measured variant.")),
            "charts": charts,
        }


def _chart(title: str, numbers: list[Number], *, from_zero: bool, logarithmic: bool) -> dict[str, Any]:
    columns = [
        column(say("Variant")),
        column(title, numeric=True),
        column(say("95 % interval"), numeric=True),
    ]
    cells = [[short(one.row.variant.name), one.words, one.interval or str(say("exact"))] for one in numbers]
    if any(one.measured for one in numbers):
        columns.append(column(say("Measured p50"), numeric=True))
        for row, one in zip(cells, numbers, strict=True):
            row.append("–" if one.row.latency is None else time(one.row.latency.p50_ms.value))
    first = numbers[0]
    return chart(
        title,
        bar_figure(numbers, from_zero=from_zero, logarithmic=logarithmic),
        str(say("Baseline: {value}.", value=first.words)) if first.row.variant.parent is None else "",
        columns,
        cells,
        40 + _ROW_PIXELS * len(numbers),
    )
