"""What a lesson asks, as its source says it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from widgets.course.checks import Choices
from widgets.course.prediction import Question
from workbench.api.errors import InvalidInput
from workbench.api.text import LANGUAGES, say
from workbench.course.hidden import hidden_code

if TYPE_CHECKING:
    from widgets.course.lesson import Lesson

T = TypeVar("T")


@dataclass(frozen=True)
class Check:
    """An answer that a cell gives.

    Attributes:
        key: Name of the lesson and of the check in it, with ``/`` between them.
        title: What is checked.
        answers: Gives what is right, then typical wrong answers, each with what helps.
        within: How far a number may be off, as a share of the right one.
        explanation: Said once it is right.
    """

    key: str
    title: str
    answers: Callable[..., Iterable[Any]]
    within: float = 0.005
    explanation: str = ""


class Questions:
    """Predictions, checks and questions of one lesson, in one language.

    Args:
        lesson: Its name.
        language: In which everything is asked.
    """

    def __init__(self, lesson: str, language: str) -> None:
        self._lesson = lesson
        self._language = list(LANGUAGES).index(language)
        self._predictions: dict[str, Question] = {}
        self._checks: dict[str, Check] = {}
        self._questions: dict[str, Choices] = {}
        self.titles: dict[str, str] = {}
        """What is checked, by key, in the order of the lesson."""

    def read(self, source: Path, lesson: Lesson) -> None:
        """Reads what a source says. It is a program, like the notebook that is made of it."""
        known = {
            "lesson": lesson,
            "both": self._both,
            "prediction": self._add_prediction,
            "check": self._add_check,
            "question": self._add_question,
        }
        exec(hidden_code(source), known)  # noqa: S102 - of the notebook that runs this

    @property
    def predictions(self) -> list[Question]:
        """What is to be predicted, in the order of the lesson."""
        return list(self._predictions.values())

    def prediction(self, key: str) -> Question:
        """What is to be predicted."""
        return self._known(self._predictions, key)

    def check(self, key: str) -> Check:
        """How an answer is judged."""
        return self._known(self._checks, key)

    def question(self, key: str) -> Choices:
        """A question with its answers."""
        return self._known(self._questions, key)

    def _known(self, among: Mapping[str, T], key: str) -> T:
        if key not in among:
            raise InvalidInput(
                say("This lesson does not ask {key}.", key=repr(key)[:80]),
                say("It asks: {names}.", names=tuple(among)),
            )
        return among[key]

    # -- what a source says -----------------------------------------------------------------

    def _both(self, *words: str) -> str:
        return words[self._language]

    def _add_prediction(
        self,
        key: str,
        text: str,
        *,
        unit: str = "",
        choices: Mapping[str, str] | None = None,
        scale: Literal["ratio", "difference"] = "ratio",
    ) -> None:
        self._predictions[key] = Question(f"{self._lesson}/{key}", text, unit, choices or {}, scale)

    def _add_check(
        self, key: str, title: str, *, within: float = 0.005, explanation: str = ""
    ) -> Callable[[Callable[..., Iterable[Any]]], Callable[..., Iterable[Any]]]:
        def add(answers: Callable[..., Iterable[Any]]) -> Callable[..., Iterable[Any]]:
            check = Check(f"{self._lesson}/{key}", title, answers, within, explanation)
            self._checks[key] = check
            self.titles[check.key] = title
            return answers

        return add

    def _add_question(
        self,
        key: str,
        text: str,
        answers: Mapping[str, str],
        right: str | Collection[str] | Callable[[], str],
        *,
        hints: Mapping[str, str] | None = None,
        explanation: str = "",
    ) -> None:
        choices = Choices(f"{self._lesson}/{key}", text, answers, right, hints or {}, explanation)
        self._questions[key] = choices
        self.titles[choices.key] = text
