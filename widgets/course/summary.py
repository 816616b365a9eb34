"""How a learner stands in a lesson: every prediction beside what came out, every check; and handing it in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.course.prediction import Question, compared
from widgets.session import Session, message_of
from widgets.transfer import send_file
from widgets.wording import short
from workbench.api.text import Text, say, say_as
from workbench.course.hand_in_files import keep_in
from workbench.workbench import Workbench

_LABELS = {
    "title": say("This lesson so far"),
    "question": say("Question"),
    "guessed": say_as("lesson", "Predicted"),
    "found": say_as("lesson", "Measured"),
    "verdict": say("Verdict"),
    "name": say("Your name, as it is to stand on the board"),
    "handIn": say("Hand in"),
    "undo": say("Undo the last answer"),
    "reset": say("Begin this lesson anew"),
    "sure": say(
        "Forget all answers and decisions, and delete all variants but the baseline? Predictions stay."
    ),
    "yes": say("Begin anew"),
    "no": say("Keep them"),
}


def begin_anew(workbench: Workbench) -> None:
    """Forgets the answers and decisions of a lesson and deletes its variants; predictions stay."""
    workbench.course.reset()
    workbench.delete_made()


class SummaryPanel(Component):
    """Predictions and checks of one lesson.

    Args:
        workbench: A workbench, or the session of one.
        questions: What is to be predicted.
        checks: What is checked: keys and titles.
        lesson: Name of the lesson.
        room: Where it is handed in; None where the browser saves it, to be given to the teacher.
    """

    _esm = esm("lessonSummary")
    follows: ClassVar[frozenset[str]] = frozenset({"results"})

    def __init__(
        self,
        workbench: Workbench | Session,
        questions: list[Question],
        checks: dict[str, str],
        lesson: str = "",
        room: Path | None = None,
    ) -> None:
        self.questions = questions
        self.checks = checks
        self.lesson = lesson
        self.room = room
        self._said: Text | None = None
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        course = self.session.workbench.course
        predictions, checked = course.predictions, course.checks
        rows = []
        for question in self.questions:
            kept = predictions.get(question.key)
            found = None if kept is None or kept.measured is None else compared(question, kept)
            rows.append(
                {
                    "question": question.text,
                    "said": "–" if kept is None else question.said(kept.answer),
                    "found": "–" if found is None else found["found"] or "–",
                    "verdict": "" if found is None else found["verdict"] or found["doubt"] or "",
                    "right": None if found is None else found["right"],
                }
            )
        checks = [
            {"title": title, "passed": key in checked and checked[key].passed}
            for key, title in self.checks.items()
        ]
        passed = sum(1 for one in checks if one["passed"])
        return {
            "labels": words(_LABELS),
            "rows": rows,
            "checks": checks,
            "said": str(say("{passed} of {count} checks passed", passed=passed, count=len(checks))),
            "learner": course.learner or "",
            "undoable": self._undoable(),
            "handed": message_of(self._said),
            "problem": message_of(self.problem),
        }

    def __repr__(self) -> str:
        return str(self.view()["said"])

    def act_hand_in(self, learner: object = None) -> None:
        """Puts it into the room of the class, or lets the browser save it."""
        self._said = None
        name, content = self.session.workbench.hand_in(self.lesson, learner)
        if self.room is None:
            send_file(self, name, content)
            self._said = say("{name} is with your downloads: give it to your teacher.", name=name)
        else:
            keep_in(self.room, name, content)
            self._said = say("Handed in as {name}. Whoever hands in again replaces it.", name=name)

    def act_undo(self) -> None:
        """Takes back the last answer to a check, or the last decision."""
        self._said = None
        self.session.workbench.course.undo()

    def act_reset(self) -> None:
        """Begins anew; predictions stay."""
        self._said = None
        begin_anew(self.session.workbench)

    def _undoable(self) -> str | None:
        """What would be taken back, in the words of the lesson."""
        key = self.session.workbench.course.undoable
        if key is None:
            return None
        return short(self.checks.get(key) or str(say("Decision")), 40)
