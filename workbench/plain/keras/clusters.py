"""k-means of single numbers: the values that the weights of a layer share."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Initialization = Literal["linear", "density", "k-means++"]

_MOST_ROUNDS = 300


def k_means(
    values: npt.NDArray[np.float32], count: int, initialization: Initialization, seed: int
) -> npt.NDArray[np.float32]:
    """The centroids of Lloyd's algorithm, in rising order.

    Numbers on a line are sorted once; a cluster is then an interval, and its mean a difference of prefix
    sums. So each round takes time of the number of clusters, not of the weights.

    Args:
        values: Weights of any shape.
        count: Number of clusters, at most; clusters that are left without members vanish.
        initialization: ``linear``: evenly from the smallest to the largest, which keeps large weights
            apart. ``density``: evenly over the sorted weights. ``k-means++``: at random, far from each other.
        seed: Seeds ``k-means++``.

    Returns:
        float32, shape ``(clusters,)``.

    Sources: Han et al., Deep Compression, 2016 (arXiv:1510.00149), section 3.2; Arthur and
    Vassilvitskii, k-means++, SODA 2007.
    """
    ordered = np.sort(values.ravel().astype(np.float64))
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    centers = np.unique(_first(ordered, count, initialization, np.random.default_rng(seed)))
    for _ in range(_MOST_ROUNDS):
        ends = np.searchsorted(ordered, (centers[1:] + centers[:-1]) / 2, side="right")
        ends = np.concatenate([[0], ends, [ordered.size]])
        members = np.diff(ends)
        filled = members > 0
        means = np.diff(sums[ends])[filled] / members[filled]
        if len(means) == len(centers) and np.array_equal(means, centers):
            break
        centers = means
    return np.unique(centers.astype(np.float32))


def _first(
    ordered: npt.NDArray[np.float64], count: int, initialization: Initialization, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    if initialization == "linear":
        return np.linspace(ordered[0], ordered[-1], count)
    if initialization == "density":
        return np.quantile(ordered, (np.arange(count) + 0.5) / count)
    centers = [rng.choice(ordered)]
    apart = (ordered - centers[0]) ** 2
    while len(centers) < count and apart.sum() > 0:
        centers.append(rng.choice(ordered, p=apart / apart.sum()))
        apart = np.minimum(apart, (ordered - centers[-1]) ** 2)
    return np.array(centers)


def nearest(values: npt.NDArray[np.float32], centers: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each value replaced by the nearest of the centers, which are in rising order."""
    middles = (centers[1:].astype(np.float64) + centers[:-1]) / 2
    return centers[np.searchsorted(middles, values, side="left")]


def clustered(
    weights: npt.NDArray[np.float32],
    count: int,
    initialization: Initialization,
    seed: int,
    *,
    keep_zeros: bool,
) -> npt.NDArray[np.float32]:
    """Weights with at most ``count`` distinct values.

    Args:
        weights: A weight matrix.
        count: Number of clusters, zero included where it is one.
        initialization: See :func:`k_means`.
        seed: Seeds ``k-means++``.
        keep_zeros: Whether zero is a cluster of its own, which only the zeros belong to.
    """
    chosen = weights != 0 if keep_zeros else np.ones(weights.shape, bool)
    centers = k_means(weights[chosen], count - keep_zeros, initialization, seed)
    shared = weights.copy()
    shared[chosen] = nearest(weights[chosen], centers)
    return shared
