"""Student's t distribution: intervals from a few runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

# fmt: off
_QUANTILES = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
)
# fmt: on
_NORMAL = 1.95996
"""97.5 % quantile of the normal distribution."""


def t_975(freedom: int) -> float:
    """97.5 % quantile; beyond 20 degrees of freedom by the first terms of its series, 0.01 too small at most.

    Args:
        freedom: Degrees of freedom, from 1.

    Source: Abramowitz and Stegun, 26.7.5.
    """
    if freedom <= len(_QUANTILES):
        return _QUANTILES[freedom - 1]
    return _NORMAL + (_NORMAL**3 + _NORMAL) / (4 * freedom)


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
