"""The figure of the trade-off chart: marks, rings, lineage and the band of the baseline."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from widgets.charts.chart import (
    BLUE,
    FAMILY_COLOURS,
    FAMILY_SHAPES,
    GREY,
    VERDICT_COLOURS,
    family_of,
    plain,
    whiskers,
)
from widgets.charts.expected import Expected
from widgets.charts.scene import Mark, Scene, doubt_of
from widgets.wording import (
    family_title,
    latency_words,
    points,
    quality_chip,
    short,
    size,
    size_chip,
    speed_chip,
)
from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.results.rows import ResultRow

_MARK_PIXELS = 13
_RING_PIXELS = 21
_POINTED_PIXELS = 31
"""Of the ring around the selected one, and of the thin one around what it is compared with."""


def trade_off_figure(
    picture: Scene, selected: str | None = None, compared: str | None = None, by: str = "verdict"
) -> dict[str, Any]:
    """The figure, as plotly's JSON.

    Args:
        picture: What is shown.
        selected: Identifier of the variant to mark.
        compared: Identifier of the one that it is compared with.
        by: What colours tell: ``verdict`` or ``family``.
    """
    traces = [
        *([_expected(picture)] if picture.expected else []),
        _lineage(picture),
        _rings(picture),
        _pointed(picture, selected, 3.5),
        _pointed(picture, compared, 1.5),
    ]
    families = dict.fromkeys(mark_family(mark) for mark in picture.marks)
    traces += [
        _marks(one, [mark for mark in picture.marks if mark_family(mark) == one], by) for one in families
    ]
    return {
        "data": traces,
        "layout": {
            # Where names have room is known on the page.
            "meta": {"names": [_name(mark, {selected, compared}) for mark in picture.marks]},
            "xaxis": _axis(picture, across=True),
            "yaxis": _axis(picture, across=False),
            "shapes": _band(picture),
            "showlegend": False,
            "margin": {"l": 8, "r": 16, "t": 10, "b": 8},
            "hovermode": "closest",
            "uirevision": f"{picture.across.key} {picture.up.key}",
        },
    }


def mark_id(mark: Mark) -> str:
    """The identifier of its variant."""
    return mark.row.variant.id


def mark_family(mark: Mark) -> str:
    """The family of the technique that made it."""
    return family_of(mark.row.variant.technique)


def colour_of(row: ResultRow, by: str) -> str:
    """The colour of a variant's mark.

    Args:
        row: The variant.
        by: What colours tell: ``verdict`` or ``family``.
    """
    if by == "family":
        return FAMILY_COLOURS.get(family_of(row.variant.technique), GREY)
    return GREY if row.quality_change is None else VERDICT_COLOURS[row.quality_change.word]


def _axis(picture: Scene, *, across: bool) -> dict[str, Any]:
    axis, seen = (picture.across, picture.x) if across else (picture.up, picture.y)
    ends = [seen.low, seen.high]
    return {
        "title": {"text": str(axis.direction), "font": {"size": 12}},
        "type": "log" if axis.logarithmic else "linear",
        "range": [math.log10(end) for end in ends] if axis.logarithmic else ends,
        "tickmode": "array",
        "tickvals": [tick for tick, _ in seen.ticks],
        "ticktext": [text for _, text in seen.ticks],
        "zeroline": False,
    }


def _band(picture: Scene) -> list[dict[str, Any]]:
    """Where F1 is kept: above the line of what it may fall; in a search, the corner that is asked for."""
    corner = picture.corner
    needed = None if corner is None else corner.x
    if picture.tolerance is None and needed is None:
        return []
    color = VERDICT_COLOURS["kept"]
    line = {"color": color, "width": 1.5, "dash": "dash"}
    least = picture.y.low if picture.tolerance is None else -picture.tolerance
    across: dict[str, Any] = {"xref": "paper", "x0": 0, "x1": 1, "layer": "below"}
    if needed is not None:  # of this axis more is better wherever something can be demanded
        across = {"x0": needed, "x1": picture.x.high, "layer": "below"}
    filled = {"y0": least, "y1": picture.y.high, "fillcolor": color, "opacity": 0.1, "line": {"width": 0}}
    shapes = [{"type": "rect", **across, **filled}]
    if picture.tolerance is not None:
        shapes.append({"type": "line", **across, "y0": least, "y1": least, "line": line, "opacity": 0.8})
    if needed is not None:
        up = {"x0": needed, "x1": needed, "y0": least, "y1": picture.y.high, "layer": "below"}
        shapes.append({"type": "line", **up, "line": line, "opacity": 0.8})
    return shapes


def _expected(picture: Scene) -> dict[str, Any]:
    """Hollow marks with thin intervals: nothing of them was measured."""
    x, y = [one.x.value for one in picture.expected], [one.y.value for one in picture.expected]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "hovertext": [
            f"<b>{plain(str(one.title), 60)}</b><br>{plain(str(expected_words(picture, one)), 140)}"
            for one in picture.expected
        ],
        "hoverinfo": "text",
        "opacity": 0.55,
        "error_x": whiskers(
            x, [one.x.low for one in picture.expected], [one.x.high for one in picture.expected], GREY
        ),
        "error_y": whiskers(
            y, [one.y.low for one in picture.expected], [one.y.high for one in picture.expected], GREY
        ),
        "marker": {
            "size": _MARK_PIXELS - 2,
            "color": GREY,
            "symbol": "circle-open-dot",
            "line": {"width": 1.2, "color": GREY},
        },
    }


def expected_words(picture: Scene, one: Expected) -> Text:
    """What is expected of something that was not tried yet."""
    return say(
        "expected, not tried yet: {across} {x} {x_ends}, {up} {y} {y_ends}",
        across=picture.across.title,
        x=picture.across.write(one.x.value),
        x_ends=picture.across.interval(one.x),
        up=picture.up.title,
        y=picture.up.write(one.y.value),
        y_ends=picture.up.interval(one.y),
    )


def _pointed(picture: Scene, variant: str | None, width: float) -> dict[str, Any]:
    """A wide ring around one variant."""
    return _circles(
        (mark for mark in picture.marks if mark_id(mark) == variant), _POINTED_PIXELS, BLUE, width
    )


def _circles(marks: Iterable[Mark], pixels: int, color: str, width: float) -> dict[str, Any]:
    """Rings around marks, which nothing points at."""
    around = list(marks)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [mark.x.value for mark in around],
        "y": [mark.drawn for mark in around],
        "hoverinfo": "skip",
        "cliponaxis": False,
        "marker": {
            "size": pixels,
            "color": color,
            "symbol": "circle-open",
            "line": {"width": width, "color": color},
        },
    }


def mark_name(mark: Mark) -> str:
    """What stands beside a mark: its name; at the edge, also how far out it is."""
    name = short(mark.row.variant.name, 22)
    if not mark.beyond:
        return name
    measure = measure_of(mark.row.variant.description.task)
    if measure.higher_is_better:
        return str(say("{name} ({change} points) ↓", name=name, change=points(mark.y.value)))
    return str(say("{name} ({change}%) ↓", name=name, change=measure.change(mark.y.value)))


def _name(mark: Mark, pointed: set[str | None]) -> dict[str, Any]:
    return {
        "x": mark.x.value,
        "y": mark.drawn,
        "text": plain(mark_name(mark), 44),
        "radius": _RING_PIXELS / 2,
        "first": mark.front or mark.row.variant.is_baseline or mark_id(mark) in pointed,
    }


def hover(mark: Mark) -> str:
    """What is said of a variant under the pointer; every number is written as everywhere."""
    row = mark.row
    lines = [f"<b>{plain(row.variant.name, 60)}</b>"]
    chips = [chip for chip in (size_chip(row), speed_chip(row), quality_chip(row)) if chip is not None]
    lines += [plain(str(chip.words), 90) for chip in chips]
    facts = [latency_words(row)]
    if row.size is not None:
        facts.insert(0, size(row.size.file_bytes))
    lines.append(" · ".join(fact for fact in facts if fact))
    doubt = doubt_of(row)
    if doubt is not None:
        lines.append(f"? {plain(str(doubt), 140)}")
    return "<br>".join(line for line in lines if line)


def _marks(family: str, marks: list[Mark], by: str) -> dict[str, Any]:
    x, y = [mark.x.value for mark in marks], [mark.drawn for mark in marks]
    shape = FAMILY_SHAPES.get(family, "circle")
    colours = [colour_of(mark.row, by) for mark in marks]
    # One at the edge has no whisker: its interval lies outside as well.
    ends = [(mark.drawn, mark.drawn) if mark.beyond else (mark.y.low, mark.y.high) for mark in marks]
    exact_x = all(mark.x.low == mark.x.high for mark in marks)
    exact_y = all(low == high for low, high in ends)
    low_x, high_x = [mark.x.low for mark in marks], [mark.x.high for mark in marks]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": str(say("Baseline") if family == "baseline" else family_title(family)),
        "x": x,
        "y": y,
        "cliponaxis": False,
        "customdata": [mark_id(mark) for mark in marks],
        "hovertext": [hover(mark) for mark in marks],
        "hoverinfo": "text",
        "text": ["?" if mark.unsure else "" for mark in marks],
        "textposition": "middle center",
        "textfont": {"size": 11},
        **({} if exact_x else {"error_x": whiskers(x, low_x, high_x, GREY)}),
        **(
            {}
            if exact_y
            else {"error_y": whiskers(y, [low for low, _ in ends], [high for _, high in ends], GREY)}
        ),
        "marker": {
            "size": [_MARK_PIXELS + 3 * mark.unsure for mark in marks],
            "color": colours,
            "symbol": [f"{shape}-open" if mark.unsure else shape for mark in marks],
            "line": {"width": [1.5 if mark.unsure else 0.5 for mark in marks], "color": colours},
        },
    }


def _lineage(picture: Scene) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    for parent, child in picture.lines:
        x += [parent.x.value, child.x.value, None]
        y += [parent.drawn, child.drawn, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "hoverinfo": "skip",
        "line": {"color": GREY, "width": 1},
        "opacity": 0.4,
    }


def _rings(picture: Scene) -> dict[str, Any]:
    return _circles((mark for mark in picture.marks if mark.front), _RING_PIXELS, GREY, 1.8)
