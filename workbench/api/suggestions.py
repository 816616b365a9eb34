"""What somebody may have meant by a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from workbench.api.text import Text, say

_ALIKE = 0.6
"""The least likeness, 0 to 1, that is worth a question."""


def meant(name: object, known: Iterable[str]) -> str | None:
    """The known name that a wrong one resembles most, or None.

    The last part of a name counts as well, so that ``int8`` finds ``quantization.int8``; capitals and
    the marks between words do not count.

    Args:
        name: What was given.
        known: The names that there are.
    """
    if not isinstance(name, str):
        return None
    wanted = _plain(name[:200])
    whole = {one: _plain(one) for one in known}
    last = {one: _plain(one.rpartition(".")[2]) for one in whole}
    for spellings in (whole, last):
        for one, spelling in spellings.items():
            if spelling == wanted:
                return one
    alike = {
        one: max(
            difflib.SequenceMatcher(None, wanted, spelling).ratio() for spelling in (whole[one], last[one])
        )
        for one in whole
    }
    best = max(alike, key=lambda one: alike[one], default=None)
    return best if best is not None and alike[best] >= _ALIKE else None


def with_suggestion(name: object, known: Iterable[str], action: Text) -> Text:
    """What to do next about a wrong name: the name that was meant, if there is one like it, comes first.

    Args:
        name: What was given.
        known: The names that there are.
        action: What to do in any case, such as the list of names.
    """
    suggestion = meant(name, known)
    return (
        action if suggestion is None else say("Did you mean {name}? {action}", name=suggestion, action=action)
    )


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "." else " " for letter in name.casefold())
