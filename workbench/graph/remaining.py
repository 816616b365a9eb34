"""How much of a model is left when its layers become narrower: counted on its graph, without Keras."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from workbench.graph.calls import read_config
from workbench.graph.units import UNREADABLE, units_of
from workbench.graph.widths import WIDTH_PARAMETER, plan_widths

_LENGTHS = frozenset(WIDTH_PARAMETER.values())


@dataclass(frozen=True)
class Left:
    """What is left of a model, as parts of it.

    Attributes:
        parameters: Weights.
        operations: Multiply-accumulates; None where a length is free.
    """

    parameters: float
    operations: float | None


def left_by_width(path: Path, factor: float, round_to: int, parameters: int) -> Left | None:
    """What scaling every width leaves; None where only building the narrower model tells.

    Args:
        path: A ``.keras`` file.
        factor: New width / old width.
        round_to: New widths are multiples of it.
        parameters: Weights of the model in all, those of layers that are not followed included.
    """
    try:
        return _left_by_width(path, path.stat().st_mtime_ns, factor, round_to, parameters)
    except UNREADABLE:
        return None


@lru_cache(maxsize=64)
def _left_by_width(path: Path, changed: int, factor: float, round_to: int, parameters: int) -> Left | None:
    plan = plan_widths(read_config(path), factor, round_to)
    new: dict[str, int] = {}
    old: dict[str, int] = {}
    for name, change in plan.changes.items():
        for key in _LENGTHS & change.keys():
            new[name], old[name] = change[key], plan.before[name][key]
    units = units_of(path)
    counts: list[int] = []
    followed: set[str] = set()
    for group in units.groups:
        widths = len(group.units) * group.channels
        wanted = {new[name] for name in (maker.path[-1] for maker in group.makers) if name in new}
        mine = {maker.path[-1] for maker in group.makers} & new.keys()
        if not wanted:
            counts.append(len(group.units))
            continue
        # What becomes narrower by some layers of a group only, or in part, is not counted like this.
        if len(wanted) > 1 or any(old[name] != widths for name in mine):
            return None
        counts.append(round(wanted.pop() / group.channels))
        followed |= mine
    if followed != new.keys():
        return None
    whole, gone = units.size(units.nothing()), units.channels.saved(counts)
    total = max(parameters, whole.parameters)
    if not total:
        return None
    return Left(
        parameters=1 - gone.parameters / total,
        operations=None if gone.macs is None or not whole.macs else 1 - gone.macs / whole.macs,
    )
