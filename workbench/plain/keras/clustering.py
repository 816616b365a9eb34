"""Gives a weight matrix a few shared values."""

from __future__ import annotations

import numpy as np

from .clusters import Initialization, clustered
from .kernels import Kernel
from .reclustering import ClusterConstraint
from .weight_values import WEIGHTS_PER_CLUSTER, is_sparse


def cluster_count(kernel: Kernel, clusters: int) -> int:
    """How many values a weight matrix can share: fewer than were asked for where it has few weights."""
    return min(clusters, int(np.prod(kernel.variable.shape)) // WEIGHTS_PER_CLUSTER)


def can_share_values(kernel: Kernel, clusters: int) -> bool:
    """Whether a weight matrix has more distinct values than it would share, and weights enough."""
    count = cluster_count(kernel, clusters)
    return count >= 2 and len(np.unique(kernel.variable.numpy())) > count


def share_values(
    kernel: Kernel,
    clusters: int,
    initialization: Initialization = "linear",
    seed: int = 0,
    *,
    moving: bool = False,
) -> ClusterConstraint | None:
    """Replaces each weight by the nearest of a few values, found by k-means; zeros of a sparse one stay.

    Args:
        kernel: The weight matrix.
        clusters: Number of values, at most.
        initialization: See :func:`~.clusters.k_means`.
        seed: Seeds ``k-means++``.
        moving: Whether training may move a weight from one value to another.

    Returns:
        What moves them while the model trains; None unless they may move.
    """
    weights = kernel.variable.numpy()
    shared = clustered(
        weights, cluster_count(kernel, clusters), initialization, seed, keep_zeros=is_sparse(weights)
    )
    kernel.variable.assign(shared)
    return ClusterConstraint(kernel.variable, weights) if moving else None
