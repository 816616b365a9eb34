"""The colours of layers: how much of a quantity each holds, in five steps, or which type its weights have."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from widgets.wording import digits
from workbench.api.text import say
from workbench.api.variant import Layer
from workbench.measure.inside.records import InsideLayer
from workbench.results.inside_words import error_words

_STEPS = 5
_WIDEST = 64
_CLEAN_DB = 60.0
"""An error of a thousandth: without colour."""

Cell = dict[str, Any]
Legend = list[dict[str, str]]


def paint_of(heat: float) -> str:
    """The name of the colour of a share of the most; empty for nothing."""
    if heat > 1:
        return f"heat-{_STEPS}"
    return f"heat-{math.ceil(heat * _STEPS) - 1}" if heat > 0 else ""


def paint_cells(cells: Sequence[Cell], write: Callable[[Any], str]) -> Legend:
    """Gives each cell its share of the most, and that share its colour.

    Args:
        cells: A column; ``order`` is the value, and ``before`` that of the counterpart, which may be more
            than the most here.
        write: Writes a value with its unit.

    Returns:
        Up to which value each colour stands.
    """
    most = max((cell["order"] or 0.0 for cell in cells), default=0.0)
    for cell in cells:
        cell["heat"] = max(0.0, cell["order"] or 0.0) / most if most > 0 else 0.0
        cell["paint"] = paint_of(cell["heat"])
        cell["paintBefore"] = paint_of((cell["before"] or 0.0) / most) if most > 0 else ""
    if most <= 0:
        return []
    whole = isinstance(most, int)
    bounds = [most * (step + 1) / _STEPS for step in range(_STEPS)]
    legend = [
        {"paint": f"heat-{step}", "words": f"≤ {write(int(bound) if whole else bound)}"}
        for step, bound in enumerate(bounds)
    ]
    if any(cell["paintBefore"] == f"heat-{_STEPS}" for cell in cells):
        legend.append({"paint": f"heat-{_STEPS}", "words": f"> {write(most)}"})
    return legend


def deepest(layers: Sequence[InsideLayer]) -> float:
    """The ratio of signal to noise, in decibels, that has the full colour: of the worst layer, or 0."""
    return min(
        (layer.own_db for layer in layers if layer.own_db is not None and layer.own_db < 0), default=0.0
    )


def error_legend(deep: float) -> Legend:
    """From which ratio of signal to noise on each colour stands.

    Args:
        deep: The ratio that has the full colour.
    """
    bounds = [_CLEAN_DB - (_CLEAN_DB - deep) * (step + 1) / _STEPS for step in range(_STEPS)]
    words = [f"≥ {digits(bound)} dB" for bound in bounds[:-1]] + [f"< {digits(bounds[-2])} dB"]
    return [{"paint": f"heat-{step}", "words": text} for step, text in enumerate(words)]


def error_cell(layer: InsideLayer, deep: float = 0.0) -> Cell:
    """The ratio of signal to noise, coloured by the error that arises here; the worst first.

    Args:
        layer: The layer.
        deep: The ratio that has the full colour; less than that there is none.
    """
    # Ten decibels more each are a tenth of the power of the error.
    heat = 0.0 if layer.own_db is None else max(0.0, (_CLEAN_DB - layer.own_db) / (_CLEAN_DB - deep))
    if layer.agreement == "not finite":
        heat = 1.0
    return {
        "words": [error_words(layer)],
        "heat": heat,
        "paint": paint_of(heat),
        "order": heat if layer.agreement in ("measured", "not finite", "equal") else None,
        "title": ""
        if layer.own_db is None
        else str(say("the error that arises here alone: {decibels} dB", decibels=digits(layer.own_db))),
    }


def precision_cell(layers: Sequence[Layer | None]) -> Cell:
    """The type of the weights of a layer, and of its counterpart; empty where it has none."""
    names = ["" if one is None or not one.parameters else one.precision for one in layers]
    bits, *others = map(_bits, names)
    return {
        "words": names,
        "order": bits,
        "heat": 0.0 if bits is None else min(1.0, bits / 32),
        "paint": "" if bits is None else f"bits-{bits}",
        "paintBefore": "" if others in ([], [None]) else f"bits-{others[0]}",
    }


def precision_legend(cells: Sequence[Cell]) -> Legend:
    """The types that there are; those of as many bits have one colour."""
    found: dict[int, list[str]] = {}
    for name in sorted({name for cell in cells for name in cell["words"]}):
        if (bits := _bits(name)) is not None:
            found.setdefault(bits, []).append(name)
    return [{"paint": f"bits-{bits}", "words": ", ".join(names)} for bits, names in sorted(found.items())]


def _bits(precision: str) -> int | None:
    """How many bits a number of a type takes, as one of the steps that have a colour."""
    number = re.search(r"\d+", precision)
    if number is None:
        return None
    return next((bits for bits in (4, 8, 16, 32) if int(number[0]) <= bits), _WIDEST)
