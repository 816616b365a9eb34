"""What classes are called: short, printable, told apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from workbench.api.text import Text, say

LONGEST_CLASS_NAME = 80

# Marks that turn the direction of the text around them would scramble the page around a class name.
_DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def class_names(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[Text, ...]]:
    """Class names that can be shown: short, without control and direction marks, unique.

    Returns:
        The names and what was changed, in words.
    """
    shown: list[str] = []
    taken: set[str] = set()
    for name in names:
        clean = base = printable(name)
        number = 2
        while clean in taken:
            clean = f"{base} ({number})"
            number += 1
        taken.add(clean)
        shown.append(clean)
    changed = sum(before != after for before, after in zip(names, shown, strict=True))
    if not changed:
        return tuple(shown), ()
    return tuple(shown), (
        say(
            "{count} class name was shortened to {limit} characters or freed of control characters.",
            "{count} class names were shortened to {limit} characters or freed of control characters.",
            count=changed,
            limit=LONGEST_CLASS_NAME,
        ),
    )


def few(names: Sequence[str]) -> tuple[str, ...]:
    """The first ten of them, as they can be shown."""
    return (*(printable(str(name)) for name in names[:10]), *("…" for _ in names[10:11]))


def printable(name: str) -> str:
    """A name that can be shown: short, without control and direction marks."""
    name = _DIRECTION_MARKS.sub("", name[: 4 * LONGEST_CLASS_NAME])
    name = "".join("�" if unicodedata.category(char) in ("Cc", "Cs") else char for char in name)
    if len(name) > LONGEST_CLASS_NAME:
        name = name[: LONGEST_CLASS_NAME - 1] + "…"
    return name or "(empty)"


def numbering(levels: Sequence[str]) -> Text:
    """States which label got which class index."""
    mapping = ", ".join(f"{printable(level)} = {index}" for index, level in enumerate(levels[:20]))
    return say("Labels were numbered: {mapping}.", mapping=mapping + (", …" if len(levels) > 20 else ""))
