"""Numbers and verdicts in words: the one way the page writes them."""

from __future__ import annotations

from collections.abc import Callable

from workbench.api.dataset import DatasetInfo
from workbench.api.number_format import brief as brief
from workbench.api.number_format import count as count
from workbench.api.number_format import digits as digits
from workbench.api.number_format import percent as percent
from workbench.api.number_format import points as points
from workbench.api.number_format import points_end as points_end
from workbench.api.number_format import points_interval as points_interval
from workbench.api.number_format import ratio as ratio
from workbench.api.number_format import score as score
from workbench.api.number_format import score_interval as score_interval
from workbench.api.number_format import signed as signed
from workbench.api.number_format import size as size
from workbench.api.number_format import time as time
from workbench.api.number_format import time_interval as time_interval
from workbench.api.number_format import times as times
from workbench.api.number_format import unit as unit
from workbench.api.task import Task, measure_of
from workbench.api.text import Text, say, verbatim
from workbench.engine.goal import say_title
from workbench.measure.records import Interval
from workbench.results.rows import ResultRow
from workbench.results.verdict_words import QUALITY_TONES as QUALITY_TONES
from workbench.results.verdict_words import SIZE_TONES as SIZE_TONES
from workbench.results.verdict_words import SPEED_TONES as SPEED_TONES
from workbench.results.verdict_words import Chip as Chip
from workbench.results.verdict_words import duration as duration
from workbench.results.verdict_words import quality_chip as quality_chip
from workbench.results.verdict_words import quality_verdict as quality_verdict
from workbench.results.verdict_words import short as short
from workbench.results.verdict_words import size_chip as size_chip
from workbench.results.verdict_words import size_verdict as size_verdict
from workbench.results.verdict_words import speed_chip as speed_chip
from workbench.results.verdict_words import speed_verdict as speed_verdict
from workbench.results.verdict_words import status_word as status_word
from workbench.runtimes import runtimes

_FAMILIES = {
    "structure": say("Structure"),
    "training": say("Training"),
    "inference": say("Inference"),
    "quantization": say("Quantization"),
    "distillation": say("Distillation"),
}


def runtime_title(name: str) -> Text:
    """What a runtime is called; its own name where it is not installed any more."""
    return say_title(name) if name in runtimes() else verbatim(name)


def family_title(family: str) -> Text:
    """The name of a family of techniques."""
    return _FAMILIES[family]


def latency_words(row: ResultRow) -> str:
    """The time of a call with its interval; empty until timed. Every surface writes it this way."""
    return "" if row.shown_ms is None else f"{time(row.shown_ms.value)} {time_interval(row.shown_ms)}"


def interval_words(interval: Interval, write: Callable[[float], str]) -> str:
    """The ends of an interval; what is exact has none."""
    if interval.low == interval.high:
        return str(say("exact"))
    return f"[{write(interval.low)}, {write(interval.high)}]"


def answers_text(info: DatasetInfo) -> Text:
    """What the labels of data are, in a word or two."""
    if info.judged:
        return say("{count} of {all} classes measured", count=len(info.judged), all=len(info.classes))
    match info.task:
        case "regression":
            if len(info.targets) == 1:
                return say("target {name}", name=short(info.targets[0], 30))
            return say("{count} target", "{count} targets", count=len(info.targets))
        case "multi-label":
            return say("{count} label", "{count} labels", count=len(info.classes))
        case "per position":
            return say("{count} classes at each position", count=len(info.classes))
        case "agreement":
            return say("no labels")
        case _:
            return say("{count} class", "{count} classes", count=len(info.classes))


def change_words(interval: Interval, task: Task) -> str:
    """The ends of the interval of a change of a task's measure."""
    return "[{}, {}]".format(*measure_of(task).change_ends(interval))
