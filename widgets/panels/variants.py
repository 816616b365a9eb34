"""The table of variants: one line each, sorted and filtered on the page, and what can be done with one."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.charts.axes import AXES
from widgets.charts.chart import family_of
from widgets.charts.scene import doubt_of
from widgets.component import words
from widgets.panels.actions import ACTION_LABELS, VariantActions
from widgets.panels.lineage import LINEAGE_LABELS, lineage_row
from widgets.report.document import report_html
from widgets.session import message_of
from widgets.transfer import send_file
from widgets.wording import (
    Chip,
    duration,
    quality_chip,
    runtime_title,
    short,
    size,
    size_chip,
    speed_chip,
    time,
)
from workbench.api.lineage import Lineage
from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.results.origin import ancestors_words
from workbench.results.rows import ResultRow
from workbench.results.table import Results

_PROCESSES, _RUN_SECONDS, _FILE_SECONDS, _START_SECONDS = 5, 12, 2, 5
"""Of the long protocol: processes, a run of few files, a file of a longer run, a process until it times."""

_LABELS = (
    ACTION_LABELS
    | LINEAGE_LABELS
    | {
        "variant": say("Variant"),
        "size": say("Size"),
        "speed": say("Speed"),
        "starred": say("Star"),
        "front": say("best trade-off"),
        "onlyFront": say("Best trade-offs"),
        "onlyStarred": say("Starred"),
        "noReferences": say("Without references"),
        "csv": say("CSV"),
        "report": say("Report"),
        "reportHint": say(
            "Download a report: one page with charts, table, notes and recipes, to print or to send"
        ),
        "csvHint": say("Download the whole table as CSV"),
        "final": say("Measure for the record"),
        "busy": say("being measured"),
        "missing": say("not measured"),
        "none": say("No variant passes these filters."),
        "all": say("Show all"),
    }
)


class VariantsTable(VariantActions):
    """All variants of a workbench.

    Args:
        workbench: A workbench, or the session of one.

    Example:
        >>> table = VariantsTable(workbench)
    """

    _esm = esm("variants")
    panel: ClassVar[str] = "variants"
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results", "selection", "jobs"})

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        session = self.session
        rows = session.rows
        names = {row.variant.id: short(row.variant.name) for row in rows}
        lineage = Lineage(row.variant for row in rows)
        return {
            "labels": words(_LABELS | {"quality": measure_of(session.task).name}),
            "title": str(say("Variants")),
            "toolbarTitle": str(say("The selected variant")),
            "finalHint": str(_final_hint(rows)),
            "frontHint": str(
                say("Best trade-off: no other variant is at least as fast, as small and as good.")
            ),
            "references": str(
                say("References: the model as float32 in another runtime, made to compare with.")
            ),
            "empty": None if rows else str(say("The first variant appears when a model is open.")),
            "selected": session.selected,
            "reference": session.compared,
            "parent": session.start,
            "drawer": session.has_drawer,
            "opened": session.opened and session.has_drawer,
            "undo": message_of(session.undoable),
            "message": message_of(session.undone),
            "error": message_of(self.problem),
            "rows": [self._row(row, rows, names, lineage) for row in rows],
        }

    def act_csv(self) -> None:
        """Sends the whole table to the browser."""
        send_file(self, "variants.csv", Results(self.session.rows).to_csv().encode("utf-8-sig"))

    def act_report(self) -> None:
        """Sends the report to the browser."""
        session = self.session
        baseline = session.baseline
        name = (
            "".join(letter if letter.isalnum() else "-" for letter in baseline.name)
            if baseline
            else "workbench"
        )
        html = report_html(session.workbench)
        send_file(self, f"{name}-report.html", html.encode())

    def act_final(self) -> None:
        """Times all variants again, by the long protocol."""
        self.session.workbench.measure(protocol="final")

    def act_branch(self, variant: object = None) -> None:
        """Selects a variant, and techniques start from it from now on."""
        self.session.select(variant)
        self.session.continue_from(variant)

    def _row(
        self, row: ResultRow, rows: tuple[ResultRow, ...], names: dict[str, str], lineage: Lineage
    ) -> dict[str, Any]:
        variant = row.variant
        speed = AXES["speed"].read(row)
        change = row.quality_change.change if row.quality_change is not None else None
        most_bytes = max((other.size.file_bytes for other in rows if other.size), default=1)
        slowest = max(
            (1 / at.value for other in rows if (at := AXES["speed"].read(other)) and not doubt_of(other)),
            default=1.0,
        )
        return {
            **self.offered(row),
            **lineage_row(lineage, variant),
            "name": names[variant.id],
            "family": family_of(variant.technique),
            "automatic": variant.automatic,
            "front": row.on_front,
            "made": str(_made(row, lineage)),
            "notes": [str(note) for note in row.notes],
            "size": {
                "chip": _chip(size_chip(row)),
                "detail": size(row.size.file_bytes) if row.size is not None else None,
                "bar": row.size.file_bytes / most_bytes if row.size is not None else None,
                "sort": row.size.file_bytes if row.size is not None else None,
            },
            "speed": {
                "chip": _chip(speed_chip(row)),
                "detail": time(row.shown_ms.value) if row.shown_ms is not None else None,
                "bar": None if speed is None or doubt_of(row) is not None else 1 / speed.value / slowest,
                "sort": None if speed is None else 1 / speed.value,
            },
            "quality": {
                "chip": _chip(quality_chip(row)),
                "detail": row.quality.shown if row.quality is not None else None,
                "interval": None if change is None else [change.low, change.value, change.high],
                "tolerance": self.session.tolerance,
                "sort": None if row.quality is None else -row.quality.goodness,
            },
        }


def _chip(chip: Chip | None) -> dict[str, str] | None:
    return None if chip is None else {"words": str(chip.words), "tone": chip.tone}


def _made(row: ResultRow, lineage: Lineage) -> Text:
    variant, runtime = row.variant, runtime_title(row.variant.runtime)
    if variant.is_baseline:
        return say("the model as it came · {format} · {runtime}", format=variant.format, runtime=runtime)
    parent = ancestors_words(lineage, variant) or "–"
    if variant.automatic:
        return say("float32 in {runtime}, to compare with · from {parent}", runtime=runtime, parent=parent)
    return say(
        "{precision} · {runtime} · from {parent} · made in {time}",
        precision=variant.description.precision,
        runtime=runtime,
        parent=parent,
        time=duration(variant.seconds),
    )


def _final_hint(rows: tuple[ResultRow, ...]) -> Text:
    """What the long protocol does: each runtime's variants together, and their references together."""
    runtimes = Counter(row.variant.runtime for row in rows)
    runs = [*runtimes.values(), *([len(runtimes)] if len(runtimes) > 1 else [])]
    seconds = _PROCESSES * sum(max(_RUN_SECONDS, _FILE_SECONDS * files) + _START_SECONDS for files in runs)
    return say(
        "times it again in five fresh processes, about {time}: for numbers that you publish.",
        "times all {count} variants again in five fresh processes, about {time}: for numbers that you "
        "publish.",
        count=len(rows),
        time=duration(seconds),
    )
