"""How many units of each group stay, so that a target is met."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from .channels import Gone, Group, Scores

Counts = tuple[int, ...]
"""Units kept of each group."""
Wanted = Callable[[float], npt.NDArray[np.float64]]
"""Units to keep of each group, before rounding, at a level: 0 keeps all, 1 as few as allowed."""

HALVINGS = 24
MEASURED_HALVINGS = 5


def evenly(groups: Sequence[Group]) -> Wanted:
    """The same part of every group."""
    whole = np.array([len(group.units) for group in groups])
    return lambda level: whole * (1 - level)


def ranked(groups: Sequence[Group], scores: Scores, before: Gone | None = None) -> Wanted:
    """The units of highest score over all groups.

    Args:
        groups: The groups.
        scores: How important each unit is.
        before: Units that are gone already.
    """
    free = [group.units if before is None else group.units[~before[group.units]] for group in groups]
    group_of = np.repeat(np.arange(len(free)), [len(units) for units in free])
    order = np.argsort(scores[np.concatenate([np.empty(0, np.int64), *free])], kind="stable")
    group_of = group_of[order]

    def wanted(level: float) -> npt.NDArray[np.float64]:
        kept = group_of[round(level * len(group_of)) :]
        return np.bincount(kept, minlength=len(free)).astype(np.float64)

    return wanted


def rounded(groups: Sequence[Group], wanted: npt.NDArray[np.float64], most: Counts) -> Counts:
    """Allowed numbers of units near those that are wanted, and at most so many."""
    return tuple(
        min(have, max(group.fewest, math.floor(want / group.multiple + 0.5) * group.multiple))
        for want, group, have in zip(wanted, groups, most, strict=True)
    )


def search(
    groups: Sequence[Group], left: Callable[[Counts], float], part: float, wanted: Wanted, most: Counts
) -> Counts:
    """The numbers of units at which just a part of something is left, or a little less.

    Args:
        groups: The groups.
        left: What is left, as a part, when so many units of each group stay.
        part: How much may be left. That as few units as allowed leave no more is known before.
        wanted: How many units to keep at a level.
        most: Units that are there now.
    """
    low, high, above = 0.0, 1.0, most
    counts = rounded(groups, wanted(1.0), most)
    for _ in range(HALVINGS):
        level = (low + high) / 2
        tried = rounded(groups, wanted(level), most)
        if left(tried) <= part:
            high, counts = level, tried
        else:
            low, above = level, tried
    # Rounding makes groups of one width jump together: take back what was not needed.
    for at in range(len(counts)):
        tried = (*counts[:at], above[at], *counts[at + 1 :])
        if above[at] > counts[at] and left(tried) <= part:
            counts = tried
    return counts


def search_measured(
    groups: Sequence[Group], measured: Callable[[Counts], float], part: float, wanted: Wanted
) -> tuple[Counts, float]:
    """The numbers of units at which what is measured is at most a part; each measurement takes a while.

    Args:
        groups: The groups.
        measured: Measures a model of so many units of each group, relative to the whole one.
        part: How much may be left.
        wanted: How many units to keep at a level.

    Returns:
        The numbers, and what was measured: more than ``part`` if not even the fewest units meet it.
    """
    most = tuple(len(group.units) for group in groups)
    best = tuple(group.fewest for group in groups)
    ratio = measured(best)
    if ratio > part:
        return best, ratio
    low, high = 0.0, 1.0
    for _ in range(MEASURED_HALVINGS):
        level = (low + high) / 2
        counts = rounded(groups, wanted(level), most)
        found = measured(counts)
        if found <= part:
            high, best, ratio = level, counts, found
        else:
            low = level
    return best, ratio
