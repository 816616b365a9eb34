"""The trade-offs of a room: all learners' variants in one picture, each against its learner's baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

from widgets.charts.scene import scene
from widgets.charts.trade_off import summary_of
from widgets.report.document import legend_list
from widgets.report.drawing import drawing
from widgets.report.markup import element
from workbench.api.task import Task
from workbench.api.text import say, verbatim
from workbench.api.variant import ModelDescription, Variant
from workbench.course.board import Answer, Place, demands_met
from workbench.course.class_settings import Demands
from workbench.course.hand_in import Ends, Made
from workbench.measure.records import Interval, QualityVerdict, QualityWord, SizeVerdict
from workbench.results.rows import ResultRow

_PICTURES = (("size", "change"), ("speed", "change"))
_MOST_NAMED = 40
_WORDS: dict[Answer, QualityWord] = {"met": "kept", "missed": "lost"}


def pictures(places: Sequence[Place], demands: Demands) -> Iterator[Element]:
    """The pictures of a board; what stands on it has the name of its learner.

    Args:
        places: The learners in their order.
        demands: Of the challenge: how much F1 may fall is drawn.
    """
    rows = list(_rows(places, demands))
    for across, up in _PICTURES:
        picture = scene(rows, across, up, demands.may_fall)
        if not picture.marks:
            continue
        name = str(say("{up} over {across}", up=picture.up.title, across=picture.across.title))
        yield element(
            "figure",
            element("figcaption", name),
            drawing(picture, name),
            legend_list(picture),
            element("p", " ".join(map(str, summary_of(picture))), class_="hint"),
        )


def _rows(places: Sequence[Place], demands: Demands) -> Iterator[ResultRow]:
    for number, place in enumerate(places):
        for position, made in enumerate(place.work.variants):
            if made.baseline or made.automatic:
                continue
            chosen = made is place.variant and number < _MOST_NAMED
            yield _row(
                f"{number}-{position}",
                place.work.learner if chosen else "",
                made,
                place.work.task,
                demands,
            )


def _row(id_: str, name: str, made: Made, task: Task, demands: Demands) -> ResultRow:
    """A variant of a learner as the picture takes it."""
    variant = Variant(
        id=id_,
        name=name,
        format="keras",
        path=Path(id_),
        sha256="",
        runtime=made.runtime,
        description=ModelDescription(inputs=(), outputs=(), layers=(), parameters=0, task=task),
        technique=made.steps[-1] if made.steps else None,
        parent="baseline",
        created=datetime.now(UTC),
        seconds=0.0,
    )
    speedup = None if made.speedup is None else _interval(made.speedup)
    change = None
    if made.change is not None:
        change = QualityVerdict(
            variant=id_,
            reference="baseline",
            change=_interval(made.change),
            tolerance=demands.may_fall,
            word=_WORDS.get(demands_met(made, demands, None).quality, "not proven"),
            task=task,
        )
    ratio = made.times_smaller
    return ResultRow(
        variant=variant,
        size_change=None
        if ratio is None
        else SizeVerdict(ratio=ratio, word="smaller" if ratio > 1 else "larger"),
        total_speedup=speedup,
        paired_ms=speedup,  # what the picture asks for is whether it was timed beside its baseline
        distrust=verbatim(made.doubt) if made.doubt else None,
        quality_change=change,
    )


def _interval(ends: Ends) -> Interval:
    return Interval(value=ends.value, low=ends.low, high=ends.high)
