"""What is kept of a lesson: what was predicted, what was checked, what was decided."""

from __future__ import annotations

import math
import re
from datetime import datetime

from pydantic import Field

from workbench.api.records import Record
from workbench.api.text import Text

MOST_WORDS = 200
"""Of a decision."""

_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"\w+(?:[.,:'’\-]\w+)*")


class Measured(Record):
    """What came out where something was predicted.

    Attributes:
        value: A number, or the key of the choice that turned out right; None where it could not be told.
        low: Lower end of its 95 % interval; None where it is exact, or a choice.
        high: Upper end, likewise.
        doubt: Why it is not believed, such as a processor that was busy with other work.
        when: When it was shown, UTC.
    """

    value: float | str | None
    low: float | None = None
    high: float | None = None
    doubt: Text | None = None
    when: datetime


class Prediction(Record):
    """What a learner thought would come out, before it was known. It is never changed.

    Attributes:
        key: Name of the lesson and of the question in it, with ``/`` between them.
        question: As it was asked, in the language of the lesson.
        answer: A number, or the key of a choice.
        said: The answer as it was shown, with its unit or in the words of the choice.
        locked: When, UTC.
        measured: What came out; None until that is known.
    """

    key: str
    question: str
    answer: float | str
    said: str
    locked: datetime
    measured: Measured | None = None

    @property
    def right(self) -> bool | None:
        """Whether it came out so: the choice, or a number in the interval; None until that is known.

        What is exact has no interval: within 1 % of it is right.
        """
        found = self.measured
        if found is None or found.value is None or found.doubt is not None:
            return None
        if isinstance(found.value, str) or isinstance(self.answer, str):
            return found.value == self.answer
        low = found.value if found.low is None else found.low
        high = found.value if found.high is None else found.high
        return low <= self.answer <= high or math.isclose(self.answer, found.value, rel_tol=0.01)


class Checked(Record):
    """How far a learner is with a check.

    Attributes:
        key: Name of the lesson and of the check in it, with ``/`` between them.
        passed: Whether the newest answer is right.
        answer: The newest answer, as it was given; empty where there was none.
        wrong_answers: How many answers were wrong.
        wrong: The newest of them.
        when: When it was last tried, UTC.
    """

    key: str
    passed: bool
    answer: str = ""
    wrong_answers: int = 0
    wrong: tuple[str, ...] = ()
    when: datetime


class Decision(Record):
    """What a learner would deploy, and why: numbers, reason, trade-off.

    Attributes:
        lesson: Name of the lesson.
        variant: Identifier of the variant; None where none was chosen ("nothing is good enough").
        text: At most :data:`MOST_WORDS` words.
        written: When, UTC.
    """

    lesson: str
    variant: str | None = None
    text: str = Field(max_length=8000)
    written: datetime


def words_in(text: str) -> int:
    """How many words a text has. Two characters of Chinese or Japanese count as one."""
    signs = len(_EAST_ASIAN.findall(text))
    return len(_WORD.findall(_EAST_ASIAN.sub(" ", text))) + math.ceil(signs / 2)
