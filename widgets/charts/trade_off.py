"""The trade-off: two axes to choose, colour by verdict, intervals, lineage, the best ones ringed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.charts.axes import AXES
from widgets.charts.chart import (
    BLUE,
    FAMILY_COLOURS,
    FAMILY_SHAPES,
    GREY,
    VERDICT_COLOURS,
    chart,
    column,
    family_of,
    plain,
    whiskers,
)
from widgets.charts.scene import Mark, Scene, doubt_of, scene
from widgets.component import Component, words
from widgets.wording import (
    QUALITY_TONES,
    family_title,
    interval_words,
    latency_words,
    points,
    quality_chip,
    short,
    size,
    size_chip,
    speed_chip,
)
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.measure.records import QualityWord
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
        _lineage(picture),
        _rings(picture),
        _pointed(picture, selected, 3.5),
        _pointed(picture, compared, 1.5),
    ]
    families = dict.fromkeys(_family(mark) for mark in picture.marks)
    traces += [_marks(one, [mark for mark in picture.marks if _family(mark) == one], by) for one in families]
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


def _id(mark: Mark) -> str:
    return mark.row.variant.id


def _family(mark: Mark) -> str:
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
    """Where F1 is kept: above the line of what it may fall."""
    if picture.tolerance is None:
        return []
    across = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "layer": "below"}
    kept = {"y0": -picture.tolerance, "y1": picture.y.high, "fillcolor": VERDICT_COLOURS["kept"]}
    line = {"color": VERDICT_COLOURS["kept"], "width": 1.5, "dash": "dash"}
    edge = {"type": "line", "y0": -picture.tolerance, "y1": -picture.tolerance, "line": line}
    return [{**across, **kept, "opacity": 0.1, "line": {"width": 0}}, {**across, **edge, "opacity": 0.8}]


def _pointed(picture: Scene, variant: str | None, width: float) -> dict[str, Any]:
    """A wide ring around one variant."""
    here = [mark for mark in picture.marks if _id(mark) == variant]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [mark.x.value for mark in here],
        "y": [mark.drawn for mark in here],
        "hoverinfo": "skip",
        "cliponaxis": False,
        "marker": {
            "size": _POINTED_PIXELS,
            "color": BLUE,
            "symbol": "circle-open",
            "line": {"width": width, "color": BLUE},
        },
    }


def mark_name(mark: Mark) -> str:
    """What stands beside a mark: its name; at the edge, also how far out it is."""
    name = short(mark.row.variant.name, 22)
    if not mark.beyond:
        return name
    return str(say("{name} ({change} points) ↓", name=name, change=points(mark.y.value)))


def _name(mark: Mark, pointed: set[str | None]) -> dict[str, Any]:
    return {
        "x": mark.x.value,
        "y": mark.drawn,
        "text": plain(mark_name(mark), 44),
        "radius": _RING_PIXELS / 2,
        "first": mark.front or mark.row.variant.is_baseline or _id(mark) in pointed,
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
        "customdata": [_id(mark) for mark in marks],
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
    front = [mark for mark in picture.marks if mark.front]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [mark.x.value for mark in front],
        "y": [mark.drawn for mark in front],
        "hoverinfo": "skip",
        "cliponaxis": False,
        "marker": {
            "size": _RING_PIXELS,
            "color": GREY,
            "symbol": "circle-open",
            "line": {"width": 1.8, "color": GREY},
        },
    }


class TradeoffChart(Component):
    """What each variant costs and what it gives.

    Args:
        workbench: A workbench, or the session of one.

    Example:
        >>> chart = TradeoffChart(workbench)  # as the last line of a cell it is drawn
    """

    _esm = esm("tradeOff")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results", "selection", "axes", "goal"})

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        session = self.session
        across, up = session.axes
        picture = scene(session.rows, across, up, session.tolerance)
        title = say("Trade-off")
        shown: dict[str, Any] = {
            "labels": words(CHART_LABELS) | words(_LABELS),
            "title": str(title),
            # That there is nothing yet is said once, by the table.
            "empty": not session.rows,
            "x": across,
            "y": up,
            "by": session.coloured_by,
            "axes": [{"value": axis.key, "title": str(axis.title)} for axis in AXES.values()],
        }
        if session.rows:
            compared = session.compared if session.selected is not None else None
            figure = trade_off_figure(picture, session.selected, compared, session.coloured_by)
            summary = " ".join(map(str, summary_of(picture)))
            shown["chart"] = chart(str(title), figure, summary, *scene_table(picture), 380)
            shown["legend"] = legend(picture, session.coloured_by) + _legend_of_rings(
                picture, session.selected, compared
            )
        return shown

    def act_select(self, variant: object = None) -> None:
        """Shows a variant's details."""
        self.session.reveal(variant)

    def act_axes(self, x: object = None, y: object = None) -> None:
        """Chooses what is drawn across and up; what is taken from the other axis changes places with it."""
        before = self.session.axes
        if not (isinstance(x, str) and isinstance(y, str) and x in AXES and y in AXES):
            raise InvalidInput(say("There is no such axis."))
        if x == y:
            x, y = (x, before[0]) if x != before[0] else (before[1], y)
        self.session.draw(x, y)

    def act_colour(self, by: object = None) -> None:
        """Chooses what colours tell."""
        if by not in ("verdict", "family"):
            raise InvalidInput(say("Colours tell the verdict or the family."))
        self.session.colour(str(by))


