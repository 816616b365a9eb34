"""How far a number over samples, such as a mean error, may be from what a test split shows.

The same reckoning as for macro F1 (:mod:`workbench.measure.f1_intervals`), for any number that is made of
sums over samples: all samples get random weights, ``Dirichlet(1, ..., 1)``, as in the Bayesian bootstrap
(Rubin 1981), and each end also reckons with one further sample that nobody has seen, the worst one for that
end. What such a sample may be is what was seen, or what the caller says may come: an error has no largest
value, so of errors the largest one that was seen is taken.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from workbench.measure.records import Interval
from workbench.measure.scores import Floats

FEWEST_DRAWS, MOST_DRAWS = 1_000, 10_000
_NUMBERS = 8_000_000
"""So many random numbers are drawn for an interval, unless that would be too few or more than needed."""
_NUMBERS_AT_ONCE = 2_000_000
_MOST_ROWS = 20_000
"""More samples than these are summed up in so many random groups first."""

OfSums = Callable[[Floats], Floats]
"""Makes the number of sums over samples: ``(..., columns)`` to ``(...)``; a common factor changes nothing."""


def sample_interval(
    statistics: Floats,
    of_sums: OfSums,
    *,
    seed: int = 0,
    unseen: Floats | None = None,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    draws: int | None = None,
    weights: Floats | None = None,
) -> Interval:
    """A number over samples with its 95 % interval.

    Args:
        statistics: What each sample adds to the sums, shape ``(samples, columns)``, at least one sample.
        of_sums: Makes the number of the sums.
        seed: Seeds the weights.
        unseen: What a sample that nobody has seen may add, shape ``(kinds, columns)``, besides what was seen.
        bounds: Between which the number always lies.
        draws: Random weightings; by the number of samples if None.
        weights: How much each sample counts; once if None. What nobody has seen counts as much as the
            heaviest sample: the random weights are of samples, whatever each of them counts.
    """
    statistics = np.asarray(statistics, np.float64)
    if weights is not None:
        weights = np.asarray(weights, np.float64)
        statistics = statistics * weights[:, None]
        unseen = None if unseen is None else unseen * weights.max()
    rng = np.random.default_rng(seed)
    total = statistics.sum(axis=0)
    value = float(of_sums(total))
    kinds = statistics if unseen is None else np.concatenate([statistics, unseen])
    with_one = of_sums(total + kinds)
    worst = {side: kinds[int(np.argmax(side * with_one))] for side in (-1, 1)}

    rows = _grouped(statistics, rng)
    if draws is None:
        draws = int(np.clip(_NUMBERS // len(rows), FEWEST_DRAWS, MOST_DRAWS))
    step = max(1, _NUMBERS_AT_ONCE // len(rows))
    found: dict[int, list[Floats]] = {-1: [], 0: [], 1: []}
    for start in range(0, draws, step):
        size = min(step, draws - start)
        # Exponential variables are Dirichlet weights up to a factor, which the number does not see.
        sums = rng.standard_exponential((size, len(rows))) @ rows
        weight = rng.standard_exponential((size, 1))
        found[0].append(of_sums(sums))
        for side, one in worst.items():
            found[side].append(of_sums(sums + weight * one))
    lower, plain, upper = (np.concatenate(found[side]) for side in (-1, 0, 1))
    # Once for the value, once for the draws around it, as in f1_intervals.
    bias = 2 * (float(np.median(plain)) - value)
    low, high = float(np.quantile(lower, 0.025)) - bias, float(np.quantile(upper, 0.975)) - bias
    return Interval(value=value, low=max(bounds[0], min(low, value)), high=min(bounds[1], max(high, value)))


def _grouped(statistics: Floats, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    if len(statistics) <= _MOST_ROWS:
        return np.asarray(statistics, np.float64)
    order = rng.permutation(len(statistics))
    starts = np.linspace(0, len(statistics), _MOST_ROWS, endpoint=False).astype(int)
    grouped: npt.NDArray[np.float64] = np.add.reduceat(statistics[order], starts, axis=0)
    return grouped
