"""How often 95 % intervals of quality hold the truth: of macro F1, of its change, of the change of accuracy.

From a population whose truth is known, test splits of several sizes are drawn again and again. Beside the
workbench's intervals stands the plain bootstrap of the paired samples, to compare with. Of equally frequent
classes the change of macro F1 is hardly wider than that of accuracy, whose interval is Tango's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.measure.f1_intervals import f1_change_interval, macro_f1_interval
from workbench.measure.proportions import accuracy_change_interval
from workbench.measure.scores import macro_f1

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SAMPLES = (30, 100, 300, 1000, 10_000)
CHANGED = (0.0, 0.003, 0.01, 0.03, 0.1)
SHARES: dict[str, Floats] = {
    "2 classes": np.array([0.5, 0.5]),
    "2 classes, 90 : 10": np.array([0.9, 0.1]),
    "2 classes, 98 : 2": np.array([0.98, 0.02]),
    "10 classes": np.full(10, 0.1),
    "10 classes, 30 % to 1 %": np.array([0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.03, 0.02, 0.01]),
}
ACCURACY = 0.9
REPEATS = 300
DRAWS = 1000


@dataclass(frozen=True)
class Population:
    """How often a sample has a label and two predictions.

    Attributes:
        joint: Shape ``(classes, classes, classes)``: label, prediction before, prediction after.
    """

    joint: Floats

    @classmethod
    def of(
        cls, shares: Floats, changed: float, *, only_losses: bool, accuracy: float = ACCURACY
    ) -> Population:
        """Mistakes and changes go to the other classes by their shares.

        Args:
            shares: Of the classes.
            changed: Share of the samples whose prediction changes.
            only_losses: Whether only right predictions change; otherwise all equally.
            accuracy: Of the predictions before.
        """
        classes = len(shares)
        joint = np.zeros((classes,) * 3)
        for label, share in enumerate(shares):
            others = np.where(np.arange(classes) == label, 0, shares) / (1 - share)
            for before in range(classes):
                right = before == label
                mass = share * (accuracy if right else (1 - accuracy) * others[before])
                moves = changed / accuracy if only_losses and right else changed * (not only_losses)
                joint[label, before, before] += mass * (1 - moves)
                if right:
                    joint[label, before] += mass * moves * others
                elif classes == 2:
                    joint[label, before, label] += mass * moves
                else:  # of what was wrong, half becomes right
                    elsewhere = np.where(np.arange(classes) == before, 0, others)
                    joint[label, before, label] += mass * moves / 2
                    joint[label, before] += mass * moves / 2 * elsewhere / elsewhere.sum()
        return cls(joint)

    def f1(self, axis: int) -> float:
        """The true macro F1 before (axis 1) or after (axis 2)."""
        table = self.joint.sum(axis=3 - axis)
        return float(macro_f1(np.diag(table), table.sum(axis=1), table.sum(axis=0)))

    def draw(self, samples: int, rng: np.random.Generator) -> tuple[Integers, Integers, Integers]:
        """Labels, predictions before and after."""
        cells = np.repeat(np.arange(self.joint.size), rng.multinomial(samples, self.joint.ravel()))
        label, before, after = np.unravel_index(cells, self.joint.shape)
        return label, before, after


@dataclass
class Coverage:
    """Of one kind of interval, over many test splits."""

    hits: int = 0
    width: float = 0.0
    splits: int = 0

    def add(self, low: float, high: float, truth: float) -> None:
        self.hits += low - 1e-12 <= truth <= high + 1e-12
        self.width += high - low
        self.splits += 1

    @property
    def share(self) -> float:
        """Of the intervals, those that hold the truth."""
        return self.hits / self.splits

    @property
    def mean_width(self) -> float:
        return self.width / self.splits


def simulate(
    population: Population, samples: int, repeats: int, seed: int = 0, *, compare: bool = False
) -> dict[str, Coverage]:
    """Coverage of each kind of interval.

    Args:
        population: What test splits are drawn from.
        samples: In a test split.
        repeats: Test splits.
        seed: Seeds everything.
        compare: Whether the plain bootstrap is computed too.
    """
    rng = np.random.default_rng(seed)
    classes = len(population.joint)
    before_f1, after_f1 = population.f1(1), population.f1(2)
    right = np.arange(classes)
    accuracy = float(population.joint[right, :, right].sum() - population.joint[right, right].sum())
    found = {name: Coverage() for name in ("change", "f1", "accuracy", "bootstrap")}
    for repeat in range(repeats):
        label, before, after = population.draw(samples, rng)
        change = f1_change_interval(label, before, after, classes, seed=repeat, draws=DRAWS)
        found["change"].add(change.low, change.high, after_f1 - before_f1)
        one = macro_f1_interval(label, after, classes, seed=repeat, draws=DRAWS)
        found["f1"].add(one.low, one.high, after_f1)
        was, now = before == label, after == label
        lost, won = int((was & ~now).sum()), int((~was & now).sum())
        paired = accuracy_change_interval(lost, won, samples)
        found["accuracy"].add(paired.low, paired.high, accuracy)
        if compare:
            found["bootstrap"].add(*plain_bootstrap(label, before, after, classes, rng), after_f1 - before_f1)
    return found


def plain_bootstrap(
    label: Integers, before: Integers, after: Integers, classes: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The percentile interval of samples drawn with replacement, paired."""
    cells, counts = np.unique((label * classes + before) * classes + after, return_counts=True)
    drawn = rng.multinomial(len(label), counts / len(label), DRAWS).astype(np.float64)
    labelled, was, now = cells // classes**2, cells // classes % classes, cells % classes

    def sums(groups: Integers, which: npt.NDArray[np.bool_] | None = None) -> Floats:
        one_hot = groups[:, None] == np.arange(classes)
        chosen = one_hot if which is None else one_hot & which[:, None]
        return np.asarray(drawn @ chosen.astype(np.float64))

    ends = np.quantile(
        macro_f1(sums(labelled, now == labelled), sums(labelled), sums(now))
        - macro_f1(sums(labelled, was == labelled), sums(labelled), sums(was)),
        (0.025, 0.975),
    )
    return float(ends[0]), float(ends[1])


