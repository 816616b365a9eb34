"""The selected variant: what it now gets right and wrong, what is inside, how it was made."""

from __future__ import annotations

import base64
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.charts.chart import column
from widgets.charts.classes import class_chart, confusion_chart
from widgets.charts.found import findings
from widgets.charts.trade_off import CHART_LABELS
from widgets.component import Component, words
from widgets.panels.numbers import numbers_table
from widgets.wording import count, short, size
from workbench.errors import WorkbenchError
from workbench.results import Details, ResultRow
from workbench.text import Text, say
from workbench.variant import Variant

_MOST_FLIPS = 60
_LABELS = {
    "code": say("The code that does the same"),
    "recipe": say("Recipe"),
    "copy": say("Copy"),
    "copied": say("Copied"),
    "shown": say("Details are shown."),
}


class DetailsPanel(Component):
    """Details of the selected variant.

    Args:
        workbench: A workbench, or the session of one.
    """

    _esm = esm("details")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results", "selection"})

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        row = next((row for row in self.session.rows if row.variant.id == self.session.selected), None)
        labels = words(_LABELS) | words(CHART_LABELS)
        if row is None:
            return {
                "labels": labels,
                "title": str(say("Details")),
                "variant": None,
                "empty": str(say("Select a variant to see what it gets right and wrong.")),
            }
        variant = row.variant
        details, waiting = self._compared(variant)
        return {
            "labels": labels,
            "variant": variant.id,
            "title": short(variant.name),
            "aside": self._aside(details),
            "waiting": waiting,
            "charts": [] if details is None else [class_chart(details), confusion_chart(details)],
            "flips": self._flips(details),
            "layers": _layers(variant),
            "numbers": numbers_table(row),
            "found": findings(row.tables),
            "report": _report(row),
            "code": self._code(variant),
            "recipe": self._recipe(variant),
            "tabs": [
                _tab("quality", say("Quality by class"), details is not None or waiting is not None),
                _tab("flips", say("Changed predictions"), details is not None),
                _tab("numbers", say("All numbers"), True),
                _tab("layers", say("Layers"), bool(variant.description.layers)),
                _tab("found", say("What was found"), bool(row.tables)),
                _tab("report", say("How it was made"), True),
            ],
        }

    def _compared(self, variant: Variant) -> tuple[Details | None, str | None]:
        reference = self.session.compared
        if reference is None:
            return None, None
        try:
            return self.session.workbench.details(variant.id, reference), None
        except WorkbenchError as error:
            return None, str(error.text)

    def _aside(self, details: Details | None) -> str:
        if details is None:
            return ""
        name = self.session.workbench.variant(details.reference).name
        return str(say("compared with {name}", name=short(name)))

    def _flips(self, details: Details | None) -> dict[str, Any]:
        if details is None:
            return {"summary": "", "samples": []}
        lost = sum(flip.label == flip.before for flip in details.flips)
        won = sum(flip.label == flip.after for flip in details.flips)
        summary = say(
            "{count} predictions changed: {lost} became wrong, {won} became right.",
            count=len(details.flips),
            lost=lost,
            won=won,
        )
        if len(details.flips) > _MOST_FLIPS:
            summary = say("{summary} The first {count} are shown.", summary=summary, count=_MOST_FLIPS)
        return {
            "summary": str(summary),
            "samples": [
                {
                    "index": flip.index,
                    "lost": flip.label != flip.after,
                    "picture": self._picture(flip.index),
                    "title": str(say("Test sample {index}", index=flip.index)),
                    "label": short(details.classes[flip.label], 30),
                    "change": " → ".join(
                        short(details.classes[one], 30) for one in (flip.before, flip.after)
                    ),
                }
                for flip in details.flips[:_MOST_FLIPS]
            ],
        }

    def _picture(self, index: int) -> str | None:
        png = self.session.workbench.picture(index)
        return None if png is None else f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"

    def _code(self, variant: Variant) -> str | None:
        if variant.technique is None or variant.parent is None:
            return None
        try:
            return self.session.workbench.code(variant.technique, variant.parent, variant.parameters)
        except WorkbenchError:  # its parent was deleted, or its technique is no longer installed
            return None

    def _recipe(self, variant: Variant) -> str | None:
        return None if variant.parent is None else self.session.workbench.recipe(variant.id).to_yaml()


def _tab(name: str, title: Text, shown: bool) -> dict[str, Any]:
    return {"name": name, "title": str(title), "shown": shown}


def _layers(variant: Variant) -> dict[str, Any]:
    return {
        "caption": str(say("Layers of {name}", name=short(variant.name))),
        "columns": [
            column(say("Layer")),
            column(say("Kind")),
            column(say("Output shape")),
            column(say("Parameters"), numeric=True),
            column(say("Bytes"), numeric=True),
            column(say("Precision")),
        ],
        "rows": [
            [
                short(layer.name),
                short(layer.kind),
                "×".join("?" if length is None else str(length) for length in layer.output_shape),
                count(layer.parameters),
                size(layer.size_bytes),
                layer.precision,
            ]
            for layer in variant.description.layers
        ],
    }


def _report(row: ResultRow) -> list[dict[str, Any]]:
    report = row.variant.report
    parts = [
        (say("Doctor's notes"), [str(note) for note in row.notes]),
        (say("Changed"), [str(line) for line in report.touched]),
        (
            say("Left alone, and why"),
            [
                str(say("{name}: {reason}", name=short(skip.name), reason=skip.reason))
                for skip in report.skipped
            ],
        ),
        (say("Notes"), [str(line) for line in report.notes]),
        (say("Parameters"), [f"{name}: {value}" for name, value in row.variant.parameters.items()]),
        (say("File"), [row.variant.path.name, f"SHA-256 {row.variant.sha256}"]),
    ]
    return [{"title": str(title), "lines": lines} for title, lines in parts if lines]
