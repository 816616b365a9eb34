"""Guess first: what the step that runs will bring, asked before it is known and drawn beside the result."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.session import message_of
from widgets.wording import digits, points, ratio, short
from workbench.api.errors import InvalidInput
from workbench.api.task import TaskMeasure, measure_of
from workbench.api.text import Text, say
from workbench.jobs.state import JobState
from workbench.results.guess import Guess, parse_guess
from workbench.results.lookup import row_of
from workbench.results.rows import ResultRow

_LABELS = {
    "smaller": say("Times smaller"),
    "faster": say("Times faster"),
    "guess": say("That is my guess"),
    "guessed": say("guessed"),
    "found": say("measured"),
}


class GuessPanel(Component):
    """Asks for a guess while a variant is being made, and shows it beside what was measured.

    Args:
        workbench: A workbench, or the session of one.

    Example:
        >>> panel = GuessPanel(workbench)
    """

    _esm = esm("guess")
    panel: ClassVar[str] = "guess"
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results", "jobs"})

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        job = self._open_question()
        guess = None if job is None else self.session.workbench.guessed(job.id)
        judged = None if job is not None else self._judged()
        return {
            "labels": words(_LABELS | {"points": _asked(measure_of(self.session.task))}),
            "title": str(say("Guess first")),
            "job": job.id if job is not None and guess is None else None,
            "question": None
            if job is None or guess is not None
            else str(say("What will come of it: {step}?", step=job.title)),
            "hint": str(say("Against the baseline; leave out what you have no idea of.")),
            "waiting": None if guess is None else _said(guess, measure_of(self.session.task)),
            "variant": None if judged is None else judged.variant.id,
            "name": None
            if judged is None
            else str(say("Your guess for {name}", name=short(judged.variant.name))),
            "results": [] if judged is None else comparisons(judged),
            "problem": message_of(self.problem),
        }

    def _open_question(self) -> JobState | None:
        """The job whose result nobody knows yet."""
        for job in reversed(self.session.jobs):
            if job.ended or job.kind != "apply" or "technique" not in job.request:
                continue
            row = row_of(self.session.rows, job.variant)
            if row is None or row.quality is None:
                return job
        return None

    def _judged(self) -> ResultRow | None:
        """The newest variant that something was guessed of."""
        return next((row for row in reversed(self.session.rows) if row.guess is not None), None)

    def act_guess(
        self, job: object = None, smaller: object = None, faster: object = None, points: object = None
    ) -> None:
        """Takes a guess."""
        question = self._open_question()
        if question is None or question.id != job:
            raise InvalidInput(say("That is known already: guess before the next step."))
        self.session.workbench.guess(question.id, parse_guess(smaller, faster, points))


def _asked(measure: TaskMeasure) -> Text:
    """The head of the field for the change of quality: an error's is a share of what it was."""
    if measure.higher_is_better:
        return say("Change of {measure} in points", measure=measure.title)
    return say("Change of {measure} in %", measure=measure.title)


def _said(guess: Guess, measure: TaskMeasure) -> str:
    parts = []
    if guess.smaller is not None:
        parts.append(say("{ratio}× smaller", ratio=ratio(guess.smaller)))
    if guess.faster is not None:
        parts.append(say("{ratio}× faster", ratio=ratio(guess.faster)))
    if guess.points is not None:
        change = points(guess.points / 100)
        parts.append(
            say("{measure} {change} {unit}", measure=measure.title, change=change, unit=measure.unit)
        )
    return str(say("You guessed: {guess}. Wait and see.", guess=tuple(parts)))


def comparisons(row: ResultRow) -> list[dict[str, Any]]:
    """Each thing that was guessed of a variant, beside what was measured as far as it is known."""
    guess = row.guess
    assert guess is not None
    found = []
    if guess.smaller is not None:
        size = None if row.size_change is None else row.size_change.ratio
        known = None if size is None else (size, size, size)
        found.append(
            _beside(say("Size"), guess.smaller, known, lambda value: f"{ratio(value)}×", logarithmic=True)
        )
    if guess.faster is not None:
        speed = row.total_speedup
        known = None if speed is None else (speed.value, speed.low, speed.high)
        found.append(
            _beside(say("Speed"), guess.faster, known, lambda value: f"{ratio(value)}×", logarithmic=True)
            | _doubted(row)
        )
    if guess.points is not None:
        measure = measure_of(row.variant.description.task)
        found.append(
            _beside(
                measure.title,
                guess.points / 100,
                _quality_change(row, measure),
                lambda value: f"{points(value)} {measure.unit}",
                logarithmic=False,
                error=not measure.higher_is_better,
            )
        )
    return found


def _quality_change(row: ResultRow, measure: TaskMeasure) -> tuple[float, float, float] | None:
    """How the number itself has changed: an error that became larger has a plus, as it is guessed."""
    if row.quality_change is None:
        return None
    change = row.quality_change.change
    if measure.higher_is_better:
        return change.value, change.low, change.high
    return -change.value, -change.high, -change.low


def _doubted(row: ResultRow) -> dict[str, Any]:
    """A timing that is not believed proves no guess right or wrong."""
    doubt = message_of(row.distrust or row.total_distrust)
    return {} if doubt is None else {"doubt": doubt, "verdict": None}


def _beside(
    title: Text,
    guess: float,
    known: tuple[float, float, float] | None,
    write: Any,
    *,
    logarithmic: bool,
    error: bool = False,
) -> dict[str, Any]:
    """A guess and what came out on one scale."""
    shown: dict[str, Any] = {
        "title": str(title),
        "guess": write(guess),
        "found": None,
        "verdict": None,
        "doubt": None,
    }
    if known is None:
        return shown | {"verdict": str(say("not measured yet"))}
    value, low, high = known
    ends = f" [{write(low)}, {write(high)}]" if low < high else ""
    return shown | {
        "found": write(value) + ends,
        "verdict": str(_verdict(guess, known, logarithmic=logarithmic, error=error)),
        **places(guess, known, logarithmic=logarithmic),
    }


def _verdict(
    guess: float, known: tuple[float, float, float], *, logarithmic: bool, error: bool = False
) -> Text:
    value, low, high = known
    if low <= guess <= high:
        return say("Right: it is within the interval.") if low < high else say("Exactly right.")
    if not logarithmic:
        off = digits(100 * abs(guess - value))
        return (
            say("Off by {share}% of the error.", share=off)
            if error
            else say("Off by {points} points.", points=off)
        )
    times = max(guess / value, value / guess)
    if times < 1.1:
        return say("Close: less than 10% off.")
    return (
        say("Guessed {ratio}× too much.", ratio=ratio(times))
        if guess > value
        else say("It is {ratio}× more than that.", ratio=ratio(times))
    )


def places(guess: float, known: tuple[float, float, float], *, logarithmic: bool) -> dict[str, float]:
    """Where on a line from 0 to 1 everything is; no change is a place, too."""
    scale = math.log if logarithmic else float
    none = 1.0 if logarithmic else 0.0
    marks = {"guessAt": guess, "at": known[0], "lowAt": known[1], "highAt": known[2], "noneAt": none}
    scaled = {name: scale(mark) for name, mark in marks.items()}
    least, most = min(scaled.values()), max(scaled.values())
    room = (most - least) * 0.08 or 1.0
    return {name: (mark - least + room) / (most - least + 2 * room) for name, mark in scaled.items()}
