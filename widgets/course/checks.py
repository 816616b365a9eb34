"""Self-checks: an answer from a cell, or a choice with its reasons. A wrong one is answered by a hint."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.session import Session, message_of
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.course.judging import Judgement
from workbench.workbench import Workbench

_RIGHT = say("Right.")
_NOT_YET = say("Not yet.")


class CheckPanel(Component):
    """How the answer of a cell was judged.

    Args:
        workbench: A workbench, or the session of one.
        title: What is checked.
        judgement: How it came out.
        explanation: Said once the answer is right.
    """

    _esm = esm("lessonCheck")
    follows: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self, workbench: Workbench | Session, title: str, judgement: Judgement, explanation: str = ""
    ) -> None:
        self.title = title
        self.judgement = judgement
        self.explanation = explanation
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        passed, hint, given = self.judgement
        return {
            "title": self.title,
            "passed": passed,
            "word": str(_RIGHT if passed else _NOT_YET),
            "said": self.explanation if passed else message_of(hint),
            "given": given,
        }

    def __repr__(self) -> str:
        shown = self.view()
        return f"{self.title}: {shown['word']} {shown['said'] or ''}".rstrip()


@dataclass(frozen=True)
class Choices:
    """A question with its answers.

    Attributes:
        key: Name of the lesson and of the question in it, with ``/`` between them.
        text: What is asked.
        answers: The answers in words, by key.
        right: The key of the one that is right, the keys of all that are, or a function that gives the key
            where what is right has to be measured first.
        hints: What helps who chose a wrong one, by key.
        explanation: Said once the answer is right.
    """

    key: str
    text: str
    answers: Mapping[str, str]
    right: str | Collection[str] | Callable[[], str]
    hints: Mapping[str, str] = field(default_factory=dict)
    explanation: str = ""

    @property
    def accepted(self) -> frozenset[str]:
        """Keys of the answers that are right."""
        right = self.right() if callable(self.right) else self.right
        return frozenset({right} if isinstance(right, str) else right)


_LABELS = {"title": say("Check yourself"), "answer": say("Check my answer")}


class QuestionPanel(Component):
    """Asks a question with several answers.

    Args:
        workbench: A workbench, or the session of one.
        choices: The question.
    """

    _esm = esm("lessonQuestion")
    follows: ClassVar[frozenset[str]] = frozenset({"results"})

    def __init__(self, workbench: Workbench | Session, choices: Choices) -> None:
        self.choices = choices
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        kept = self.session.workbench.course.checks.get(self.choices.key)
        answer = None if kept is None or kept.answer not in self.choices.answers else kept.answer
        # What is right may depend on what was measured, which is measured again.
        passed = answer in self.choices.accepted if answer is not None else None
        return {
            "labels": words(_LABELS),
            "question": self.choices.text,
            "choices": [{"key": key, "words": said} for key, said in self.choices.answers.items()],
            "answer": answer,
            "passed": passed,
            "word": None if passed is None else str(_RIGHT if passed else _NOT_YET),
            "said": None if passed is None else str(self._said(answer, passed=passed)),
            "problem": message_of(self.problem),
        }

    def __repr__(self) -> str:
        shown = self.view()
        return f"{self.choices.text} {shown['word'] or ''}".rstrip()

    def act_answer(self, answer: object = None) -> None:
        """Judges an answer."""
        if not isinstance(answer, str) or answer not in self.choices.answers:
            raise InvalidInput(say("Choose one of the answers."))
        self.session.workbench.course.checked(
            self.choices.key, passed=answer in self.choices.accepted, answer=answer
        )

    def _said(self, answer: str | None, *, passed: bool) -> Text | str:
        if passed:
            return self.choices.explanation
        return self.choices.hints.get(answer or "") or say("Think again.")
