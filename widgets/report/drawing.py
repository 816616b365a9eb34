"""The trade-off chart as a drawing that needs no program: the scene of the page, as SVG."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

from widgets.charts.axes import Axis, Range
from widgets.charts.chart import FAMILY_SHAPES, GREY, VERDICT_COLOURS, family_of
from widgets.charts.scene import Mark, Scene
from widgets.charts.trade_off_figure import colour_of, mark_name
from widgets.report.markup import element

_WIDTH, _HEIGHT = 860, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 18, 14, 52
_MARK, _RING = 6.5, 11.0
_LETTER, _LINE = 6.3, 13.0
_CORNERS = {"square": 4, "diamond": 4, "triangle-up": 3, "pentagon": 5, "hexagon": 6}
_TURNS = {"square": 45.0, "diamond": 90.0, "triangle-up": 90.0, "pentagon": 90.0, "hexagon": 90.0}

_Box = tuple[float, float, float, float]


def drawing(picture: Scene, name: str) -> Element:
    """The scene, as an SVG element.

    Args:
        picture: What is shown.
        name: What it is called by programs that read aloud.
    """
    places = [(mark, *_place(picture, mark)) for mark in picture.marks]
    by_id = {mark.row.variant.id: (x, y) for mark, x, y in places}
    lines = [
        _line(*by_id[parent.row.variant.id], *by_id[child.row.variant.id], stroke=GREY, opacity=0.4)
        for parent, child in picture.lines
    ]
    return element(
        "svg",
        *_band(picture),
        *_grid(picture),
        *lines,
        *(one for mark, x, y in places for one in _whiskers(picture, mark, x, y)),
        *(one for mark, x, y in places for one in _drawn(mark, x, y)),
        *_names(places),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=name,
    )


def _position(axis: Axis, seen: Range, value: float, start: float, end: float) -> float:
    low, high = seen.low, seen.high
    if axis.logarithmic:
        low, high, value = (math.log10(max(one, 1e-12)) for one in (low, high, value))
    return start + (end - start) * min(1.0, max(0.0, (value - low) / (high - low)))


def _across(picture: Scene, value: float) -> float:
    return _position(picture.across, picture.x, value, _LEFT, _WIDTH - _RIGHT)


def _up(picture: Scene, value: float) -> float:
    return _position(picture.up, picture.y, value, _HEIGHT - _BOTTOM, _TOP)


def _place(picture: Scene, mark: Mark) -> tuple[float, float]:
    return _across(picture, mark.x.value), _up(picture, mark.drawn)


def _line(
    x1: float, y1: float, x2: float, y2: float, *, stroke: str, opacity: float = 1.0, width: float = 1.0
) -> Element:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    rounded = {name: round(value, 1) for name, value in ends.items()}
    return element("line", stroke=stroke, stroke_opacity=opacity, stroke_width=width, **rounded)


def _text(words: str, x: float, y: float, anchor: str = "middle", **more: object) -> Element:
    return element("text", words, x=round(x, 1), y=round(y, 1), text_anchor=anchor, font_size=12, **more)


def _band(picture: Scene) -> list[Element]:
    if picture.tolerance is None:
        return []
    edge = _up(picture, -picture.tolerance)
    green = VERDICT_COLOURS["kept"]
    return [
        element(
            "rect",
            x=_LEFT,
            y=_TOP,
            width=_WIDTH - _RIGHT - _LEFT,
            height=round(edge - _TOP, 1),
            fill=green,
            fill_opacity=0.1,
        ),
        element(
            "line",
            x1=_LEFT,
            x2=_WIDTH - _RIGHT,
            y1=round(edge, 1),
            y2=round(edge, 1),
            stroke=green,
            stroke_dasharray="6 4",
        ),
    ]


def _grid(picture: Scene) -> list[Element]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    drawn = []
    for value, words in picture.x.ticks:
        x = _across(picture, value)
        drawn += [_line(x, _TOP, x, bottom, stroke=GREY, opacity=0.2), _text(words, x, bottom + 18)]
    for value, words in picture.y.ticks:
        y = _up(picture, value)
        drawn += [_line(_LEFT, y, right, y, stroke=GREY, opacity=0.2), _text(words, _LEFT - 8, y + 4, "end")]
    middle = (_TOP + bottom) / 2
    return [
        *drawn,
        _text(str(picture.across.direction), (_LEFT + right) / 2, _HEIGHT - 10),
        _text(str(picture.up.direction), 0, 0, transform=f"translate(14 {middle:.1f}) rotate(-90)"),
    ]


def _whiskers(picture: Scene, mark: Mark, x: float, y: float) -> list[Element]:
    drawn = []
    if mark.x.low < mark.x.high:
        drawn.append(_line(_across(picture, mark.x.low), y, _across(picture, mark.x.high), y, stroke=GREY))
    if mark.y.low < mark.y.high and not mark.beyond:
        drawn.append(_line(x, _up(picture, mark.y.low), x, _up(picture, mark.y.high), stroke=GREY))
    return drawn


def _drawn(mark: Mark, x: float, y: float) -> list[Element]:
    colour = colour_of(mark.row, "verdict")
    fill = "#ffffff" if mark.unsure else colour
    shape = FAMILY_SHAPES.get(family_of(mark.row.variant.technique), "circle")
    looks = {"fill": fill, "stroke": colour, "stroke_width": 1.5}
    at = {"cx": round(x, 1), "cy": round(y, 1)}
    if shape in _CORNERS:
        count, turn = _CORNERS[shape], _TURNS[shape]
        angles = [math.radians(turn + 360 * corner / count) for corner in range(count)]
        reach = _MARK * 1.3
        corners = " ".join(
            f"{x + reach * math.cos(one):.1f},{y - reach * math.sin(one):.1f}" for one in angles
        )
        drawn = [element("polygon", points=corners, **looks)]
    else:
        drawn = [element("circle", r=_MARK, **at, **looks)]
    if mark.front:
        drawn.append(element("circle", r=_RING, fill="none", stroke=GREY, stroke_width=1.8, **at))
    if mark.unsure:
        drawn.append(_text("?", x, y + 4))
    return drawn


def _names(places: list[tuple[Mark, float, float]]) -> list[Element]:
    """Names beside their marks, over nothing else; one without room is left to the table."""
    taken: list[_Box] = [(x - _RING, y - _RING, x + _RING, y + _RING) for _, x, y in places]
    drawn = []
    for mark, x, y in sorted(places, key=lambda place: not place[0].front):
        words = mark_name(mark)
        length = _LETTER * sum(2 if ord(letter) > 0x2E80 else 1 for letter in words)
        for dx, dy, anchor in _SPOTS:
            left = x + dx - {"start": 0.0, "middle": length / 2, "end": length}[anchor]
            box = (left, y + dy - _LINE + 3, left + length, y + dy + 3)
            inside = box[0] >= _LEFT and box[2] <= _WIDTH and box[1] >= 0 and box[3] <= _HEIGHT - _BOTTOM + 8
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                drawn.append(_text(words, x + dx, y + dy, anchor))
                break
    return drawn


_SPOTS = [
    (dx * far, dy * far + lift, anchor)
    for far in (1.0, 1.9, 3.0)
    for dx, dy, lift, anchor in (
        (0.0, -14.0, 0.0, "middle"),
        (14.0, 0.0, 4.0, "start"),
        (-14.0, 0.0, 4.0, "end"),
        (0.0, 14.0, 10.0, "middle"),
    )
]


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
