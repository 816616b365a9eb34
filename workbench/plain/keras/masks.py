"""Which weights are set to zero: magnitude masks, N:M masks, and the schedule between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
"""True where a weight stays."""


Ranking = Literal["adaptive", "all layers", "each layer"]


def magnitude_masks(weights: Sequence[npt.NDArray[np.float32]], share: float, ranking: Ranking) -> list[Mask]:
    """Masks that remove the smallest weights by absolute value.

    Args:
        weights: Weight matrices.
        share: The part to remove, 0 to 1.
        ranking: ``all layers`` ranks all weights in one list, ``each layer`` removes the same share from
            each matrix, ``adaptive`` ranks all by :func:`adaptive_scores`.

    Returns:
        One mask for each. Every matrix keeps one weight at least: a layer without weights cuts the network.
    """
    if ranking == "each layer":
        return [magnitude_masks([one], share, "all layers")[0] for one in weights]
    scores = np.concatenate(
        [adaptive_scores(one) if ranking == "adaptive" else np.abs(one).ravel() for one in weights]
    )
    flat = np.ones(scores.size, bool)
    # A stable order: of equal weights, as clustered ones are, exactly as many go as are asked for.
    flat[np.argsort(scores, kind="stable")[: round(share * scores.size)]] = False
    masks = np.split(flat, np.cumsum([one.size for one in weights])[:-1])
    for one, mask in zip(weights, masks, strict=True):
        if not mask.any():
            mask[np.abs(one).argmax()] = True
    return [mask.reshape(one.shape) for one, mask in zip(weights, masks, strict=True)]


def adaptive_scores(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Scores that can be compared between layers: each weight's square over those of all not smaller.

    The largest weight of every layer scores 1, so that no layer is emptied, as ranking plain magnitudes
    does to layers whose weights are small.

    Source: Lee et al., Layer-adaptive sparsity for the magnitude-based pruning, 2021 (arXiv:2010.07611).
    """
    squares = weights.ravel().astype(np.float64) ** 2
    order = np.argsort(squares, kind="stable")
    left = np.cumsum(squares[order][::-1])[::-1]
    scores = np.empty_like(squares)
    scores[order] = squares[order] / np.maximum(left, np.finfo(np.float64).tiny)
    return scores


def pattern_mask(
    weights: npt.NDArray[np.float32], reduced: tuple[int, ...], keep: int, of: int
) -> Mask | None:
    """The mask that keeps the largest ``keep`` of each ``of`` neighbours along the input axis.

    Args:
        weights: A weight matrix.
        reduced: Its input axes.
        keep: How many stay.
        of: Out of how many.

    Returns:
        None where the inputs cannot be divided into groups of ``of``.
    """
    inputs = int(np.prod([weights.shape[axis] for axis in reduced])) if reduced else 0
    if inputs == 0 or inputs % of:
        return None
    others = [axis for axis in range(weights.ndim) if axis not in reduced]
    order = [*others, *reduced]
    groups = np.abs(weights).transpose(order).reshape(-1, of)
    rank = np.argsort(np.argsort(-groups, axis=1, kind="stable"), axis=1)
    mask = (rank < keep).reshape([weights.shape[axis] for axis in order])
    return np.ascontiguousarray(mask.transpose(np.argsort(order)))


def polynomial_share(final: float, progress: float, initial: float = 0.0) -> float:
    """Share of zeros along a gradual pruning: quick while many weights are superfluous, slow at the end.

    Source: Zhu and Gupta, To prune, or not to prune, 2017 (arXiv:1710.01878), equation 1.

    Args:
        final: Share at the end.
        progress: 0 at the start, 1 at the end.
        initial: Share at the start.
    """
    return final + (initial - final) * (1 - min(max(progress, 0.0), 1.0)) ** 3
