"""What came out of a variant or a job: its three ratios, as chips and as a sentence."""

from __future__ import annotations

from typing import Any

from widgets.session import Session
from widgets.wording import Chip, quality_chip, ratio, runtime_title, short, size_chip, speed_chip
from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.engine.goal import Goal, conclusion
from workbench.jobs.state import JobState
from workbench.results.forgotten_words import drift_words
from workbench.results.inside_words import worst_words
from workbench.results.lookup import row_of
from workbench.results.rows import ResultRow


def chips(row: ResultRow) -> list[dict[str, Any]]:
    """Size, speed and F1 (or another measure) of a variant, each against the baseline."""
    shown = [("size", size_chip(row)), ("speed", total_speed_chip(row)), ("quality", quality_chip(row))]
    return [
        {
            "name": name,
            "words": str(_called(row, chip) if name == "quality" else chip.words),
            "tone": chip.tone,
        }
        for name, chip in shown
        if chip is not None
    ]


def total_speed_chip(row: ResultRow) -> Chip | None:
    """How much faster it is than the baseline, the runtime included, unless that is not believed."""
    if row.total_speedup is None or row.variant.is_baseline:
        return speed_chip(row)
    if row.distrust is not None or row.total_distrust is not None:
        # The line has the button that measures it again.
        return Chip(say("speed in doubt"), "unsure")
    change = row.total_speedup
    if change.low > 1:
        return Chip(say("{ratio}× faster", ratio=ratio(change.value)), "good")
    if change.high < 1:
        return Chip(say("{ratio}× slower", ratio=ratio(1 / change.value)), "bad")
    return Chip(say("no measurable change of speed"), "same")


def alike(row: ResultRow) -> Text | None:
    """What its technique brought in its runtime; None where the runtime is all that has changed."""
    if row.speed is None or row.variant.is_reference or row.distrust is not None:
        return None
    chip = speed_chip(row)
    if chip is None:
        return None
    return say(
        "against float32 in {runtime}: {verdict}",
        runtime=runtime_title(row.variant.runtime),
        verdict=chip.words,
    )


def outcome(row: ResultRow) -> Text:
    """The same in a sentence, the speed against float32 in its own runtime, which is what was brought."""
    said = [size_chip(row), speed_chip(row)]
    quality = quality_chip(row)
    words = [chip.words for chip in said if chip is not None]
    if quality is not None:
        words.append(_called(row, quality))
    name = short(row.variant.name)
    match words:
        case [first, second, third]:
            return say(
                "{name}: {size} · {speed} · {quality}", name=name, size=first, speed=second, quality=third
            )
        case [first, second]:
            return say("{name}: {size} · {quality}", name=name, size=first, quality=second)
        case [first]:
            return say("{name}: {what}", name=name, what=first)
        case _:
            return say("{name}: made, not measured", name=name)


def outcome_of(job: JobState, session: Session) -> Text | None:
    """What came out of a job that has ended well; None where there is nothing to say."""
    if job.status != "done":
        return None
    if job.kind == "inside":
        return _found_inside(job, session)
    if job.kind == "forgotten":
        return _found_forgotten(job, session)
    row = row_of(session.rows, job.variant)
    if job.kind == "advise":
        ledger = session.workbench.ledger
        if row is not None:
            return say("Found: {what}", what=outcome(row))
        return ledger.sentences[0].text if ledger is not None and ledger.sentences else None
    if job.kind == "find":
        if row is not None:
            return say("Found: {what}", what=outcome(row))
        goal = job.request.get("goal")
        return conclusion(session.rows, Goal.model_validate(goal)) if goal is not None else None
    if row is None:
        return say("Its workbench is under “Open …” now.") if job.kind == "open" else None
    if row.variant.is_baseline:
        return say("{name} is open and measured", name=short(row.variant.name))
    return outcome(row)


def _found_inside(job: JobState, session: Session) -> Text | None:
    row = row_of(session.rows, job.request["variant"])
    if row is None:
        return None
    known = session.workbench.inside_now(row.variant, job.request["against"])
    where = worst_words(known)
    return None if where is None else say("{name}: {what}", name=short(row.variant.name), what=where)


def _found_forgotten(job: JobState, session: Session) -> Text | None:
    row = row_of(session.rows, job.request["variant"])
    if row is None or row_of(session.rows, job.request["against"]) is None:
        return None
    what = drift_words(session.workbench.forgotten_now(row.variant, job.request["against"]))
    return None if what is None else say("{name}: {what}", name=short(row.variant.name), what=what)


def _called(row: ResultRow, chip: Chip) -> Text:
    change = row.quality_change
    if change is not None and change.deciding.output != change.output:
        return chip.words  # they name the output that decides, and it is of another measure
    measure = measure_of(row.variant.description.task)
    return say("{measure} {verdict}", measure=measure.title, verdict=chip.words)
