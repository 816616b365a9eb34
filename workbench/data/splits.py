"""Train, validation and test: stratified, seeded, disjoint, and large enough to mean something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import SPLITS, SplitName
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.data.where import where

SMALLEST_SPLIT = 10
"""A split with fewer samples says nothing about a model, and is made only if it is asked for."""

_USUAL: dict[SplitName, float] = {"validation": 0.1, "test": 0.2}
_MOST_SPARED = 0.25
"""Share of the training samples that a cut split may take to be large enough, if nothing is asked for."""

Labels = Mapping[SplitName, npt.NDArray[Any]]


@dataclass(frozen=True)
class SplitSource:
    """Where the samples of one split come from.

    Attributes:
        source: The split of the source.
        index: Positions in it, in the order in which they are stored.
    """

    source: SplitName
    index: npt.NDArray[np.int64]


def divide(
    y: Labels,
    classes: tuple[str, ...] | None,
    *,
    seed: int,
    test_fraction: float | None = None,
    validation_fraction: float | None = None,
) -> tuple[dict[SplitName, SplitSource], tuple[Text, ...]]:
    """Makes three splits.

    A split that the source has is kept as that split; a missing one is cut from the training split. Each
    class gives ``round(fraction * its samples)``, at least one if it has enough, to each split that is
    cut. The order of train and of cut splits is shuffled, so that the first n samples are representative;
    a test split of the source keeps its order.

    Args:
        y: Class indices of the splits that the source has, with ``train`` among them.
        classes: Class names by index; None where samples have no class, and are cut at random.
        seed: Seeds the shuffle; the same seed gives the same splits on every machine.
        test_fraction: Share of the training split that becomes test, if test is missing. None: a fifth, or
            what makes :data:`SMALLEST_SPLIT` samples if that is more.
        validation_fraction: Share of the training split that becomes validation, if that is missing. None:
            a tenth, or what makes :data:`SMALLEST_SPLIT` samples if that is more.

    Returns:
        The splits, and how they were made, in words.

    Raises:
        InvalidInput: If a split would be too small, or have samples of one class only.
    """
    by_class = classes is not None
    if classes is None:
        y, classes = {split: np.zeros(len(labels), np.int64) for split, labels in y.items()}, ("",)
    given: dict[SplitName, float | None] = {"validation": validation_fraction, "test": test_fraction}
    asked = {
        split: _fraction(split, fraction)
        for split, fraction in given.items()
        if split not in y and fraction is not None
    }
    fractions = {
        split: asked[split] if split in asked else _large_enough(y["train"], split, classes)
        for split in given
        if split not in y
    }
    if sum(fractions.values()) >= 1:
        raise InvalidInput(
            say(
                "Validation ({validation:g}) and test ({test:g}) leave nothing to train on.",
                validation=fractions.get("validation", 0.0),
                test=fractions.get("test", 0.0),
            ),
            say("Their fractions must add up to less than 1."),
        )
    generator = np.random.default_rng(seed)
    parts = {split: SplitSource(split, np.arange(len(labels))) for split, labels in y.items()}
    parts.update(_cut(y["train"], classes, fractions, generator))
    if "validation" in y:
        parts["validation"] = SplitSource("validation", generator.permutation(len(y["validation"])))
    remarks = check(
        {split: y[part.source][part.index] for split, part in parts.items()},
        classes,
        set(y),
        set(asked),
        by_class=by_class,
    )
    unused = tuple(
        say(
            "The share that was asked for the {split} split was not used: the source has one of its own.",
            split=split_text(split),
        )
        for split, fraction in given.items()
        if split in y and fraction is not None
    )
    return {split: parts[split] for split in SPLITS}, (
        _statement(fractions, seed, by_class=by_class),
        *unused,
        *remarks,
    )


def _large_enough(labels: npt.NDArray[np.int64], split: SplitName, classes: tuple[str, ...]) -> float:
    """The usual share, or a larger one that gives the split enough samples, if those can be spared."""
    members = np.bincount(labels, minlength=len(classes))
    usual = _USUAL[split]
    spared = int(len(labels) * _MOST_SPARED)
    for fraction in (usual, *(count / len(labels) for count in range(SMALLEST_SPLIT, spared + 1))):
        taken = np.minimum(np.maximum(1, np.floor(members * fraction + 0.5)), np.maximum(members - 2, 0))
        if fraction >= usual and taken.sum() >= SMALLEST_SPLIT:
            return fraction
    return usual


def _cut(
    labels: npt.NDArray[np.int64],
    classes: tuple[str, ...],
    fractions: dict[SplitName, float],
    generator: np.random.Generator,
) -> dict[SplitName, SplitSource]:
    wanted: dict[SplitName, list[npt.NDArray[np.int64]]] = {split: [] for split in (*fractions, "train")}
    for number in range(len(classes)):
        members = generator.permutation(np.flatnonzero(labels == number))
        start = 0
        for position, (split, fraction) in enumerate(fractions.items()):
            # The splits still to come, and train, keep at least one sample each.
            most = len(members) - start - (len(fractions) - position)
            count = max(0, min(max(1, int(len(members) * fraction + 0.5)), most))
            wanted[split].append(members[start : start + count])
            start += count
        wanted["train"].append(members[start:])
    return {
        split: SplitSource("train", generator.permutation(np.concatenate(piece)))
        for split, piece in wanted.items()
    }


def check(
    y: Labels, classes: tuple[str, ...], own: set[SplitName], asked: set[SplitName], *, by_class: bool = True
) -> tuple[Text, ...]:
    """Makes sure that every split is large enough to say something, and has at least two classes.

    Args:
        y: Class indices of the three splits.
        classes: Class names by index.
        own: Splits that the source has.
        asked: Splits whose share the user has chosen, which may be smaller.
        by_class: Whether samples have classes, of which at least two are needed.

    Returns:
        What the user should know, such as classes without a sample.

    Raises:
        InvalidInput: With the numbers.
    """
    remarks: list[Text] = []
    anywhere = np.bincount(np.concatenate([y[split] for split in SPLITS]), minlength=len(classes)) > 0
    if not anywhere.all():
        remarks.append(
            say(
                "{missing} of {classes} classes do not occur in the data: {names}.",
                missing=int((~anywhere).sum()),
                classes=len(classes),
                names=_few(classes, ~anywhere),
            )
        )
    for split in SPLITS:
        size, counts = len(y[split]), np.bincount(y[split], minlength=len(classes))
        if size < SMALLEST_SPLIT and split not in asked and not (split == "train" and asked):
            raise InvalidInput(
                say(
                    "The {split} split would have {count} sample; at least {needed} are needed.",
                    "The {split} split would have {count} samples; at least {needed} are needed.",
                    split=split_text(split),
                    count=size,
                    needed=SMALLEST_SPLIT,
                ),
                _larger(split, own),
            )
        occurring = np.flatnonzero(counts)
        if len(occurring) < 2 and (by_class or not len(occurring)):
            raise InvalidInput(
                say(
                    "The {split} split has {count} sample, of the class {name}.",
                    "The {split} split has {count} samples, all of the class {name}.",
                    split=split_text(split),
                    count=size,
                    name=classes[occurring[0]],
                )
                if len(occurring)
                else say("The {split} split has no sample.", split=split_text(split)),
                say("Every split needs samples of at least two classes: add some of the others.")
                if len(occurring)
                else _larger(split, own),
            )
        if size < SMALLEST_SPLIT:
            remarks.append(
                say(
                    "The {split} split has only {count} sample: what is measured on it says little.",
                    "The {split} split has only {count} samples: what is measured on them says little.",
                    split=split_text(split),
                    count=size,
                )
            )
        empty = (counts == 0) & anywhere
        if empty.any():
            remarks.append(
                say(
                    "{missing} of {classes} classes have no sample in the {split} split: {names}.",
                    missing=int(empty.sum()),
                    classes=len(classes),
                    split=split_text(split),
                    names=_few(classes, empty),
                )
            )
    return tuple(remarks)


def _few(classes: tuple[str, ...], chosen: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    numbers = np.flatnonzero(chosen)
    return (*(classes[number] for number in numbers[:5]), *("…" for _ in numbers[5:6]))


def _larger(split: SplitName, own: set[SplitName]) -> Text:
    """How a split gets more samples."""
    if split == "train":
        if len(own) == len(SPLITS):
            return say("Add training samples.")
        return say(
            "Add training samples, or give the other splits smaller shares: {where}.",
            where=where("test_fraction"),
        )
    if split in own:
        return say("Add samples to it, or leave it out: then it is cut from the training samples.")
    return say(
        "Add samples, or say which share it gets: {where}.",
        where=where("test_fraction" if split == "test" else "validation_fraction"),
    )


def _fraction(split: SplitName, fraction: float) -> float:
    if not isinstance(fraction, int | float) or not 0 < fraction < 1:
        raise InvalidInput(
            say(
                "The {split} fraction is {fraction}; it must be above 0 and below 1.",
                split=split_text(split),
                fraction=fraction,
            )
        )
    return fraction


def split_text(split: SplitName) -> Text:
    """What a split is called in a sentence."""
    return {"train": say("training"), "validation": say("validation"), "test": say("test")}[split]


def _statement(fractions: dict[SplitName, float], seed: int, *, by_class: bool) -> Text:
    if fractions and not by_class:
        return say(
            "Cut from the training samples at random, with seed {seed}: {splits}.",
            splits=tuple(
                say("{split} ({share:.0%})", split=split_text(split), share=share)
                for split, share in fractions.items()
            ),
            seed=seed,
        )
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
