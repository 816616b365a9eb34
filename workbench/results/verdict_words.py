"""Verdicts and states in words: the one way the page, a notebook and the command line write them."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from workbench.api.number_format import ratio
from workbench.api.task import measure_of
from workbench.api.text import Text, say, verbatim
from workbench.measure.records import QualityVerdict, SizeVerdict, SpeedVerdict

if TYPE_CHECKING:
    from workbench.results.rows import ResultRow

_LONGEST = 48
_STATUS = {
    "queued": say("queued"),
    "running": say("running"),
    "waiting": say("waiting"),
    "done": say("done"),
    "failed": say("failed"),
    "cancelled": say("cancelled"),
    "interrupted": say("interrupted"),
}


def status_word(status: str) -> Text:
    """Where a job is."""
    return _STATUS[status]


def short(name: str, longest: int = _LONGEST) -> str:
    """A name from a file or a user on one line: no control or direction marks, not endless."""
    plain = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C").strip()
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def duration(seconds: float) -> Text:
    """A time that somebody waits."""
    if seconds < 1:
        return say("under 1 s")
    if seconds < 90:
        return say("{count} s", count=round(seconds))
    return say("{count} min", count=round(seconds / 60))


def speed_verdict(verdict: SpeedVerdict) -> Text:
    """Faster, slower or no measurable change, by how much, and how sure."""
    change = verdict.speedup
    if verdict.word == "slower":
        return say(
            "{ratio}× slower [{low}, {high}]",
            ratio=ratio(1 / change.value),
            low=ratio(1 / change.high),
            high=ratio(1 / change.low),
        )
    holes = {"ratio": ratio(change.value), "low": ratio(change.low), "high": ratio(change.high)}
    if verdict.word == "faster":
        return say("{ratio}× faster [{low}, {high}]", **holes)
    return say("no measurable change: ×{ratio} [{low}, {high}]", **holes)


def quality_verdict(verdict: QualityVerdict) -> Text:
    """Kept, lost or not proven, by how much, and how sure; of several outputs, the one that decides."""
    deciding = verdict.deciding
    if verdict.further and deciding.output != verdict.output:
        return say(
            "{output}: {verdict}", output=verbatim(str(deciding.output)), verdict=quality_verdict(deciding)
        )
    measure = measure_of(verdict.task)
    low, high = measure.change_ends(verdict.change)
    holes: dict[str, str | Text] = {
        "change": measure.change(verdict.change.value),
        "unit": measure.unit,
        "low": low,
        "high": high,
    }
    if verdict.word == "kept":
        return say("kept: {change} {unit} [{low}, {high}]", **holes)
    if verdict.word == "lost":
        return say("lost: {change} {unit} [{low}, {high}]", **holes)
    return say("not proven: {change} {unit} [{low}, {high}]", **holes)


class Chip(NamedTuple):
    """A verdict as every surface writes it.

    Attributes:
        words: What it says.
        tone: ``good``, ``bad``, ``same``, ``unsure``, ``kept`` or ``lost``; the sign before the words, such
            as a question mark, comes with it.
    """

    words: Text
    tone: str


def size_verdict(verdict: SizeVerdict) -> Text:
    """Smaller, larger or of the same size, and by how much."""
    if verdict.word == "smaller":
        return say("{ratio}× smaller", ratio=ratio(verdict.ratio))
    if verdict.word == "larger":
        return say("{ratio}× larger", ratio=ratio(1 / verdict.ratio))
    return say("same size")


def size_chip(row: ResultRow) -> Chip | None:
    """How much smaller its file is than the baseline's; None where there is nothing to compare."""
    if row.size_change is None:
        return None
    return Chip(size_verdict(row.size_change), SIZE_TONES[row.size_change.word])


def speed_chip(row: ResultRow) -> Chip | None:
    """How much faster it is than float32 in the same runtime, unless that is not believed.

    None where there is nothing to compare.
    """
    if row.speed is None:
        return None
    if row.distrust is not None:
        return Chip(say("machine was busy: measure again"), "unsure")
    return Chip(speed_verdict(row.speed), SPEED_TONES[row.speed.word])


def quality_chip(row: ResultRow) -> Chip | None:
    """How its measure has changed against the baseline's; None where there is nothing to compare."""
    if row.quality is not None and row.quality.near_chance:
        if row.quality.task == "regression":
            return Chip(say("no better than the median"), "lost")
        return Chip(say("near chance: is the scaling right?"), "lost")
    if row.quality_change is None:
        return None
    return Chip(quality_verdict(row.quality_change), QUALITY_TONES[row.quality_change.word])


SIZE_TONES = {"smaller": "good", "same size": "same", "larger": "bad"}
SPEED_TONES = {"faster": "good", "slower": "bad", "no measurable change": "same"}
QUALITY_TONES = {"kept": "kept", "lost": "lost", "not proven": "unsure"}
