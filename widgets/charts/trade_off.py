"""The trade-off: two axes to choose, colour by verdict, intervals, lineage, the best ones ringed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.charts.axes import AXES, axis_of
from widgets.charts.chart import chart, column
from widgets.charts.scene import Scene, scene
from widgets.charts.trade_off_figure import mark_family, mark_id, trade_off_figure
from widgets.component import Component, words
from widgets.wording import QUALITY_TONES, family_title, latency_words, short, size
from workbench.api.errors import InvalidInput
from workbench.api.task import TaskMeasure, measure_of
from workbench.api.text import Text, say
from workbench.measure.records import QualityWord
from workbench.results.rows import ResultRow, task_of


class TradeoffChart(Component):
    """What each variant costs and what it gives.

    Args:
        workbench: A workbench, or the session of one.

    Example:
        >>> chart = TradeoffChart(workbench)  # as the last line of a cell it is drawn
    """

    _esm = esm("tradeOff")
    panel: ClassVar[str] = "trade-off"
    follows: ClassVar[frozenset[str]] = frozenset(
        {"variants", "results", "selection", "axes", "goal", "search"}
    )

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        session = self.session
        across, up = session.axes
        searching = any(job.kind == "advise" and not job.ended for job in session.jobs)
        ledger = session.workbench.ledger if searching else None
        picture = scene(session.rows, across, up, session.tolerance, ledger)
        title = say("Trade-off")
        task = session.task
        shown: dict[str, Any] = {
            "labels": words(CHART_LABELS)
            | words(_LABELS | {"verdict": say("verdict on {measure}", measure=measure_of(task).title)}),
            "title": str(title),
            # That there is nothing yet is said once, by the table.
            "empty": not session.rows,
            "x": across,
            "y": up,
            "by": session.coloured_by,
            "axes": [
                {"value": axis.key, "title": str(axis.title)} for axis in (axis_of(key, task) for key in AXES)
            ],
        }
        if session.rows:
            compared = session.compared if session.selected is not None else None
            figure = trade_off_figure(picture, session.selected, compared, session.coloured_by)
            summary = " ".join(map(str, summary_of(picture)))
            shown["chart"] = chart(str(title), figure, summary, *scene_table(picture), 380)
            shown["legend"] = legend(picture, session.coloured_by) + _legend_of_rings(
                picture, session.selected, compared
            )
        return shown

    def act_select(self, variant: object = None) -> None:
        """Shows a variant's details."""
        self.session.reveal(variant)

    def act_axes(self, x: object = None, y: object = None) -> None:
        """Chooses what is drawn across and up; what is taken from the other axis changes places with it."""
        before = self.session.axes
        if not (isinstance(x, str) and isinstance(y, str) and x in AXES and y in AXES):
            raise InvalidInput(say("There is no such axis."))
        if x == y:
            x, y = (x, before[0]) if x != before[0] else (before[1], y)
        self.session.draw(x, y)

    def act_colour(self, by: object = None) -> None:
        """Chooses what colours tell."""
        if by not in ("verdict", "family"):
            raise InvalidInput(say("Colours tell the verdict or the family."))
        self.session.colour(str(by))


CHART_LABELS = {
    "table": say("Show as table"),
    "picture": say("Show as picture"),
    "save": say("Save picture"),
}
_LABELS = {
    "x": say("across"),
    "y": say("up"),
    "by": say("colour"),
    "family": say("family of technique"),
    "legend": say("Legend"),
}


def _verdicts(measure: TaskMeasure) -> dict[QualityWord, Text]:
    return {
        "kept": say("{measure} kept", measure=measure.title),
        "not proven": say("not proven"),
        "lost": say("{measure} lost", measure=measure.title),
    }


