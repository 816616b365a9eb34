"""Puts classes into the order that is wanted, where their names hold numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.api.dataset import SplitName
from workbench.api.text import Text, say
from workbench.data.class_names import numbering
from workbench.data.class_order import ClassOrder, in_order, sorting, whole_numbers
from workbench.data.raw import Array, RawData


def in_wanted_order(
    raw: RawData,
    values: dict[SplitName, Array],
    names: tuple[str, ...],
    numbered: Text,
    order: ClassOrder | None,
) -> tuple[RawData, dict[SplitName, Array], tuple[Text, ...]]:
    """The data whose classes the source has numbered by their names, in the order that is wanted."""
    wanted = names if order is None or sorting(names) is None else in_order(names, order)
    if wanted == names:
        return raw, values, (numbered,)
    number = np.array([wanted.index(name) for name in names], np.int64)
    renumbered = {split: number[labels] for split, labels in values.items()}
    return replace(raw, classes=wanted), renumbered, (numbering(wanted),)


def reordered(levels: list[object], order: ClassOrder) -> tuple[list[object], tuple[Text, ...]]:
    """Distinct labels, sorted anew, and how they were numbered, in words."""
    by_name = {str(level): level for level in levels}
    names = in_order(list(by_name), order)
    return [by_name[name] for name in names], (numbering(names),)


def levels_of_texts(
    levels: list[str], every: list[str], outputs: int | None
) -> tuple[list[object], tuple[Text, ...]]:
    """Of texts: in the order of their numbers where all are whole numbers, and numbers of outputs if so."""
    numbers = whole_numbers(every)
    if numbers is not None and outputs is not None and len(every) < outputs:
        first = 0 if min(numbers) >= 0 and max(numbers) < outputs else 1
        if min(numbers) >= first and max(numbers) < outputs + first:
            texts = dict(zip(numbers, every, strict=True))
            named = [texts.get(number, str(number)) for number in range(first, outputs + first)]
            told = say("Labels are the numbers of the model's {outputs} outputs, from 0.", outputs=outputs)
            return list(named), (told if first == 0 else numbering(named),)
    ordered = in_order(levels, "text" if numbers is None else "numbers")
    return list(ordered), (numbering(ordered),)
