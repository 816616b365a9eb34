"""What do you need? Demands, the search for what meets them, and its reasons."""

from __future__ import annotations

from typing import Any, ClassVar

from widgets.assets import esm
from widgets.charts.chart import column
from widgets.component import Component, words
from widgets.session import Session, message_of
from widgets.wording import duration, runtime_title, short
from workbench.advisor.demands import Demands, parse_demands
from workbench.advisor.explaining import facts
from workbench.advisor.ledger import Ledger, Row, Sentence
from workbench.api.errors import InvalidInput
from workbench.api.task import TaskMeasure, measure_of
from workbench.api.text import Text, say
from workbench.engine.candidates import all_runtimes
from workbench.jobs.state import JobState
from workbench.workbench import Workbench

_MOST_ROWS = 12
_LABELS = {
    "title": say("Need"),
    "question": say("What do you need? Leave empty what does not matter."),
    "runtime": say("in"),
    "any": say("this machine: any runtime"),
    "training": say("training is allowed"),
    "start": say("Search"),
    "cancel": say("Cancel"),
    "rows": say("What was tried, and what was not"),
    "show": say("Show"),
}
_NUMBERS: dict[str, tuple[Text, Text]] = {
    "size_kb": (say("at most"), say("kB")),
    "latency_ms": (say("at most"), say("ms")),
    "loss_points": (say("at most"), say("points")),
    "minutes": (say("within"), say("minutes")),
}
_STATUS: dict[str, Text] = {
    "measured": say("measured"),
    "failed": say("failed"),
    "not tried": say("not tried"),
    "ruled out": say("ruled out"),
    "impossible": say("does not fit"),
}


class AdvisorPanel(Component):
    """Asks what is needed, searches for it, and says why it is that one.

    Args:
        workbench: A workbench, or the session of one.
        with_goal: Whether a :class:`GoalLine` stands beside it, which says what is wanted, in which runtime
            and what it may cost: these are not asked for twice.

    Example:
        >>> panel = AdvisorPanel(workbench)
    """

    _esm = esm("advisor")
    panel: ClassVar[str] = "advisor"
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results", "jobs", "goal"})

    def __init__(self, workbench: Workbench | Session, *, with_goal: bool = False) -> None:
        self._with_goal = with_goal
        self._asked: dict[str, Any] | None = None
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        session = self.session
        measure = measure_of(session.task)
        ledger = session.workbench.ledger
        running = next((job for job in session.jobs if job.kind == "advise" and not job.ended), None)
        asked = self._values(ledger)
        return {
            "labels": words(_LABELS),
            "ready": session.baseline is not None,
            "job": None if running is None else running.id,
            "fields": [
                {
                    "name": name,
                    "before": str(before if name != "loss_points" else _loss(measure)),
                    "unit": str(unit if name != "loss_points" or measure.higher_is_better else say("%")),
                    "value": "" if asked.get(name) is None else f"{asked[name]:g}",
                }
                for name, (before, unit) in _NUMBERS.items()
                if not (self._with_goal and name == "loss_points")
            ],
            "runtimes": []
            if self._with_goal
            else [
                {"value": "", "label": str(_LABELS["any"])},
                *({"value": name, "label": str(runtime_title(name))} for name in all_runtimes()),
            ],
            "runtime": asked.get("runtime") or "",
            "training": asked.get("training", True),
            "status": message_of(self._status(ledger, running)),
            "sentences": [] if ledger is None else [_sentence(one, ledger) for one in ledger.sentences],
            "table": None if ledger is None else _table(ledger, measure),
            "error": message_of(self.problem),
        }

    def _values(self, ledger: Ledger | None) -> dict[str, Any]:
        """What stands in the fields: what was asked last."""
        if self._asked is not None:
            return self._asked
        return (
            Demands(loss_points=1.0, minutes=5.0).model_dump()
            if ledger is None
            else ledger.demands.model_dump()
        )

    def _status(self, ledger: Ledger | None, running: JobState | None) -> Text | None:
        if ledger is None:
            return None
        tried = sum(row.number is not None for row in ledger.rows)
        if running is not None:
            return say(
                "{tried} of {count} combinations tried in {time}.",
                tried=tried,
                count=len(ledger.rows),
                time=duration(ledger.spent_s),
            )
        if not ledger.done:
            return say("The last search was interrupted: Start goes on with it.")
        return say(
            "Asked: {demands}. {tried} of {count} combinations tried in {time}.",
            demands=ledger.demands.words(self.session.task),
            tried=tried,
            count=len(ledger.rows),
            time=duration(ledger.spent_s),
        )

    def act_start(self, **values: object) -> None:
        """Searches."""
        asked: dict[str, Any] = {name: _number(name, values.get(name)) for name in _NUMBERS}
        asked |= {"runtime": values.get("runtime") or None, "training": values.get("training") is True}
        if self._with_goal:
            goal = self.session.goal
            asked |= {"want": goal.want, "runtime": goal.runtime, "loss_points": 100 * goal.f1_may_fall}
        demands = parse_demands(asked)
        self._asked = demands.model_dump()
        self.session.workbench.advise_for(demands)

    def act_cancel(self, job: object = None) -> None:
        """Ends the search; what it has made stays."""
        if isinstance(job, str):
            self.session.cancel(job)

    def act_show(self, variant: object = None) -> None:
        """Shows a variant that a sentence speaks of."""
        self.session.reveal(self.session.known(variant))


