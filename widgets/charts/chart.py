"""What the figures share: names that plotly cannot misread, colours that everybody can tell apart."""

from __future__ import annotations

import html
from typing import Any

from widgets.wording import short

# Okabe and Ito, "Color Universal Design", 2008.
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY = "#CC79A7", "#E69F00", "#56B4E9"
GREY = "#7f8c98"
"""Seen as well on a light as on a dark page."""

FAMILY_COLOURS = {
    "baseline": GREY,
    "quantization": BLUE,
    "structure": VERMILLION,
    "inference": GREEN,
    "training": PURPLE,
    "distillation": ORANGE,
}
VERDICT_COLOURS = {"kept": GREEN, "not proven": ORANGE, "lost": VERMILLION}
FAMILY_SHAPES = {
    "baseline": "circle",
    "quantization": "square",
    "structure": "diamond",
    "inference": "triangle-up",
    "training": "pentagon",
    "distillation": "hexagon",
}


def plain(name: str, longest: int = 28) -> str:
    """A name for a figure: plotly reads tags and entities in text, so none are left.

    ``%{x}`` is read only in templates, which our figures do not use.
    """
    return html.escape(short(name, longest), quote=False)


def family_of(technique: str | None) -> str:
    """The family that a variant's technique belongs to; ``baseline`` for none."""
    return "baseline" if technique is None else technique.partition(".")[0]


def whiskers(values: list[float], low: list[float], high: list[float], colour: str) -> dict[str, Any]:
    """Error bars to both ends of an interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, top - value) for value, top in zip(values, high, strict=True)],
        "arrayminus": [max(0.0, value - bottom) for value, bottom in zip(values, low, strict=True)],
        "color": colour,
        "thickness": 1.2,
        "width": 4,
    }


def chart(
    name: str,
    figure: dict[str, Any],
    summary: str,
    columns: list[dict[str, Any]],
    rows: list[list[str]],
    height: int,
) -> dict[str, Any]:
    """A picture with its name, what it says in a sentence, and the table behind it."""
    return {
        "name": name,
        "figure": figure,
        "summary": summary,
        "height": height,
        "table": {"caption": name, "columns": columns, "rows": rows},
    }


def column(title: object, *, numeric: bool = False) -> dict[str, Any]:
    """The head of a column of a table."""
    return {"title": str(title), "numeric": numeric}
