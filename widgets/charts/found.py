"""What a technique found on its way, as a table with the picture that it asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from widgets.charts.chart import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, chart, column, plain
from widgets.wording import brief, count, digits, short
from workbench.api.text import Text, say
from workbench.api.variant import Cell, Table

_LINE_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_ROW_PIXELS = 24
_MOST_BARS = 60
_WIDE = 30
"""From this ratio of the largest to the smallest on, a heat map is shaded by magnitude."""


def found_chart(table: Table) -> dict[str, Any]:
    """One table of a report: with its figure, or (``figure`` is None) alone."""
    draw = {"bars": _bars, "line": _lines, "heatmap": _heatmap}
    figure = draw[table.picture](table) if table.picture is not None else None
    numeric = [_is_numeric([row[place] for row in table.rows]) for place in range(len(table.columns))]
    return chart(
        str(table.title),
        figure or {},
        _note(table),
        [column(title, numeric=number) for title, number in zip(table.columns, numeric, strict=True)],
        [[_words(cell) for cell in row] for row in table.rows],
        _height(table),
    ) | {"figure": figure}


def _note(table: Table) -> str:
    """What to see in it; with what a heat map's numbers and colours are, which stands on none of its axes."""
    notes = []
    if table.picture == "heatmap":
        notes.append(say("In each cell: {what}; the darker, the better.", what=table.columns[2]))
        if table.chosen is not None:
            notes.append(say("The framed one was chosen."))
    return " ".join(str(note) for note in (*notes, table.note) if note is not None)


def _words(cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return str(say("yes") if cell else say("no"))
    if isinstance(cell, int):
        return count(cell)
    if isinstance(cell, float):
        return digits(cell)
    return short(str(cell), 80)


def _number(cell: Cell) -> float | None:
    # JSON has no infinity, and plotly no place for it.
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not math.isfinite(cell):
        return None
    return float(cell)


def _is_numeric(cells: Sequence[Cell]) -> bool:
    there = [cell for cell in cells if cell is not None]
    return bool(there) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in there)


def _name(cell: Cell) -> str:
    return plain(str(cell) if isinstance(cell, Text | str) else _words(cell), 24)


def _height(table: Table) -> int:
    if table.picture == "bars":
        return max(120, 50 + _ROW_PIXELS * min(len(table.rows), _MOST_BARS))
    if table.picture == "heatmap":
        return max(180, 90 + 30 * len({str(row[0]) for row in table.rows}))
    return 260


def _bars(table: Table) -> dict[str, Any] | None:
    rows = [row for row in table.rows if _number(row[1]) is not None][:_MOST_BARS]
    if not rows:
        return None
    places = list(range(len(rows)))
    values = [_number(row[1]) for row in rows]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": values,
                "y": places,
                "marker": {"color": BLUE, "opacity": 0.85},
                "hovertext": [f"<b>{_name(row[0])}</b><br>{_words(row[1])}" for row in rows],
                "hoverinfo": "text",
            }
        ],
        "layout": {
            "xaxis": {"title": _title(table.columns[1]), "nticks": 6},
            "yaxis": {
                "range": [len(rows) - 0.5, -0.5],
                "tickmode": "array",
                "tickvals": places,
                "ticktext": [_name(row[0]) for row in rows],
                "showgrid": False,
            },
            "showlegend": False,
        },
    }


def _lines(table: Table) -> dict[str, Any] | None:
    if not table.rows:
        return None
    across = [row[0] for row in table.rows]
    numeric = _is_numeric(across)
    steps = [_number(cell) for cell in across] if numeric else list(range(len(across)))
    drawn = [
        place for place in range(1, len(table.columns)) if _is_numeric([row[place] for row in table.rows])
    ]
    positive = [step for step in steps if step is not None and step > 0]
    logarithmic = numeric and len(positive) == len(steps) and max(positive) >= 1000 * min(positive)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers" if len(steps) <= 60 else "lines",
                "name": plain(str(table.columns[place])),
                "x": steps,
                "y": [_number(row[place]) for row in table.rows],
                "line": {"color": _LINE_COLOURS[number % 6], "width": 2, "dash": _DASHES[number % 6]},
                "hoverinfo": "x+y+name",
            }
            for number, place in enumerate(drawn)
        ],
        "layout": {
            "xaxis": {
                "title": _title(table.columns[0]),
                **({"type": "log"} if logarithmic else {}),
                **({} if numeric else {"tickvals": steps, "ticktext": [_name(cell) for cell in across]}),
            },
            "yaxis": {"zeroline": False, "nticks": 5},
            "showlegend": len(drawn) > 1,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}},
            "margin": {"l": 8, "r": 12, "t": 26, "b": 4},
        },
    }


def _heatmap(table: Table) -> dict[str, Any] | None:
    values = {(_name(row[0]), _name(row[1])): row[2] for row in table.rows}
    down = list(dict.fromkeys(_name(row[0]) for row in table.rows))
    across = list(dict.fromkeys(_name(row[1]) for row in table.rows))
    if not values:
        return None
    cells = [[values.get((one, other)) for other in across] for one in down]
    axis = {"tickmode": "array", "showgrid": False, "zeroline": False}
    shades = _shades([[_number(cell) for cell in row] for row in cells])
    if table.better == "less":
        shades = [[None if shade is None else -shade for shade in row] for row in shades]
    return {
        "data": [
            {
                "type": "heatmap",
                "z": shades,
                # Words stay readable on both ends, on a dark page too.
                "colorscale": [[0, "rgba(0,114,178,0.10)"], [1, "rgba(0,114,178,0.55)"]],
                "xgap": 2,
                "ygap": 2,
                "showscale": False,
                "text": [["" if cell is None else _brief(cell) for cell in row] for row in cells],
                "texttemplate": "%{text}",
                "hovertext": [
                    [f"{one} · {other}<br><b>{_words(values.get((one, other)))}</b>" for other in across]
                    for one in down
                ],
                "hoverinfo": "text",
            }
        ],
        "layout": {
            "xaxis": {
                **axis,
                "tickvals": list(range(len(across))),
                "ticktext": across,
                "title": _title(table.columns[1]),
            },
            "yaxis": {**axis, "tickvals": list(range(len(down))), "ticktext": down, "autorange": "reversed"},
            "shapes": [] if table.chosen is None else [_frame(table.rows[table.chosen], down, across)],
        },
    }


def _frame(row: Sequence[Cell], down: list[str], across: list[str]) -> dict[str, Any]:
    x, y = across.index(_name(row[1])), down.index(_name(row[0]))
    line = {"color": VERMILLION, "width": 3}
    return {"type": "rect", "x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5, "line": line}


def _shades(cells: list[list[float | None]]) -> list[list[float | None]]:
    """By magnitude where the values span several, or all but one would look the same."""
    there = [cell for row in cells for cell in row if cell is not None]
    if not there or min(there) <= 0 or max(there) < _WIDE * min(there):
        return cells
    return [[None if cell is None else math.log10(cell) for cell in row] for row in cells]


def _brief(cell: Cell) -> str:
    number = _number(cell)
    return _words(cell) if number is None else brief(number)


def _title(words: Text) -> dict[str, Any]:
    return {"text": plain(str(words), 60), "font": {"size": 11}}


def findings(tables: Sequence[Table]) -> list[dict[str, Any]]:
    """The tables of a report in their order; two of one name are told apart."""
    charts = [found_chart(table) for table in tables]
    for number, one in enumerate(charts):
        if any(other["name"] == one["name"] for other in charts[:number]):
            one["name"] = short(f"{one['name']} ({number + 1})", 80)
    return charts
