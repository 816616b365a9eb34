"""Numbers and verdicts in words: the one way the page writes them."""

from __future__ import annotations

import unicodedata

from workbench.measure.records import QualityVerdict, SpeedVerdict
from workbench.number_format import brief as brief
from workbench.number_format import count as count
from workbench.number_format import digits as digits
from workbench.number_format import percent as percent
from workbench.number_format import points as points
from workbench.number_format import points_end as points_end
from workbench.number_format import points_interval as points_interval
from workbench.number_format import ratio as ratio
from workbench.number_format import score as score
from workbench.number_format import score_interval as score_interval
from workbench.number_format import signed as signed
from workbench.number_format import size as size
from workbench.number_format import time as time
from workbench.number_format import time_interval as time_interval
from workbench.number_format import times as times
from workbench.text import Text, say

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
_FAMILIES = {
    "structure": say("Structure"),
    "training": say("Training"),
    "inference": say("Inference"),
    "quantization": say("Quantization"),
    "distillation": say("Distillation"),
}


def status_word(status: str) -> Text:
    """Where a job is."""
    return _STATUS[status]


def family_title(family: str) -> Text:
    """The name of a family of techniques."""
    return _FAMILIES[family]


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
    """Kept, lost or not proven, by how much, and how sure."""
    change = verdict.change
    holes: dict[str, str] = {
        "change": points(change.value),
        "low": points_end(change.low),
        "high": points_end(change.high),
    }
    if verdict.word == "kept":
        return say("kept: {change} pt [{low}, {high}]", **holes)
    if verdict.word == "lost":
        return say("lost: {change} pt [{low}, {high}]", **holes)
    return say("not proven: {change} pt [{low}, {high}]", **holes)


SPEED_TONES = {"faster": "good", "slower": "bad", "no measurable change": "same"}
QUALITY_TONES = {"kept": "kept", "lost": "lost", "not proven": "unsure"}
