"""The goal: what is wanted of the model, and Find, which looks for it."""

from __future__ import annotations

from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.session import Session, message_of
from widgets.wording import duration, runtime_title
from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.task import measure_of
from workbench.api.text import Text, current_language, say
from workbench.engine.candidates import all_runtimes
from workbench.engine.goal import Goal, parse_goal
from workbench.workbench import Workbench

_LABELS = {
    "title": say("Goal"),
    "want": say("What is wanted"),
    "smaller": say("smaller"),
    "faster": say("faster"),
    "both": say("both"),
    "runtime": say("for"),
    "runtimeName": say("For which runtime"),
    "any": say("this machine: any runtime"),
    "find": say("Find"),
    "train": say("with short trainings"),
    "finding": say("Looking …"),
}


class GoalLine(Component):
    """What is wanted, and the buttons that look for it.

    Args:
        workbench: A workbench, or the session of one.

    Example:
        >>> line = GoalLine(workbench)
    """

    _esm = esm("goal")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "jobs", "goal"})

    def __init__(self, workbench: Workbench | Session) -> None:
        self._expected: tuple[tuple[object, ...], tuple[Text | None, Text | None]] | None = None
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        session = self.session
        goal, measure = session.goal, measure_of(session.task)
        time, training_time = self._times(goal)
        finding = next((job for job in session.jobs if job.kind == "find" and not job.ended), None)
        return {
            "labels": words(
                _LABELS
                | {
                    "fall": say("{measure} may fall", measure=measure.title)
                    if measure.higher_is_better
                    else say("{measure} may grow by", measure=measure.title),
                    "points": say("points") if measure.higher_is_better else say("%"),
                }
            ),
            "ready": session.baseline is not None,
            "busy": finding is not None,
            "want": goal.want,
            "points": goal.points,
            "runtime": goal.runtime or "",
            "runtimes": [
                {"value": "", "label": str(_LABELS["any"])},
                *({"value": name, "label": str(runtime_title(name))} for name in self._offered(goal)),
            ],
            "time": message_of(time),
            "trainingTime": message_of(training_time),
            "error": message_of(self.problem),
        }

    def _offered(self, goal: Goal) -> tuple[str, ...]:
        names = all_runtimes()
        return names if goal.runtime is None or goal.runtime in names else (*names, goal.runtime)

    def _times(self, goal: Goal) -> tuple[Text | None, Text | None]:
        session = self.session
        if session.baseline is None:
            return None, None
        ended = sum(job.ended for job in session.jobs)
        asked = (goal, ended, tuple(one.id for one in session.variants), current_language())
        if self._expected is None or self._expected[0] != asked:
            self._expected = asked, (self._time(goal, training=False), self._time(goal, training=True))
        return self._expected[1]

    def _time(self, goal: Goal, *, training: bool) -> Text | None:
        try:
            seconds = self.session.workbench.find_seconds(goal, training=training)
        except WorkbenchError:
            return None
        return say("nothing new") if seconds < 1 else say("about {time}", time=duration(seconds))

    def act_goal(self, want: object = None, points: object = None, runtime: object = None) -> None:
        """Keeps what is wanted."""
        self.session.set_goal(parse_goal(want, _fraction(points), runtime))

    def act_find(
        self, want: object = None, points: object = None, runtime: object = None, training: object = False
    ) -> None:
        """Looks for it."""
        self.session.find(parse_goal(want, _fraction(points), runtime), training=training is True)


def _fraction(points: object) -> float:
    """What may be lost, from what was typed in points or per cent."""
    try:
        return float(str(points).strip().replace(",", ".").replace("\N{MINUS SIGN}", "-")) / 100
    except ValueError:
        raise InvalidInput(
            say("How much may be lost is a number. Received: {text}.", text=repr(points)[:40]),
            say("Write it like 1.0."),
        ) from None
