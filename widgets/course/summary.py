"""How a learner stands in a lesson: every prediction beside what came out, every check."""

from __future__ import annotations

from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.course.prediction import Question, compared
from widgets.session import Session
from workbench.api.text import say
from workbench.workbench import Workbench

_LABELS = {
    "title": say("This lesson so far"),
    "question": say("Question"),
    "guessed": say("Predicted"),
    "found": say("Measured"),
    "verdict": say("Verdict"),
}


class SummaryPanel(Component):
    """Predictions and checks of one lesson.

    Args:
        workbench: A workbench, or the session of one.
        questions: What is to be predicted.
        checks: What is checked: keys and titles.
    """

    _esm = esm("lessonSummary")
    follows: ClassVar[frozenset[str]] = frozenset({"results"})

    def __init__(
        self, workbench: Workbench | Session, questions: list[Question], checks: dict[str, str]
    ) -> None:
        self.questions = questions
        self.checks = checks
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
                    "said": "–" if kept is None else kept.said,
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
        }

    def __repr__(self) -> str:
        return str(self.view()["said"])