CHART_LABELS = {
    "table": say("Show as table"),
    "picture": say("Show as picture"),
    "save": say("Save picture"),
}
_LABELS = {
    "x": say("across"),
    "y": say("up"),
    "by": say("colour"),
    "verdict": say("verdict on F1"),
    "family": say("family of technique"),
    "legend": say("Legend"),
}
_VERDICTS: dict[QualityWord, Text] = {
    "kept": say("F1 kept"),
    "not proven": say("not proven"),
    "lost": say("F1 lost"),
}


def legend(picture: Scene, by: str) -> list[dict[str, str]]:
    """What shapes, colours and lines mean: only of what is in the picture."""
    told = [
        {
            "kind": "shape",
            "name": family,
            "words": str(say("Baseline") if family == "baseline" else family_title(family)),
        }
        for family in dict.fromkeys(_family(mark) for mark in picture.marks)
    ]
    if by == "verdict":
        found = {mark.row.quality_change.word for mark in picture.marks if mark.row.quality_change}
        told += [
            {"kind": "verdict", "name": QUALITY_TONES[word], "words": str(text)}
            for word, text in _VERDICTS.items()
            if word in found
        ]
    if any(mark.front for mark in picture.marks):
        told.append({"kind": "ring", "name": "", "words": str(say("no other is better on both axes"))})
    if any(mark.unsure for mark in picture.marks):
        told.append({"kind": "unsure", "name": "", "words": str(say("the machine was busy: measure again"))})
    if picture.tolerance is not None:
        fall = round(100 * picture.tolerance, 2)
        most = say(
            "F1 falls by at most {count} point",
            "F1 falls by at most {count} points",
            count=int(fall) if fall == int(fall) else fall,
        )
        told.append({"kind": "band", "name": "", "words": str(most)})
    return told


def _legend_of_rings(picture: Scene, selected: str | None, compared: str | None) -> list[dict[str, str]]:
    names = {_id(mark): short(mark.row.variant.name, 22) for mark in picture.marks}
    told = []
    if selected in names:
        told.append(
            {"kind": "selected", "name": "", "words": str(say("selected: {name}", name=names[selected]))}
        )
    if compared in names:
        told.append(
            {
                "kind": "compared",
                "name": "",
                "words": str(say("compared with: {name}", name=names[compared])),
            }
        )
    return told


def summary_of(picture: Scene) -> list[Text]:
    """The picture in sentences."""

    def names(some: Sequence[ResultRow]) -> tuple[str, ...]:
        return tuple(short(row.variant.name) for row in some) or ("–",)

    said = [
        say(
            "Best on both axes: {names}.",
            names=names([mark.row for mark in picture.marks if mark.front]),
        )
    ]
    if picture.missing:
        said.append(say("Not in the picture, because a number is missing: {names}.",
                        names=names(picture.missing)))  # fmt: skip
    return said


def scene_table(picture: Scene) -> tuple[list[dict[str, Any]], list[list[str]]]:
    """The head and the rows of the table behind the picture."""
    columns = [
        column(say("Variant")),
        column(picture.across.title, numeric=True),
        column(say("95% interval"), numeric=True),
        column(picture.up.title, numeric=True),
        column(say("95% interval"), numeric=True),
        column(say("Latency"), numeric=True),
        column(say("File"), numeric=True),
        column(say("Best on both axes")),
    ]
    return columns, [
        [
            short(mark.row.variant.name),
            picture.across.write(mark.x.value) + (" ?" if mark.unsure else ""),
            interval_words(mark.x, picture.across.write),
            picture.up.write(mark.y.value),
            interval_words(mark.y, picture.up.write),
            latency_words(mark.row) or "–",
            size(mark.row.size.file_bytes) if mark.row.size is not None else "–",
            str(say("yes") if mark.front else say("no")),
        ]
        for mark in picture.marks
    ]
