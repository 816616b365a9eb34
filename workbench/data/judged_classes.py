"""Which classes are measured, where the user chose some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workbench.api.dataset import SplitName
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.data.labels import EncodedLabels
from workbench.data.raw import Array
from workbench.data.where import where


def judged_classes(
    names: Sequence[str] | None, labels: EncodedLabels, parts: Mapping[SplitName, Array]
) -> tuple[tuple[int, ...], tuple[Text, ...]]:
    """The classes that are measured, and what is to be said of it; nothing where all are.

    Args:
        names: As the user chose them.
        labels: How the data were read.
        parts: Labels of each split.

    Raises:
        InvalidInput: If there are no such classes, or no sample of any of them to be measured.
    """
    if not names:
        return (), ()
    if labels.task not in ("classification", "per position"):
        raise InvalidInput(
            say("Classes are chosen where each sample, or each position, has one class."),
            say("Leave the choice of classes empty."),
        )
    wanted = tuple(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in labels.classes]:
        raise InvalidInput(
            say("The data have no class {unknown}.", unknown=unknown[0][:60]),
            say(
                "Its classes are {classes}. Spell them as the data do: {where}.",
                classes=labels.classes[:30],
                where=where("only_classes"),
            ),
        )
    found = tuple(index for index, name in enumerate(labels.classes) if name in wanted)
    splits: tuple[SplitName, ...] = ("test", "validation")
    for split in splits:
        if not np.isin(parts[split], found).any():
            raise InvalidInput(
                say(
                    "The {split} split has no label of the classes {classes}.",
                    split=say("test") if split == "test" else say("validation"),
                    classes=wanted[:30],
                ),
                say("Choose others, or larger shares of these splits."),
            )
    test = parts["test"]
    counted = np.isin(test, found)
    if len(found) == len(labels.classes):
        return (), ()
    counts: dict[str, str | tuple[str, ...]] = {
        "count": f"{int(counted.sum()):,}",
        "all": f"{int((test >= 0).sum()):,}",
        "classes": wanted,
    }
    note = (
        say("Only the classes {classes} are measured: {count} of {all} labels of the test split.", **counts)
        if labels.task == "per position"
        else say("Only the classes {classes} are measured: {count} of {all} test samples.", **counts)
    )
    return found, (note, say("Trainings learn all classes."))
