"""In which order names of classes stand that hold numbers: 2 before 10, or as texts, where 10 comes first.

``LabelEncoder``, ``np.unique`` and Keras's folders of pictures sort texts; whoever turns them into numbers
first sorts numbers. Which of the two a model was trained with, only its answers tell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from workbench.api.text import Text, say

ClassOrder = Literal["numbers", "text"]

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(\.0*)?")
_DIGITS = re.compile(r"([0-9]+)")


def whole_numbers(names: Sequence[str]) -> list[int] | None:
    """The numbers that texts stand for, if all of them are whole ones and no two are alike.

    Args:
        names: Different texts.
    """
    if not all(_WHOLE.fullmatch(name) for name in names):
        return None
    numbers = [int(name.partition(".")[0]) for name in names]
    return numbers if len(set(numbers)) == len(numbers) else None


def in_order(names: Sequence[str], order: ClassOrder) -> tuple[str, ...]:
    """Names sorted as texts, or by the numbers in them.

    Args:
        names: Different texts.
        order: How.
    """
    as_text = sorted(names)
    if order == "text":
        return tuple(as_text)
    numbers = whole_numbers(as_text)
    if numbers is not None:
        return tuple(name for _, name in sorted(zip(numbers, as_text, strict=True)))
    return tuple(sorted(as_text, key=_parts))


def both_orders(names: Sequence[str]) -> bool:
    """Whether the two orders of these names differ."""
    return in_order(names, "text") != in_order(names, "numbers")


def sorting(names: tuple[str, ...]) -> ClassOrder | None:
    """In which of the two orders names stand; None if in neither."""
    orders: tuple[ClassOrder, ...] = ("numbers", "text")
    return next((order for order in orders if in_order(names, order) == names), None)


def other_order(order: ClassOrder) -> ClassOrder:
    """The one that is not taken."""
    return "text" if order == "numbers" else "numbers"


def order_text(order: ClassOrder) -> Text:
    """An order in words."""
    return say("by their numbers") if order == "numbers" else say("as texts")


def _parts(name: str) -> tuple[list[str | int], str]:
    # texts and numbers alternate, so that each is compared with its like; zeros in front decide at last
    parts = _DIGITS.split(name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name