def legend(picture: Scene, by: str) -> list[dict[str, str]]:
    """What shapes, colours and lines mean: only of what is in the picture."""
    measure = measure_of(task_of([*(mark.row for mark in picture.marks), *picture.missing]))
    told = [
        {
            "kind": "shape",
            "name": family,
            "words": str(say("Baseline") if family == "baseline" else family_title(family)),
        }
        for family in dict.fromkeys(mark_family(mark) for mark in picture.marks)
    ]
    if by == "verdict":
        found = {mark.row.quality_change.word for mark in picture.marks if mark.row.quality_change}
        told += [
            {"kind": "verdict", "name": QUALITY_TONES[word], "words": str(text)}
            for word, text in _verdicts(measure).items()
            if word in found
        ]
    if any(mark.front for mark in picture.marks):
        told.append({"kind": "ring", "name": "", "words": str(say("no other is better on both axes"))})
    if any(mark.unsure for mark in picture.marks):
        told.append({"kind": "unsure", "name": "", "words": str(say("the machine was busy: measure again"))})
    if picture.expected:
        told.append({"kind": "expected", "name": "", "words": str(say("expected, not tried yet (80%)"))})
    if picture.corner is not None and picture.corner.x is not None:
        told.append({"kind": "band", "name": "", "words": str(say("what is needed"))})
    elif picture.tolerance is not None:
        fall = round(100 * picture.tolerance, 2)
        fall = int(fall) if fall == int(fall) else fall
        most = (
            say(
                "{measure} falls by at most {count} point",
                "{measure} falls by at most {count} points",
                measure=measure.title,
                count=fall,
            )
            if measure.higher_is_better
            else say("{measure} grows by at most {share}%", measure=measure.title, share=fall)
        )
        told.append({"kind": "band", "name": "", "words": str(most)})
    return told


def _legend_of_rings(picture: Scene, selected: str | None, compared: str | None) -> list[dict[str, str]]:
    names = {mark_id(mark): short(mark.row.variant.name, 22) for mark in picture.marks}
    told = []
    if selected in names:
        told.append(
            {"kind": "selected", "name": "", "words": str(say("selected: {name}", name=names[selected]))}
        )
    if compared in names:
        told.append(
            {
                "kind": "compared",
                "name": "",
                "words": str(say("compared with: {name}", name=names[compared])),
            }
        )
    return told


def summary_of(picture: Scene) -> list[Text]:
    """The picture in sentences."""

    def names(some: Sequence[ResultRow]) -> tuple[str, ...]:
        return tuple(short(row.variant.name) for row in some) or ("–",)

    said = [
        say(
            "Best on both axes: {names}.",
            names=names([mark.row for mark in picture.marks if mark.front]),
        )
    ]
    if picture.missing:
        said.append(say("Not in the picture, because a number is missing: {names}.",
                        names=names(picture.missing)))  # fmt: skip
    return said


def scene_table(picture: Scene) -> tuple[list[dict[str, Any]], list[list[str]]]:
    """The head and the rows of the table behind the picture."""
    columns = [
        column(say("Variant")),
        column(picture.across.title, numeric=True),
        column(say("95% interval"), numeric=True),
        column(picture.up.title, numeric=True),
        column(say("95% interval"), numeric=True),
        column(say("Latency"), numeric=True),
        column(say("File"), numeric=True),
        column(say("Best on both axes")),
    ]
    measured = [
        [
            short(mark.row.variant.name),
            picture.across.write(mark.x.value) + (" ?" if mark.unsure else ""),
            picture.across.interval(mark.x),
            picture.up.write(mark.y.value),
            picture.up.interval(mark.y),
            latency_words(mark.row) or "–",
            size(mark.row.size.file_bytes) if mark.row.size is not None else "–",
            str(say("yes") if mark.front else say("no")),
        ]
        for mark in picture.marks
    ]
    return columns, measured + [
        [
            str(say("{name} (expected)", name=one.title)),
            picture.across.write(one.x.value),
            picture.across.interval(one.x),
            picture.up.write(one.y.value),
            picture.up.interval(one.y),
            *["–"] * 3,
        ]
        for one in picture.expected
    ]
