"""Student's t distribution: intervals from a few runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence


def t_975(freedom: int) -> float:
    """97.5 % quantile.

    Args:
        freedom: Degrees of freedom, from 1.
    """
    # Imported where it is used: the kernel, which only reads intervals, starts without it.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of a few runs and its 95 % interval.

    Args:
        values: One for each run.

    Returns:
        Mean, lower and upper end; both ends are NaN for a single run.
    """
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, math.nan, math.nan
    half = t_975(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half
