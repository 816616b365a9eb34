"""Rank correlation of two maps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt


def rank_correlation(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float | None:
    """Spearman's rank correlation, equal values having the mean of their ranks.

    Args:
        one: A map.
        other: A map of the same shape; places where either is not a number are left out.

    Returns:
        -1 to 1, exactly 1 for equal maps; None where a map has the same value everywhere.
    """
    first, second = (np.asarray(array, np.float64).ravel() for array in (one, other))
    known = ~(np.isnan(first) | np.isnan(second))
    a, b = (_centred_ranks(values[known]) for values in (first, second))
    # Twice a rank is a whole number, so these sums are exact, and that of equal maps is a square.
    spread = float(a @ a) * float(b @ b)
    return float(a @ b) / math.sqrt(spread) if spread > 0 else None


def _centred_ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    doubled = (2 * last - counts - len(values)).astype(np.float64)
    return doubled[place]
