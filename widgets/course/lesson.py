"""A lesson: a workbench of its own, and the panels that a notebook puts beside the runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from widgets.course.checks import CheckPanel, Choices, QuestionPanel
from widgets.course.decision import DecisionPanel
from widgets.course.prediction import PredictionPanel, Question, expected_time, lock
from widgets.course.summary import SummaryPanel
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say, use_language
from workbench.api.variant import Variant
from workbench.course.judging import Hints, judge
from workbench.engine.siblings import default_folder
from workbench.measure.records import Interval
from workbench.results.rows import ResultRow
from workbench.workbench import Workbench


def lesson_folder(name: str) -> Path:
    """Where a lesson keeps everything: beside the user's own work, and beside the other lessons."""
    return default_folder().parent / "course" / name


class Lesson:
    """One lesson. What was predicted, checked and decided outlives the kernel.

    Args:
        name: Name of the lesson, and of its folder.
        language: In which the panels speak.
        folder: Where everything is kept; by default a folder of the course.

    Example::

        lesson = Lesson("measure-first")
        lesson.workbench.open("dense-digits", "digits").wait()
        lesson.predict("size", "How many times smaller will int8 be?", unit="×")

        lesson.require("size")  # in the cell that runs it
        int8 = lesson.workbench.quantization.int8().wait()
        lesson.measured("size", lesson.row(int8).size_change.ratio)
    """

    def __init__(self, name: str, language: str = "en", folder: str | Path | None = None) -> None:
        use_language(language)
        self.name = name
        self.workbench = Workbench(folder if folder is not None else lesson_folder(name))
        self._questions: dict[str, Question] = {}
        self._checks: dict[str, str | Choices] = {}

    def __repr__(self) -> str:
        return f"Lesson({self.name!r}, {str(self.workbench.folder)!r})"

    def row(self, variant: Variant | str) -> ResultRow:
        """What is known of a variant, by name, identifier or itself."""
        id_ = self.workbench.variant(variant).id
        return next(row for row in self.workbench.results() if row.variant.id == id_)

    def seconds(self, technique: str, parent: Variant | str | None = None, **parameters: Any) -> float:
        """How long a technique is expected to take on this machine."""
        start = None if parent is None else self.workbench.variant(parent).id
        return self.workbench.estimate(technique, start, parameters).seconds

    def takes(self, *seconds: float) -> Text:
        """How long the next runs are expected to take together, in words."""
        return expected_time(sum(seconds))

    # -- predict, run, explain --------------------------------------------------------------

    def predict(
        self,
        key: str,
        question: str,
        *,
        unit: str = "",
        choices: Mapping[str, str] | None = None,
        scale: Literal["ratio", "difference"] = "ratio",
        seconds: float | None = None,
    ) -> PredictionPanel:
        """Asks what will come out.

        Args:
            key: A name of its own in this lesson.
            question: What is asked.
            unit: Of a number, such as ``×`` or ``points``.
            choices: What can be chosen, by key; without it a number is asked for.
            scale: ``difference`` where the number may be negative or zero.
            seconds: How long the run is expected to take.
        """
        asked = Question(self._key(key), question, unit, choices or {}, scale, seconds)
        self._questions[key] = asked
        return PredictionPanel(self.workbench, asked)

    def lock(self, key: str, answer: float | str) -> PredictionPanel:
        """Locks a prediction as the panel does; one that is locked already stays."""
        question = self._asked(key)
        if question.key not in self.workbench.course.predictions:
            lock(self.workbench, question, answer)
        return PredictionPanel(self.workbench, question)

    def require(self, *keys: str) -> None:
        """Stops a cell whose result somebody should have predicted.

        Raises:
            NotPredicted: If a prediction is not locked yet.
        """
        for key in keys:
            self.workbench.course.require_locked(self._key(key))

    def measured(
        self, key: str, value: float | str | Interval | None, *, doubt: Text | None = None
    ) -> PredictionPanel:
        """Shows what came out beside what was predicted.

        Args:
            key: Of the prediction.
            value: A number, one with its interval, or the key of a choice; None if it could not be told.
            doubt: Why it is not believed, such as :attr:`ResultRow.distrust`; None where it is.

        Raises:
            NotPredicted: If the prediction is not locked yet.
        """
        question = self._asked(key)
        if isinstance(value, Interval):
            self.workbench.course.measured(question.key, value.value, value.low, value.high, doubt)
        elif value is None or isinstance(value, str):
            self.workbench.course.measured(question.key, value, doubt=doubt)
        else:
            self.workbench.course.measured(question.key, float(value), doubt=doubt)
        return PredictionPanel(self.workbench, question)

    # -- checks -----------------------------------------------------------------------------

    def check(
        self,
        key: str,
        answer: Any,
        right: Any,
        *,
        title: str,
        hints: Hints = (),
        within: float = 0.005,
        explanation: str = "",
    ) -> CheckPanel:
        """Judges an answer. Only what is the same on every machine, or was measured here, is checked.

        Args:
            key: A name of its own in this lesson.
            answer: What the learner has; ``...`` where it is missing.
            right: The right value, or a function that tells whether an answer is.
            title: What is checked.
            hints: Typical wrong answers (a value, or a function that knows it) with what helps.
            within: How far a number may be off, as a share of the right one.
            explanation: Said once it is right.
        """
        self._checks[self._key(key)] = title
        judgement = judge(answer, right, hints, within)
        self.workbench.course.checked(self._key(key), passed=judgement.passed, answer=judgement.given)
        return CheckPanel(self.workbench, title, judgement, explanation)

    def ask(
        self,
        key: str,
        question: str,
        answers: Mapping[str, str],
        right: str | Collection[str],
        *,
        hints: Mapping[str, str] | None = None,
        explanation: str = "",
    ) -> QuestionPanel:
        """Asks a question with several answers.

        Args:
            key: A name of its own in this lesson.
            question: What is asked.
            answers: The answers in words, by key.
            right: Key of the right one, or of all that are.
            hints: What helps who chose a wrong one, by key.
            explanation: Said once it is right.
        """
        accepted = frozenset({right} if isinstance(right, str) else right)
        choices = Choices(self._key(key), question, answers, accepted, hints or {}, explanation)
        self._checks[choices.key] = choices
        return QuestionPanel(self.workbench, choices)

    def answer(self, key: str, answer: str) -> None:
        """Answers a question as the panel does."""
        choices = self._checks.get(self._key(key))
        if not isinstance(choices, Choices):
            raise InvalidInput(say("This lesson has not asked {key} yet.", key=key))
        QuestionPanel(self.workbench, choices).act_answer(answer)

    def unpassed(self) -> tuple[str, ...]:
        """Names of the checks of this notebook that are not passed."""
        checked = self.workbench.course.checks
        return tuple(
            key.partition("/")[2] for key in self._checks if key not in checked or not checked[key].passed
        )

    # -- the end ----------------------------------------------------------------------------

    def decide(self) -> DecisionPanel:
        """Asks for a decision and its reasons."""
        return DecisionPanel(self.workbench, self.name)

    def summary(self) -> SummaryPanel:
        """How far this lesson is: predictions beside what came out, and checks."""
        return SummaryPanel(self.workbench, list(self._questions.values()), dict(self._checks))

    def _key(self, key: str) -> str:
        return f"{self.name}/{key}"

    def _asked(self, key: str) -> Question:
        if key not in self._questions:
            raise InvalidInput(
                say("This lesson has not asked {key} yet.", key=key), say("Run the cells above first.")
            )
        return self._questions[key]
