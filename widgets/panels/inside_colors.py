"""The colours of layers: how much of a quantity each holds, in five steps, or which type its weights have."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from workbench.api.variant import Layer

_STEPS = 5
_WIDEST = 64

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


def error_legend(clean: float) -> Legend:
    """From which ratio of signal to noise on each colour stands.

    Args:
        clean: The ratio in decibels from which on nothing is coloured.
    """
    bounds = [clean * (_STEPS - 1 - step) / _STEPS for step in range(_STEPS)]
    words = [f"≥ {bound:.0f} dB" for bound in bounds[:-1]] + [f"< {bounds[-2]:.0f} dB"]
    return [{"paint": f"heat-{step}", "words": text} for step, text in enumerate(words)]


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
