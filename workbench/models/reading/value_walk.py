"""What a walk backwards through a graph needs, whatever kind of file the graph is in."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, TypeVar

from workbench.models.reading.value_range import (
    UNKNOWN,
    Values,
    added,
    divided,
    either,
    exponential,
    largest,
    logarithm,
    multiplied,
    negated,
    raised,
    smallest,
)

_DEEPEST = 150
"""Operations behind an output that are followed: more are no tail of it."""

Place = TypeVar("Place", bound=Hashable)
"""What tells the tensors of a graph apart."""

Arithmetic = Literal[
    "add",
    "subtract",
    "maximum",
    "minimum",
    "multiply",
    "divide",
    "negative",
    "where",
    "square root",
    "square",
    "power",
    "exponential",
    "logarithm",
]
"""Operations on numbers that stand in the same place of each argument: the sum along an axis is none."""


class KnownValues(dict[Place, Values]):
    """What one walk has found, by tensor; it is kept, as graphs share tensors and may hold loops.

    Example::

        if known.begin(name):
            known.end(name, follow(makers[name]))  # asks for the values of its arguments likewise
        return known[name]
    """

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def begin(self, place: Place) -> bool:
        """Whether what makes a tensor is to be followed: it is neither known nor too far from the output.

        Until that has ended its values are unknown.
        """
        if place in self:
            return False
        self[place] = UNKNOWN
        if self._depth == _DEEPEST:
            return False
        self._depth += 1
        return True

    def end(self, place: Place, values: Values) -> None:
        """What was found of a tensor that had to be followed."""
        self[place] = values
        self._depth -= 1


def calculated(operation: Arithmetic | None, every: Sequence[Values]) -> Values:
    """What an operation of arithmetic makes of its arguments; unknown where it is none.

    Args:
        operation: Which.
        every: What is known of its arguments.
    """
    match operation, tuple(every):
        case "add", (_, *_):
            return added(every)
        case "subtract", (first, second):
            return added([first, negated(second)])
        case "maximum", (_, *_):
            return largest(every)
        case "minimum", (_, *_):
            return smallest(every)
        case "multiply", (_, *_):
            return multiplied(every)
        case "divide", (first, second):
            return divided(first, second)
        case "negative", (first,):
            return negated(first)
        case "where", (_, first, second):
            return either([first, second])
        case "square root", (first,):
            return raised(first, 0.5)
        case "square", (first,):
            return raised(first, 2.0)
        case "power", (first, second) if second.constant is not None:
            return raised(first, second.constant)
        case "exponential", (first,):
            return exponential(first)
        case "logarithm", (first,):
            return logarithm(first)
        case _:
            return UNKNOWN
