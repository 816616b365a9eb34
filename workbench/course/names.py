"""Learners' names: given by themselves, shown to others."""

from __future__ import annotations

import re
import unicodedata

from workbench.api.errors import InvalidInput
from workbench.api.text import say

LONGEST_NAME = 60
"""Characters of a learner's name."""

_BREAKS = frozenset({"Cc", "Zl", "Zp"})
_UNSEEN = frozenset({"Cf", "Cs", "Co", "Cn"})
_SPACES = re.compile(r"\s+")


def clean_name(name: object) -> str:
    """A learner's name as it is kept: one line without what would change how others are shown.

    Args:
        name: As it was given.

    Raises:
        InvalidInput: If nothing readable is left of it, or too much.
    """
    given = name if isinstance(name, str) else ""
    kinds = [(letter, unicodedata.category(letter)) for letter in given]
    # What breaks a line, and unseen marks of direction, would act on what stands beside the name.
    told = "".join(" " if kind in _BREAKS else letter for letter, kind in kinds if kind not in _UNSEEN)
    told = _SPACES.sub(" ", told).strip()
    if not told or len(told) > LONGEST_NAME:
        raise InvalidInput(say("A name has 1 to {most} letters.", most=LONGEST_NAME))
    return told


def file_name(name: str) -> str:
    """A learner's name as that of a file, which every system takes."""
    return re.sub(r"[^\w\-]+", "-", name).strip("-") or "learner"
