"""Whether an answer is right, and if not, what helps: by what was answered, never by how long it took."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, NamedTuple

from workbench.api.text import Text, say, verbatim

Hints = Sequence[tuple[Any, str]]
"""Typical wrong answers, each a value or a function that knows it, with what helps who gave it."""


class Judgement(NamedTuple):
    """How an answer is judged.

    Attributes:
        passed: Whether it is right.
        hint: What helps, where it is not.
        given: The answer as it was given; empty where there was none.
    """

    passed: bool
    hint: Text | None = None
    given: str = ""


def judge(answer: Any, right: Any, hints: Hints = (), within: float = 0.005) -> Judgement:
    """Judges an answer.

    Args:
        answer: What the learner has; ``...`` or None where it is missing.
        right: The value that is right, or a function that tells whether an answer is.
        hints: What helps with typical wrong answers; the first that fits is shown.
        within: How far a number may be off, as a share of the right one.
    """
    if answer is ... or answer is None:
        return Judgement(False, say("There is no answer yet: put yours in place of the dots."))
    given = _shown(answer)
    expected = right if not callable(right) else None
    if expected is not None and (wrong := _other_kind(answer, expected)) is not None:
        return Judgement(False, wrong, given)
    if _fits(answer, right, within):
        return Judgement(True, given=given)
    hint = next((verbatim(words) for wrong, words in hints if _fits(answer, wrong, within)), None)
    return Judgement(False, hint or say("That is not it. Look at the numbers above once more."), given)


def _fits(answer: Any, known: Any, within: float) -> bool:
    if callable(known):
        return _holds(known, answer)
    if _is_number(known) and _is_number(answer):
        return math.isclose(answer, known, rel_tol=within, abs_tol=1e-12)
    if isinstance(known, str) and isinstance(answer, str):
        return answer.strip().casefold() == known.strip().casefold()
    return bool(type(answer) is type(known) and answer == known)


def _holds(known: Callable[[Any], Any], answer: Any) -> bool:
    try:
        return bool(known(answer))
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError):
        return False  # of an answer of a kind that nobody thought of


def _other_kind(answer: Any, right: Any) -> Text | None:
    kind = type(answer).__name__
    if _is_number(right) and not _is_number(answer):
        return say("A number is expected here. Received: {kind}.", kind=kind)
    if isinstance(right, str) and not isinstance(answer, str):
        return say("A text in quotes is expected here. Received: {kind}.", kind=kind)
    if isinstance(right, bool) and not isinstance(answer, bool):
        return say("True or False is expected here. Received: {kind}.", kind=kind)
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _shown(answer: Any) -> str:
    if _is_number(answer):
        return f"{float(answer):.4g}"
    return str(answer)[:200]
