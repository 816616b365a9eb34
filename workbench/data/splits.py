"""Train, validation and test: stratified, seeded, disjoint, and large enough to mean something."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.data.dataset import SPLITS, SplitName
from workbench.errors import InvalidInput
from workbench.text import Text, say

SMALLEST_SPLIT = 10
"""A split with fewer samples says nothing about a model."""

Labels = dict[SplitName, npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Part:
    """Where the samples of one split come from.

    Attributes:
        source: The split of the source.
        index: Positions in it, in the order in which they are stored.
    """

    source: SplitName
    index: npt.NDArray[np.int64]


def divide(
    y: Labels, classes: tuple[str, ...], *, seed: int, test_fraction: float, validation_fraction: float
) -> tuple[dict[SplitName, Part], Text]:
    """Makes three splits.

    A split that the source has is kept as that split; a missing one is cut from the training split. Each
    class gives ``round(fraction * its samples)``, at least one, to each split that is cut. The order of
    train and of cut splits is shuffled, so that the first n samples are representative; a test split of
    the source keeps its order.

    Args:
        y: Class indices of the splits that the source has, with ``train`` among them.
        classes: Class names by index.
        seed: Seeds the shuffle; the same seed gives the same splits on every machine.
        test_fraction: Share of the training split that becomes test, if test is missing.
        validation_fraction: Share of the training split that becomes validation, if that is missing.

    Returns:
        The splits, and how they were made, in words.

    Raises:
        InvalidInput: If a split would be too small or lack a class.
    """
    wanted: dict[SplitName, float] = {"validation": validation_fraction, "test": test_fraction}
    fractions = {split: _fraction(split, fraction) for split, fraction in wanted.items() if split not in y}
    if sum(fractions.values()) >= 1:
        raise InvalidInput(
            say(
                "Validation ({validation:g}) and test ({test:g}) leave nothing to train on.",
                validation=validation_fraction,
                test=test_fraction,
            ),
            say("Their fractions must add up to less than 1."),
        )
    generator = np.random.default_rng(seed)
    parts = {split: Part(split, np.arange(len(labels))) for split, labels in y.items()}
    parts.update(_cut(y["train"], classes, fractions, generator))
    if "validation" in y:
        parts["validation"] = Part("validation", generator.permutation(len(y["validation"])))
    check(
        {split: y[part.source][part.index] for split, part in parts.items()},
        classes,
    )
    return {split: parts[split] for split in SPLITS}, _statement(fractions, seed)


def _cut(
    labels: npt.NDArray[np.int64],
    classes: tuple[str, ...],
    fractions: dict[SplitName, float],
    generator: np.random.Generator,
) -> dict[SplitName, Part]:
    wanted: dict[SplitName, list[npt.NDArray[np.int64]]] = {split: [] for split in (*fractions, "train")}
    for number, name in enumerate(classes):
        members = generator.permutation(np.flatnonzero(labels == number))
        if len(members) <= len(fractions):
            raise InvalidInput(
                say(
                    "Class {name} has {count} samples; at least {needed} are needed, one for each split.",
                    name=name,
                    count=len(members),
                    needed=len(fractions) + 1,
                ),
                say("Add samples of that class, or leave the class out."),
            )
        start = 0
        for position, (split, fraction) in enumerate(fractions.items()):
            # The splits still to come, and train, keep at least one sample each.
            most = len(members) - start - (len(fractions) - position)
            count = min(max(1, int(len(members) * fraction + 0.5)), most)
            wanted[split].append(members[start : start + count])
            start += count
        wanted["train"].append(members[start:])
    return {
        split: Part("train", generator.permutation(np.concatenate(piece))) for split, piece in wanted.items()
    }


def check(y: Labels, classes: tuple[str, ...]) -> None:
    """Makes sure that every split is large enough and has every class.

    Raises:
        InvalidInput: With the numbers.
    """
    for split in SPLITS:
        counts = np.bincount(y[split], minlength=len(classes))
        if len(y[split]) < SMALLEST_SPLIT:
            raise InvalidInput(
                say(
                    "The {split} split would have {count} samples; at least {needed} are needed.",
                    split=_split_text(split),
                    count=len(y[split]),
                    needed=SMALLEST_SPLIT,
                ),
                say("Add samples or give that split a larger share."),
            )
        empty = np.flatnonzero(counts == 0)
        if len(empty):
            raise InvalidInput(
                say(
                    "{missing} of {classes} classes have no sample in the {split} split: {names}.",
                    missing=len(empty),
                    classes=len(classes),
                    split=_split_text(split),
                    names=", ".join(classes[number] for number in empty[:5])
                    + (", …" if len(empty) > 5 else ""),
                ),
                say("Every class must occur in every split."),
            )


def _fraction(split: SplitName, fraction: float) -> float:
    if not 0 < fraction < 1:
        raise InvalidInput(
            say(
                "The {split} fraction is {fraction}; it must be above 0 and below 1.",
                split=_split_text(split),
                fraction=fraction,
            )
        )
    return fraction


def _split_text(split: SplitName) -> Text:
    return {"train": say("training"), "validation": say("validation"), "test": say("test")}[split]


def _statement(fractions: dict[SplitName, float], seed: int) -> Text:
    if len(fractions) == 2:
        return say(
            "Validation ({validation:.0%}) and test ({test:.0%}) were cut from the data by class, "
            "with seed {seed}.",
            validation=fractions["validation"],
            test=fractions["test"],
            seed=seed,
        )
    if "validation" in fractions:
        return say(
            "The test split is the source's own; validation ({validation:.0%}) was cut from train by class, "
            "with seed {seed}.",
            validation=fractions["validation"],
            seed=seed,
        )
    if "test" in fractions:
        return say(
            "The validation split is the source's own; test ({test:.0%}) was cut from train by class, "
            "with seed {seed}.",
            test=fractions["test"],
            seed=seed,
        )
    return say("The three splits are the source's own.")
