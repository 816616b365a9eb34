"""What the values of a weight matrix say of it: whether it was made sparse, whether it was clustered."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

LEAST_ZEROS = 0.05
"""Share of zeros from which on a weight matrix counts as sparse: trained weights are never exactly zero."""
MOST_CLUSTERS = 256
"""Number of distinct values besides zero up to which a weight matrix counts as clustered."""
WEIGHTS_PER_CLUSTER = 4
"""Fewer weights than this per distinct value are no clusters, only few weights."""
_SAMPLE = 16_384


def nonzero_values(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The distinct values other than zero, in rising order."""
    return np.unique(values[values != 0])


def is_sparse(values: npt.NDArray[Any]) -> bool:
    """Whether a weight matrix was made sparse. One of zeros alone was not: it is new."""
    zeros = float(np.mean(values == 0))
    return LEAST_ZEROS <= zeros < 1


def is_clustered(values: npt.NDArray[Any]) -> bool:
    """Whether the weights of a matrix share few values. One value alone is no cluster: it is new."""
    if len(np.unique(values.ravel()[:_SAMPLE])) > MOST_CLUSTERS + 1:
        return False  # seen without sorting millions of weights
    return shares_values(len(np.unique(values)), values.size)


def shares_values(distinct: int, elements: int) -> bool:
    """Whether so few distinct values for so many weights are shared ones."""
    return 1 < distinct <= min(MOST_CLUSTERS + 1, elements // WEIGHTS_PER_CLUSTER)