def _number(name: str, typed: object) -> float | None:
    """What was typed into a field; None if nothing was.

    Raises:
        InvalidInput: If it is no number.
    """
    text = str("" if typed is None else typed).strip().replace(",", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        before, unit = _NUMBERS[name]
        raise InvalidInput(
            say(
                "“{before} … {unit}” takes a number. Received: {text}.",
                before=before,
                unit=unit,
                text=text[:40],
            ),
            say("Write it like 1.0, or leave it empty."),
        ) from None


def _loss(measure: TaskMeasure) -> Text:
    if measure.higher_is_better:
        return say("{measure} falls by at most", measure=measure.title)
    return say("{measure} grows by at most", measure=measure.title)


def _sentence(sentence: Sentence, ledger: Ledger) -> dict[str, Any]:
    made = [ledger.row(key) for key in sentence.rows]
    return {
        "text": str(sentence.text),
        "rows": [
            {"variant": row.observed.variant, "name": short(str(row.title))}
            for row in made
            if row.observed is not None
        ],
    }


def _table(ledger: Ledger, measure: TaskMeasure) -> dict[str, Any]:
    shown = ledger.rows[:_MOST_ROWS]
    return {
        "caption": str(
            say("{shown} of {count} combinations, the best first", shown=len(shown), count=len(ledger.rows))
        ),
        "columns": [
            column(say("Combination")),
            column(say("Runtime")),
            column(say("Status")),
            column(say("What is known of it")),
        ],
        "rows": [
            [
                str(row.title),
                str(runtime_title(row.runtime)),
                str(_STATUS[row.status]),
                str(_known(row, measure)),
            ]
            for row in shown
        ],
    }


def _known(row: Row, measure: TaskMeasure) -> Text:
    """What was measured, else why it was not, else what is expected."""
    if row.observed is not None:
        return facts(row, measure)
    if row.reason is not None:
        return row.reason
    if row.foreseen is None:
        return say("nothing yet")
    return say(
        "expected: {kilobytes} kB, {low} to {high} ms, {chance}% likely to meet the demands",
        kilobytes=f"{row.foreseen.file_bytes.value / 1000:.3g}",
        low=f"{row.foreseen.ms.low:.3g}",
        high=f"{row.foreseen.ms.high:.3g}",
        chance=round(100 * row.foreseen.meets),
    )
