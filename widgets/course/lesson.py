"""A lesson: a workbench of its own, and the panels that a notebook puts beside the runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from widgets.course.checks import CheckPanel, QuestionPanel
from widgets.course.decision import DecisionPanel
from widgets.course.prediction import PredictionPanel, expected_time, lock
from widgets.course.questions import Questions
from widgets.course.summary import SummaryPanel, begin_anew
from widgets.session import session_of
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say, use_language
from workbench.api.variant import Variant
from workbench.course.class_settings import ClassSettings, find_settings, read_settings
from workbench.course.hand_in_files import keep_in
from workbench.course.judging import judge
from workbench.engine.workbench_folders import default_folder
from workbench.measure.records import Interval
from workbench.results.rows import ResultRow
from workbench.workbench import Workbench

LESSONS = Path(__file__).with_name("lessons")
"""The sources of the lessons."""


def lesson_folder(name: str) -> Path:
    """Where a lesson keeps everything: beside the user's own work, and beside the other lessons."""
    return default_folder().parent / "course" / name


class Lesson:
    """One lesson. What was predicted, checked and decided outlives the kernel.

    Args:
        name: Name of the lesson, and of its folder.
        language: In which the panels speak.
        folder: Where everything is kept; by default a folder of the course.
        source: The lesson's source, which says what is asked; by default that of the course.
        settings: What a teacher has fixed: a file, or the folder of one; by default the ``class.json`` beside
            the notebook or in a folder around it.

    Example::

        lesson = Lesson("0-measure-first")
        lesson.predict("size")

        lesson.require("size")  # in the cell that runs it
        baseline = lesson.workbench.open("dense-digits", "digits").wait()
        lesson.measured("size", lesson.row(baseline).size.file_bytes / 1000)
    """

    def __init__(
        self,
        name: str,
        language: str = "en",
        folder: str | Path | None = None,
        source: str | Path | None = None,
        settings: str | Path | None = None,
    ) -> None:
        use_language(language)
        self.name = name
        file = Path(source) if source is not None else LESSONS / f"{name.replace('-', '_')}.py"
        if not file.is_file():
            raise InvalidInput(
                say("There is no lesson {name}.", name=name),
                say("There are: {names}.", names=tuple(lessons())),
            )
        fixed = Path(settings) if settings is not None else find_settings(Path.cwd())
        self.settings = ClassSettings() if fixed is None else read_settings(fixed)
        self._room = (
            None if fixed is None or self.settings.room is None else _home(fixed) / self.settings.room
        )
        self.workbench = Workbench(
            folder if folder is not None else lesson_folder(name), seed=self.settings.seed or 0
        )
        self._session = session_of(self.workbench)  # kept: its panels find what is fixed there
        self._session.confine(self.settings.hidden, self.settings.fixed, projector=self.settings.projector)
        self._asked = Questions(name, language)
        self._asked.read(file, self)

    def __repr__(self) -> str:
        return f"Lesson({self.name!r}, {str(self.workbench.folder)!r})"

    def row(self, variant: Variant | str | None = None) -> ResultRow:
        """What is known of a variant, by name, identifier or itself; by default of the baseline."""
        chosen = variant if variant is not None else self.workbench.baseline
        if chosen is None:
            raise InvalidInput(say("Open a model and its data first."))
        id_ = self.workbench.variant(chosen).id
        return next(row for row in self.workbench.results() if row.variant.id == id_)

    def seconds(self, technique: str, parent: Variant | str | None = None, **parameters: Any) -> float:
        """How long a technique is expected to take on this machine."""
        start = None if parent is None else self.workbench.variant(parent).id
        return self.workbench.estimate(technique, start, parameters).seconds

    # -- predict, run, explain --------------------------------------------------------------

    def predict(self, key: str, *, seconds: float | None = None) -> PredictionPanel:
        """Asks what will come out.

        Args:
            key: Which prediction of the lesson.
            seconds: How long the run is expected to take.
        """
        return PredictionPanel(self.workbench, self._asked.prediction(key), seconds)

    def takes(self, *seconds: float) -> None:
        """Says how long the next run is expected to take on this machine, all its parts together."""
        print(expected_time(sum(seconds)))  # noqa: T201 - a cell of a notebook

    def lock(self, key: str, answer: float | str) -> PredictionPanel:
        """Locks a prediction as the panel does; one that is locked already stays."""
        question = self._asked.prediction(key)
        if question.key not in self.workbench.course.predictions:
            lock(self.workbench, question, answer)
        return PredictionPanel(self.workbench, question)

    def require(self, *keys: str) -> None:
        """Stops a cell whose result somebody should have predicted.

        Raises:
            NotPredicted: If a prediction is not locked yet.
        """
        for key in keys:
            self.workbench.course.require_locked(self._asked.prediction(key).key)

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
        question = self._asked.prediction(key)
        if isinstance(value, Interval):
            self.workbench.course.measured(question.key, value.value, value.low, value.high, doubt)
        elif value is None or isinstance(value, str):
            self.workbench.course.measured(question.key, value, doubt=doubt)
        else:
            self.workbench.course.measured(question.key, float(value), doubt=doubt)
        return PredictionPanel(self.workbench, question)

    # -- checks -----------------------------------------------------------------------------

    def check(self, key: str, answer: Any, *given: Any) -> CheckPanel:
        """Judges an answer by what is the same on every machine, or was measured here; never a timing.

        Args:
            key: Which check of the lesson.
            answer: What the learner has; ``...`` where it is missing.
            *given: What the check needs beside it, such as the samples that a median is of.
        """
        check = self._asked.check(key)
        right, *hints = check.answers(*given)
        judgement = judge(answer, right, hints, check.within)
        self.workbench.course.checked(check.key, passed=judgement.passed, answer=judgement.given)
        return CheckPanel(self.workbench, check.title, judgement, check.explanation)

    def ask(self, key: str) -> QuestionPanel:
        """Asks a question with several answers.

        Args:
            key: Which question of the lesson.
        """
        return QuestionPanel(self.workbench, self._asked.question(key))

    def answer(self, key: str, answer: str | None = None) -> None:
        """Answers a question as the panel does.

        Args:
            key: Which question of the lesson.
            answer: The key of an answer; by default a right one.
        """
        choices = self._asked.question(key)
        given = answer if answer is not None else min(choices.accepted)
        QuestionPanel(self.workbench, choices).act_answer(given)

    def unpassed(self) -> tuple[str, ...]:
        """Names of the checks and questions of this lesson that are not passed."""
        checked = self.workbench.course.checks
        return tuple(
            key.partition("/")[2]
            for key in self._asked.titles
            if key not in checked or not checked[key].passed
        )

    # -- the end ----------------------------------------------------------------------------

    def decide(self) -> DecisionPanel:
        """Asks for a decision and its reasons."""
        return DecisionPanel(self.workbench, self.name)

    def summary(self) -> SummaryPanel:
        """How far this lesson is: predictions beside what came out, and checks."""
        return SummaryPanel(
            self.workbench, self._asked.predictions, self._asked.titles, self.name, self._room
        )

    def undo(self) -> None:
        """Takes back the last answer to a check, or the last decision. A prediction stays, right or wrong."""
        self.workbench.course.undo()

    def reset(self) -> None:
        """Begins anew: forgets answers and decisions, deletes all variants but the baseline.

        Predictions stay as evidence, and ``workbench.undo()`` brings the variants back.
        """
        begin_anew(self.workbench)

    def hand_in(self, learner: str) -> Path:
        """Puts what was done in this lesson into the room of the class; without one, beside the notebook.

        Args:
            learner: Your name, as it is to stand on the board.
        """
        name, content = self.workbench.hand_in(self.name, learner)
        return keep_in(self._room or Path.cwd(), name, content)


def _home(settings: Path) -> Path:
    return settings if settings.is_dir() else settings.parent


def lessons() -> tuple[str, ...]:
    """Names of the lessons of the course, in their order."""
    files = sorted(LESSONS.glob("*.py"), key=lambda file: int(file.stem.partition("_")[0]))
    return tuple(file.stem.replace("_", "-") for file in files)
