"""What is expected of a step in one line of figures, and afterwards beside what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from widgets.charts.chart import column
from widgets.wording import digits, duration, percent, size, time, unit
from workbench.api.task import Task, measure_of
from workbench.api.text import Text, say
from workbench.jobs.state import JobState
from workbench.measure.records import Interval
from workbench.results.forecast import Forecast
from workbench.results.rows import ResultRow

_LEAST, _MOST = 0.01, 0.99
"""Chances are not said to be surer than that."""
_SAME = 0.005


def figures(forecast: Forecast, task: Task, *, makes: bool = True) -> list[str]:
    """Size, latency, chance and time, each as far as it is known, in the current language.

    Args:
        forecast: What is expected.
        task: What the model does.
        makes: Whether a file is made; else only the time is said.
    """
    said: list[Text] = []
    if makes:
        said.append(_size(forecast) or say("size known after it ran"))
        if forecast.ms is not None:
            said.append(_latency(forecast.ms, forecast.informed))
        if forecast.chance is not None:
            said.append(_chance(forecast, task))
    said.append(say("takes about {time}", time=duration(forecast.seconds)))
    return [str(one) for one in said]


def _size(forecast: Forecast) -> Text | None:
    found = forecast.file_bytes
    if found is None:
        return None
    if forecast.computed:
        return say("{size} (computed)", size=size(round(found.value)))
    return say("about {low} to {high}", low=size(round(found.low)), high=size(round(found.high)))


def _latency(ms: Interval, informed: int) -> Text:
    ends = _ends(ms)
    if not informed:
        return say("{time} (from other models)", time=ends)
    return say(
        "{time} (measured here on {count} variant)",
        "{time} (measured here on {count} variants)",
        time=ends,
        count=informed,
    )


def _ends(ms: Interval) -> Text:
    factor, name = unit(ms.value)
    return say(
        "{low} to {high} {unit}", low=digits(ms.low * factor), high=digits(ms.high * factor), unit=name
    )


def _chance(forecast: Forecast, task: Task) -> Text:
    assert forecast.chance is not None
    measure = measure_of(task)
    return say(
        "{measure} stays within {points} {unit}: {chance} likely",
        measure=measure.title,
        points=f"{100 * forecast.limit:g}",
        unit=measure.unit,
        chance=percent(min(max(forecast.chance, _LEAST), _MOST)),
    )


def foreseen_table(row: ResultRow, forecast: Forecast, jobs: Iterable[JobState]) -> dict[str, Any]:
    """What was expected of a variant beside what was measured, in the current language.

    Args:
        row: The variant.
        forecast: What was expected of it before it was made.
        jobs: Those that made it among them: how long it took.
    """
    lines: list[tuple[Text, Text | str, Text | str, Text | str]] = []
    if forecast.file_bytes is not None and row.size is not None:
        real = row.size.file_bytes
        lines.append(
            (say("File"), _size(forecast) or "", size(real), _verdict(forecast.file_bytes, float(real)))
        )
    shown = row.shown_ms
    if forecast.ms is not None and shown is not None:
        doubted = row.distrust is not None or row.total_distrust is not None
        verdict = say("not believed") if doubted else _verdict(forecast.ms, shown.value)
        lines.append((say("Latency"), _ends(forecast.ms), time(shown.value), verdict))
    change = row.quality_change
    if forecast.chance is not None and change is not None:
        measure = measure_of(change.task)
        found = say("{change} {unit}", change=measure.change(change.change.value), unit=measure.unit)
        kept = change.change.value >= -forecast.limit
        lines.append(
            (
                say("Change of {measure}", measure=measure.title),
                _chance(forecast, change.task),
                found,
                say("within the limit") if kept else say("beyond the limit"),
            )
        )
    taken = _seconds(row.variant.id, jobs)
    if taken is not None:
        lines.append(
            (
                say("Time to make and measure it"),
                duration(forecast.seconds),
                duration(taken),
                say("{ratio}× as long", ratio=digits(taken / max(forecast.seconds, 0.1))),
            )
        )
    return {
        "caption": str(say("Expected and measured")),
        "columns": [
            column(say("What")),
            column(say("Expected")),
            column(say("Came out")),
            column(say("Verdict")),
        ],
        "rows": [[str(cell) for cell in line] for line in lines],
    }


def _verdict(expected: Interval, real: float) -> Text:
    if expected.low * (1 - _SAME) <= real <= expected.high * (1 + _SAME):
        return say("as expected")
    off = percent(abs(real / expected.value - 1))
    return say("{share} more", share=off) if real > expected.value else say("{share} less", share=off)


def _seconds(variant: str, jobs: Iterable[JobState]) -> float | None:
    """How long the job took that made a variant alone; None where none has."""
    for job in jobs:
        if (job.kind, job.status, job.variant) == ("apply", "done", variant) and job.started and job.finished:
            return (job.finished - job.started).total_seconds()
    return None
