"""The decision log: what a learner would deploy, in at most 200 words. It goes into the report."""

from __future__ import annotations

from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.session import Session, message_of
from widgets.wording import short
from workbench.api.text import say
from workbench.course.records import MOST_WORDS
from workbench.workbench import Workbench

_LABELS = {
    "title": say("Decision"),
    "variant": say("I would deploy"),
    "none": say("none of them"),
    "text": say("Numbers, why, and what is given up for it"),
    "keep": say("Keep my decision"),
    "kept": say("Kept. It stands in the report."),
}


class DecisionPanel(Component):
    """A choice and its reasons, kept with the results.

    Args:
        workbench: A workbench, or the session of one.
        lesson: Name of the lesson that it belongs to.
    """

    _esm = esm("lessonDecision")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results"})

    def __init__(self, workbench: Workbench | Session, lesson: str) -> None:
        self.lesson = lesson
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        kept = self.session.workbench.course.decisions.get(self.lesson)
        return {
            "labels": words(_LABELS),
            "variants": [{"id": one.id, "name": short(one.name)} for one in self.session.variants],
            "variant": None if kept is None else kept.variant,
            "text": "" if kept is None else kept.text,
            "written": None if kept is None else f"{kept.written:%Y-%m-%d %H:%M} UTC",
            "most": MOST_WORDS,
            "count": str(say("{count} of {most} words", count="{count}", most=MOST_WORDS)),
            "problem": message_of(self.problem),
        }

    def __repr__(self) -> str:
        kept = self.session.workbench.course.decisions.get(self.lesson)
        return str(say("No decision yet.")) if kept is None else kept.text

    def act_decide(self, text: object = None, variant: object = None) -> None:
        """Keeps a decision."""
        chosen = None if variant in (None, "") else self.session.known(variant)
        self.session.workbench.course.decide(self.lesson, text, chosen)
