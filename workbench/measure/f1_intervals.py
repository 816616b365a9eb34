"""How far macro F1, or a change of it, may be from what a test split shows.

A bootstrap alone knows only of what happened: where no prediction changed, every resample says that none
ever will. Here each end of an interval also reckons with one further sample that nobody has seen, the worst
one for that end: of the class that weighs most in macro F1, right before and wrong after (for the upper end
the other way round). All samples and that one get random weights, ``Dirichlet(1, ..., 1)``, as in the
Bayesian bootstrap (Rubin 1981), and the end is a quantile of macro F1 under them.

For the mean of bounded values this is Gaffke's bound (Gaffke 2005, "Three test statistics for a
nonparametric one-sided hypothesis on the mean of a nonnegative variable"; Learned-Miller and Thomas 2020,
arXiv:1905.06208), for a share the exact one (Clopper and Pearson 1934): no change in ``n`` samples still
allows ``1 - 0.025^(1/n)``, about ``3.7 / n``. A class with few samples allows as much as they leave open.

Macro F1 of many classes with few samples each is too low on average, and lower again under random weights:
by as much, the bias, both are taken back (Efron 1979), else 1,000 classes in 10,000 samples are never
covered. ``python -m tests.benchmarks coverage`` shows what is covered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.measure.records import Interval
from workbench.measure.scores import Floats, Integers, among, macro_f1

FEWEST_DRAWS, MOST_DRAWS = 1_000, 10_000
"""Random weightings behind an interval; more of them where the table of predictions is small."""

_NUMBERS = 8_000_000
"""So many random numbers are drawn for an interval, unless that would be too few or more than needed."""
_NUMBERS_AT_ONCE = 2_000_000


def macro_f1_interval(
    labels: Integers,
    predictions: Integers,
    classes: int,
    *,
    seed: int = 0,
    occurring: Collection[int] | None = None,
    draws: int | None = None,
    weights: Floats | None = None,
    judged: Collection[int] = (),
) -> Interval:
    """Macro F1 with its 95 % interval; it has a width also where all samples are right, or none.

    Args:
        labels: Class indices, shape ``(n,)``, at least one.
        predictions: Class indices, shape ``(n,)``.
        classes: Number of classes.
        seed: Seeds the weights.
        occurring: The classes that a sample may have, whether or not the labels hold one; all if None.
        draws: Random weightings; by the size of the table of predictions if None.
        weights: How much each sample counts, above 0 for one at least; once if None.
        judged: The classes of the labels, where only some are measured: the mean is over these.
    """
    return _interval(labels, [(1, predictions)], classes, seed, occurring, draws, weights, judged)


def f1_change_interval(
    labels: Integers,
    before: Integers,
    after: Integers,
    classes: int,
    *,
    seed: int = 0,
    occurring: Collection[int] | None = None,
    draws: int | None = None,
    weights: Floats | None = None,
    judged: Collection[int] = (),
) -> Interval:
    """The change of macro F1 with its 95 % interval, paired by sample.

    Args:
        labels: Class indices, shape ``(n,)``, at least one.
        before: Class indices that the reference predicts, shape ``(n,)``.
        after: Class indices that the variant predicts, shape ``(n,)``.
        classes: Number of classes.
        seed: Seeds the weights.
        occurring: The classes that a sample may have, whether or not the labels hold one; all if None.
        draws: Random weightings; by the size of the table of predictions if None.
        weights: How much each sample counts, above 0 for one at least; once if None.
        judged: The classes of the labels, where only some are measured: the mean is over these.
    """
    return _interval(labels, [(-1, before), (1, after)], classes, seed, occurring, draws, weights, judged)


@dataclass(frozen=True)
class _Counts:
    """What macro F1 is made of, each of shape ``(..., classes)``."""

    right: Floats
    labelled: Floats
    predicted: Floats

    def with_sample(self, at: _Unseen, weight: Floats, *, right: bool) -> _Counts:
        """The same with the unseen sample, which is right or wrong here; weights of shape ``(...)``."""
        more = np.array(self.right), np.array(self.labelled), np.array(self.predicted)
        more[1][..., at.label] += weight
        if right:
            more[0][..., at.label] += weight
            more[2][..., at.label] += weight
        elif at.mistaken_for is not None:
            more[2][..., at.mistaken_for] += weight
        return _Counts(*more)

    @property
    def macro_f1(self) -> Floats:
        return macro_f1(self.right, self.labelled, self.predicted)


@dataclass(frozen=True)
class _Unseen:
    """A sample that nobody has seen: its label, and what it is mistaken for where it is wrong."""

    label: int
    mistaken_for: int | None


_Signed = Sequence[tuple[int, Integers]]


def _interval(
    labels: Integers,
    signed: _Signed,
    classes: int,
    seed: int,
    occurring: Collection[int] | None,
    draws: int | None,
    weights: Floats | None,
    judged: Collection[int],
) -> Interval:
    rows = np.stack([np.asarray(labels), *(among(predictions, judged, classes) for _, predictions in signed)])
    table, counts, weight_of = _combinations(rows, weights)
    signs = [sign for sign, _ in signed]
    observed = _tally((counts * weight_of)[None], table, classes)
    heaviest = float(weight_of.max())
    value = sum(sign * float(one.macro_f1[0]) for sign, one in zip(signs, observed, strict=True))
    possible = np.zeros(classes, bool)
    possible[table[0]] = True
    possible[range(classes) if occurring is None else list(occurring)] = True
    sides = [(side, _worst(observed, signs, side, possible, heaviest)) for side in (-1, 1)]

    if draws is None:
        draws = int(np.clip(_NUMBERS // len(counts), FEWEST_DRAWS, MOST_DRAWS))
    chunk = max(1, _NUMBERS_AT_ONCE // max(len(counts), classes))
    rng = np.random.default_rng(seed)
    found: dict[int, list[Floats]] = {-1: [], 0: [], 1: []}
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        # Gamma variables are Dirichlet weights up to a factor, which F1 does not see.
        drawn = _tally(rng.standard_gamma(counts, (size, len(counts))) * weight_of, table, classes)
        weight = rng.standard_exponential(size) * heaviest
        found[0].append(_total(signs, drawn))
        for side, at in sides:
            also = [
                one.with_sample(at, weight, right=sign * side > 0)
                for sign, one in zip(signs, drawn, strict=True)
            ]
            found[side].append(_total(signs, also))
    lower, plain, upper = (np.concatenate(found[side]) for side in (-1, 0, 1))
    # Once for the value, once for the draws around it.
    bias = 2 * (float(np.median(plain)) - value)
    low, high = float(np.quantile(lower, 0.025)) - bias, float(np.quantile(upper, 0.975)) - bias
    least = -1.0
    if len(signs) == 1:
        least = 0.0
        # A class that is predicted only, for which no sample stands, has F1 0 here and hardly where samples
        # of it come: it is no reason for the upper end to be low.
        labelled = int((observed[0].labelled[0] > 0).sum())
        high *= int((observed[0].labelled[0] + observed[0].predicted[0] > 0).sum()) / labelled
    return Interval(value=value, low=max(least, min(low, value)), high=min(1.0, max(high, value)))


def _combinations(
    rows: Integers, weights: Floats | None
) -> tuple[Integers, Integers, npt.NDArray[np.float64]]:
    """The different samples, how many there are of each, and how much one of each counts.

    Args:
        rows: Label and predictions, shape ``(1 + sets, samples)``.
        weights: How much each sample counts; once if None, not at all where it is 0.
    """
    if weights is None:
        table, counts = np.unique(rows, axis=1, return_counts=True)
        return table, counts, np.ones(len(counts))
    counted = np.asarray(weights) > 0
    levels, level = np.unique(np.asarray(weights, np.float64)[counted], return_inverse=True)
    table, counts = np.unique(np.vstack([rows[:, counted], level[None]]), axis=1, return_counts=True)
    return table[:-1], counts, levels[table[-1]]


def _total(signs: Sequence[int], sets: Sequence[_Counts]) -> Floats:
    """Macro F1, or its change, of each draw."""
    total: Floats = np.sum([sign * one.macro_f1 for sign, one in zip(signs, sets, strict=True)], axis=0)
    return total


def _worst(
    observed: Sequence[_Counts],
    signs: Sequence[int],
    side: int,
    possible: npt.NDArray[np.bool_],
    weight: float,
) -> _Unseen:
    """The unseen sample of a weight that moves the value furthest down (``side`` -1) or up (1)."""
    moved = np.zeros(len(possible))
    mistaken = np.full(len(possible), -1)
    for sign, one in zip(signs, observed, strict=True):
        right, either = one.right[0], one.labelled[0] + one.predicted[0]
        f1 = 2 * right / np.where(either > 0, either, 1)
        occurs = either > 0
        others = f1.sum() - f1
        number = occurs.sum() + ~occurs
        if sign * side > 0:
            total = others + 2 * (right + weight) / (either + 2 * weight)
        else:
            # It is taken for the class whose precision suffers most, or the next where that is its own.
            suffers = np.where(occurs, f1 - 2 * right / (either + weight), 0)
            order = np.argsort(-suffers, kind="stable")
            first, second = order[0], order[min(1, len(order) - 1)]
            mistaken = np.where(np.arange(len(f1)) == first, second, first)
            total = others + 2 * right / (either + weight) - suffers[mistaken]
            mistaken = np.where(occurs[mistaken], mistaken, -1)
        moved += sign * (total / number - f1.sum() / occurs.sum())
    label = int(np.argmax(np.where(possible, side * moved, -np.inf)))
    return _Unseen(label, int(mistaken[label]) if mistaken[label] >= 0 else None)


def _tally(weights: Floats, table: Integers, classes: int) -> list[_Counts]:
    """Sums weighted combinations (label, predictions...) for each set of predictions.

    Args:
        weights: Of each combination, shape ``(m, combinations)``.
        table: The combinations, shape ``(1 + sets, combinations)``; a prediction of ``classes`` is of none
            that is measured.
        classes: Number of classes.
    """
    labelled = _sum_by(weights, table[0], classes)
    return [
        _Counts(
            _sum_by(weights[:, predicted == table[0]], table[0][predicted == table[0]], classes),
            labelled,
            _sum_by(weights[:, predicted < classes], predicted[predicted < classes], classes),
        )
        for predicted in table[1:]
    ]


def _sum_by(weights: Floats, groups: Integers, size: int) -> Floats:
    """Sums the columns of ``weights`` that share a group: ``(m, columns)`` to ``(m, size)``."""
    sums = np.zeros((len(weights), size))
    if not len(groups):
        return sums
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)
    sums[:, present] = np.add.reduceat(weights[:, order], starts, axis=1)
    return sums
