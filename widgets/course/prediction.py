"""Predict, run, explain: what a learner thinks is locked before the run and stays beside what came out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from widgets.assets import esm
from widgets.component import Component, words
from widgets.panels.guess import places
from widgets.session import Session, message_of
from widgets.wording import count, digits, duration
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.course.records import Measured, Prediction
from workbench.workbench import Workbench

_LABELS = {
    "title": say("Predict first"),
    "result": say("Predicted and measured"),
    "lock": say("Lock my prediction"),
    "guessed": say("predicted"),
    "found": say("measured"),
    "answer": say("My prediction"),
    "isLocked": say("locked"),
    "locked": say("Locked. It stays as it is, right or wrong: now run the next cell."),
}


@dataclass(frozen=True)
class Question:
    """What is to be predicted.

    Attributes:
        key: Name of the lesson and of the question in it, with ``/`` between them.
        text: What is asked.
        unit: Of a number, such as ``×``.
        choices: What can be chosen, by key; empty where a number is asked for.
        scale: ``ratio`` where twice too much is as wrong as half, ``difference`` where values may be
            negative or zero.
    """

    key: str
    text: str
    unit: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    scale: Literal["ratio", "difference"] = "ratio"

    def said(self, answer: float | str) -> str:
        """An answer, or what came out, as it is shown."""
        if isinstance(answer, str):
            return self.choices.get(answer, answer)
        number = count(int(answer)) if float(answer).is_integer() else digits(answer)
        return f"{number}{self.unit}" if self.unit in ("×", "%") else f"{number} {self.unit}".strip()


class PredictionPanel(Component):
    """Asks for a prediction, locks it, and shows it beside what was measured.

    Args:
        workbench: A workbench, or the session of one.
        question: What is asked.
        seconds: How long the run is expected to take on this machine; None if it is short.
    """

    _esm = esm("lessonPrediction")
    follows: ClassVar[frozenset[str]] = frozenset({"results"})

    def __init__(
        self, workbench: Workbench | Session, question: Question, seconds: float | None = None
    ) -> None:
        self.question = question
        self.seconds = seconds
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        question = self.question
        kept = self.session.workbench.course.predictions.get(question.key)
        return {
            "labels": words(_LABELS),
            "question": question.text,
            "unit": question.unit,
            "choices": [{"key": key, "words": said} for key, said in question.choices.items()],
            "time": None if self.seconds is None else str(expected_time(self.seconds)),
            # In the language of this page: it may have been locked in another one.
            "answer": None if kept is None else question.said(kept.answer),
            "result": None if kept is None or kept.measured is None else compared(question, kept),
            "problem": message_of(self.problem),
        }

    def __repr__(self) -> str:
        kept = self.session.workbench.course.predictions.get(self.question.key)
        if kept is None:
            return self.question.text
        if kept.measured is None:
            return f"{self.question.text} – {kept.said}"
        shown = compared(self.question, kept)
        found = shown["found"] or shown["doubt"] or shown["verdict"]
        return f"{self.question.text} – {_LABELS['guessed']} {kept.said}; {_LABELS['found']} {found}"

    def act_lock(self, answer: object = None) -> None:
        """Locks a prediction."""
        lock(self.session.workbench, self.question, answer)


def lock(workbench: Workbench, question: Question, answer: object) -> Prediction:
    """Keeps a prediction for good.

    Args:
        workbench: Where it is kept.
        question: What was asked.
        answer: A number, also as it was typed, or the key of a choice.

    Raises:
        InvalidInput: If it is no answer to this question.
        Refused: If there is one already.
    """
    parsed = _parsed(question, answer)
    return workbench.course.lock(question.key, question.text, parsed, question.said(parsed))


def _parsed(question: Question, answer: object) -> float | str:
    if question.choices:
        if not isinstance(answer, str) or answer not in question.choices:
            raise InvalidInput(say("Choose one of the answers."))
        return answer
    if isinstance(answer, str):
        answer = answer.strip().removesuffix(question.unit).strip().replace(",", ".").replace("−", "-")
    try:
        number = float(answer)  # type: ignore[arg-type]  # whatever else it is, it is refused
    except (TypeError, ValueError):
        raise InvalidInput(say("A prediction is a number here, such as 2.5.")) from None
    if not math.isfinite(number) or abs(number) > 1e9:
        raise InvalidInput(say("A prediction is a number here, such as 2.5."))
    if question.scale == "ratio" and number < 1e-4:
        raise InvalidInput(say("A number above zero is expected here: 1 is no change, 0.5 is half."))
    return number


def expected_time(seconds: float) -> Text:
    """How long a run is expected to take, in words."""
    return say("The run takes about {time} on this machine.", time=duration(seconds))


def compared(question: Question, kept: Prediction) -> dict[str, Any]:
    """A prediction beside what came out: in words, and for numbers as places on a line."""
    found = kept.measured
    assert found is not None
    shown: dict[str, Any] = {
        "title": "",
        "guess": question.said(kept.answer),
        "found": None,
        "verdict": None,
        "doubt": message_of(found.doubt),
        "right": kept.right,
    }
    if found.value is None:
        return shown | {"verdict": str(say("It could not be told."))}
    if isinstance(found.value, str) and found.doubt is not None:
        return shown  # nothing is called faster or slower by a timing that is not believed
    shown["found"] = question.said(found.value) + _ends(question, found)
    if found.doubt is None:
        shown["verdict"] = str(_verdict(question, kept))
    if isinstance(found.value, float) and isinstance(kept.answer, float):
        low, high = (found.value if end is None else end for end in (found.low, found.high))
        logarithmic = question.scale == "ratio"
        if not logarithmic or min(kept.answer, found.value, low) > 0:
            shown |= places(kept.answer, (found.value, low, high), logarithmic=logarithmic)
    return shown


def _ends(question: Question, found: Measured) -> str:
    if found.low is None or found.high is None or found.low >= found.high:
        return ""
    return f" [{question.said(found.low)}, {question.said(found.high)}]"


def _verdict(question: Question, kept: Prediction) -> Text:
    found = kept.measured
    assert found is not None
    if isinstance(kept.answer, str) or not isinstance(found.value, float):
        return say("As predicted.") if kept.right else say("It came out otherwise: why?")
    if kept.right:
        return say("As predicted.") if found.low is None else say("As predicted: it is within the interval.")
    if question.scale == "ratio" and found.value > 0:
        off = max(kept.answer / found.value, found.value / kept.answer)
        if kept.answer > found.value:
            return say("Predicted {ratio}× too much: why?", ratio=digits(off))
        return say("It is {ratio}× more than predicted: why?", ratio=digits(off))
    return say("Off by {number}: why?", number=question.said(abs(kept.answer - found.value)))