def cases() -> Iterator[tuple[str, bool, float, int]]:
    """Classes, whether only losses, share changed, samples."""
    for name in SHARES:
        for samples in SAMPLES:
            for changed in CHANGED:
                for only_losses in (False, True) if changed else (False,):
                    yield name, only_losses, changed, samples


def main() -> None:
    """Prints the table, and a summary of it."""
    print(
        "| classes | samples | changed | change of F1: covered, width in points | macro F1 | "
        "change of accuracy | plain bootstrap of the change of F1 |\n|---|---|---|---|---|---|---|"
    )
    rows: dict[tuple[str, int], list[tuple[float, dict[str, Coverage]]]] = {}
    for name, only_losses, changed, samples in cases():
        population = Population.of(SHARES[name], changed, only_losses=only_losses)
        found = simulate(population, samples, REPEATS, compare=True)
        rows.setdefault((name, samples), []).append((changed, found))
        what = f"{name} | {samples:,} | {100 * changed:g} %{', only losses' if only_losses else ''}"
        cells = [
            f"{100 * found[kind].share:.1f} %, {100 * found[kind].mean_width:.2f}"
            for kind in ("change", "f1", "accuracy", "bootstrap")
        ]
        print(f"| {what} | {' | '.join(cells)} |", flush=True)
    print(
        "\n| classes | samples | covered at least | width in points, 0.3 % changed | 10 % changed | "
        "plain bootstrap covers at least |\n|---|---|---|---|---|---|"
    )
    for (name, samples), several in rows.items():
        least = [min(one[kind].share for _, one in several) for kind in ("change", "bootstrap")]
        few, many = (
            next(one["change"].mean_width for changed, one in several if changed == wanted)
            for wanted in (0.003, 0.1)
        )
        print(
            f"| {name} | {samples:,} | {100 * least[0]:.0f} % | {100 * few:.2f} | {100 * many:.2f} | "
            f"{100 * least[1]:.0f} % |"
        )
    print(f"{REPEATS} test splits each: a true 95 % shows as {_expected(REPEATS)}.")


def _expected(repeats: int) -> str:
    half = 100 * 2.5 * math.sqrt(0.95 * 0.05 / repeats)
    return f"{95 - half:.1f} to {min(100.0, 95 + half):.1f} %"
