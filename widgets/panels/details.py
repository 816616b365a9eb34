"""The selected variant beside another one: what it gets wrong, its numbers, its inside, how it was made."""

from __future__ import annotations

import base64
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.charts.chart import family_of
from widgets.charts.classes import class_chart, confusion_chart
from widgets.charts.found import findings
from widgets.charts.trade_off import CHART_LABELS
from widgets.component import words
from widgets.panels.actions import ACTION_LABELS, VariantActions
from widgets.panels.comparison import comparison
from widgets.panels.foreseen import foreseen_table
from widgets.panels.forgotten import forgotten_view
from widgets.panels.inside import inside_view
from widgets.panels.numbers import numbers_table
from widgets.panels.prediction import shown_files
from widgets.panels.saving import parse_use, saving_view
from widgets.session import Session, message_of
from widgets.transfer import send_file
from widgets.wording import digits, short
from workbench.api.errors import WorkbenchError
from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.measure.records import ChangedSample, Details
from workbench.results.lookup import baseline_row, row_of
from workbench.results.rows import ResultRow
from workbench.workbench import Workbench

_MOST_FLIPS = 60
_LABELS = ACTION_LABELS | {
    "code": say("The code that does the same"),
    "recipeTitle": say("Recipe"),
    "copy": say("Copy"),
    "copied": say("Copied"),
    "takeHome": say("Download with model and data"),
    "close": say("Close details"),
    "more": say("More notes"),
}


class DetailsPanel(VariantActions):
    """Details of the selected variant.

    Args:
        workbench: A workbench, or the session of one.

    Example:
        >>> panel = DetailsPanel(workbench)  # of what is selected in a table or chart beside it
    """

    _esm = esm("details")
    panel: ClassVar[str] = "details"
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results", "selection", "jobs"})

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench)
        self.session.has_drawer = True

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        session = self.session
        row = row_of(session.rows, session.selected)
        labels = words(_LABELS) | words(CHART_LABELS)
        if row is None or not session.opened:
            return {"labels": labels, "title": str(say("Details")), "variant": None, "opened": False}
        other = row_of(session.rows, session.compared)
        variant = row.variant
        details, waiting = self._compared(variant, other)
        forgotten = forgotten_view(session, variant, None if other is None else other.variant)
        return {
            "labels": labels,
            "opened": True,
            "revealed": session.revealed,
            "variant": variant.id,
            "title": short(variant.name),
            "family": family_of(variant.technique),
            "parent": session.start,
            "reference": session.compared,
            "others": [
                {"id": one.id, "name": short(one.name)} for one in session.variants if one.id != variant.id
            ],
            "row": {**self.offered(row), "name": short(variant.name)},
            "error": message_of(self.problem),
            "comparison": None if other is None else comparison(session, row, other),
            # Why a time is not believed stands with the comparison.
            "notes": [str(note) for note in row.notes if note != row.distrust],
            "waiting": waiting,
            "charts": [class_chart(details), confusion_chart(details)] if details and details.classes else [],
            "flips": self._flips(details),
            "forgotten": forgotten,
            "inside": inside_view(session, variant, None if other is None else other.variant),
            "numbers": numbers_table(row, other),
            "saving": self._saving(row, other),
            "found": findings(row.tables),
            "report": _report(row),
            "foreseen": self._foreseen(row),
            "code": self._code(variant),
            "recipe": self._recipe(variant),
            "tabs": [
                _tab(
                    "flips",
                    say("Changed predictions")
                    if session.task == "classification"
                    else say("Answers that got worse"),
                    details is not None or waiting is not None,
                ),
                _tab("forgotten", say("What it forgot"), forgotten is not None),
                _tab("quality", say("Quality by class"), details is not None and bool(details.classes)),
                _tab("numbers", say("All numbers"), True),
                _tab("saving", say("What it saves"), True),
                _tab("inside", say("Inside"), bool(variant.description.layers)),
                _tab("found", say("What was found"), bool(row.tables)),
                _tab("report", say("How it was made"), True),
            ],
        }

    def act_fold(self) -> None:
        """Closes the details."""
        self.session.fold()

    def act_use(self, **use: object) -> None:
        """Keeps how the model is used, which what is saved is reckoned from."""
        self.session.workbench.set_use(parse_use(use))

    def act_look(self, variant: object = None, reference: object = None) -> None:
        """Times the layers of a variant, and compares them with those of another one."""
        known = self.session.known
        self.session.workbench.inside(known(variant), None if reference is None else known(reference))

    def act_compare_maps(self, variant: object = None, reference: object = None) -> None:
        """Measures whether a variant still looks at the same as another one."""
        known = self.session.known
        self.session.workbench.forgotten(known(variant), known(reference))

    def act_take_home(self, variant: object = None) -> None:
        """Sends the plain code that makes a variant, with the model and data that it reads."""
        made = self.session.workbench.variant(self.session.known(variant))
        if made.technique is not None:
            content = self.session.workbench.take_home(made.technique, made.parent, made.parameters)
            send_file(self, *content)

    def _foreseen(self, row: ResultRow) -> dict[str, Any] | None:
        """What was expected of it before it was made, as far as it was measured; None where nothing was."""
        try:
            forecast = self.session.workbench.foreseen(row.variant.id)
        except WorkbenchError:  # it was deleted since the rows were read
            return None
        table = None if forecast is None else foreseen_table(row, forecast, self.session.jobs)
        return table if table and table["rows"] else None

    def _saving(self, row: ResultRow, other: ResultRow | None) -> dict[str, Any]:
        workbench = self.session.workbench
        rows = {one.variant.id: one for one in (*self.session.rows, row, other) if one is not None}
        baseline = baseline_row(rows.values())
        shown = {one.variant.id: one for one in (baseline, other, row) if one is not None}
        # What is shown was read before: somebody may have deleted it since.
        return saving_view(workbench.use, workbench.savings(tuple(rows.values())), list(shown.values()))

    def _compared(self, variant: Variant, other: ResultRow | None) -> tuple[Details | None, str | None]:
        if other is None:
            return None, None
        try:
            return self.session.workbench.details(variant.id, other.variant.id), None
        except WorkbenchError as error:
            if self.under_way(variant) or self.under_way(other.variant):
                return None, str(error.text)
            return None, str(say("{reason} No job is measuring it: click Measure.", reason=error.problem))

    def _flips(self, details: Details | None) -> dict[str, Any]:
        if details is None:
            return {"summary": "", "samples": []}
        if details.task != "classification":
            return self._moved(details)
        summary = flips_summary(details)
        if len(details.flips) > _MOST_FLIPS:
            summary = say("{summary} The first {count} are shown.", summary=summary, count=_MOST_FLIPS)
        return {
            "summary": str(summary),
            "samples": [
                {
                    "index": flip.index,
                    "kind": "lost"
                    if flip.label == flip.before
                    else "won"
                    if flip.label == flip.after
                    else "neither",
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

    def _moved(self, details: Details) -> dict[str, Any]:
        """The samples that are answered worse, the worst first."""
        return {
            "summary": str(moved_summary(details)),
            "samples": [
                {
                    "index": one.index,
                    "kind": "lost",
                    "picture": self._picture(one.index),
                    "title": str(say("Test sample {index}", index=one.index)),
                    "label": str(one.note or say("Sample {index}", index=one.index)),
                    "change": _answers(one, details.targets),
                }
                for one in details.moved[:_MOST_FLIPS]
            ],
        }

    def _picture(self, index: int) -> str | None:
        png = self.session.workbench.picture(index)
        return None if png is None else f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"

    def _code(self, variant: Variant) -> list[dict[str, str]] | None:
        if variant.technique is None or variant.is_baseline:
            return None
        try:
            return shown_files(
                self.session.workbench.code(variant.technique, variant.parent, variant.parameters)
            )
        except WorkbenchError:  # its parent was deleted, or its technique is no longer installed
            return None

    def _recipe(self, variant: Variant) -> str | None:
        if variant.is_baseline:
            return None
        try:
            return self.session.workbench.recipe(variant.id).to_yaml()
        except WorkbenchError:  # it was deleted since the rows were read: the next view is without it
            return None


def moved_summary(details: Details) -> Text:
    """How many answers got worse, and by how much at most."""
    if not details.moved:
        return say("No answer got worse.")
    summary = say(
        "The answers that got worse, the worst first: by up to {most}.",
        most=measure_of(details.task).value(details.moved[0].worse_by),
    )
    if len(details.moved) > _MOST_FLIPS:
        return say("{summary} The first {count} are shown.", summary=summary, count=_MOST_FLIPS)
    return summary


def _answers(moved: ChangedSample, targets: tuple[str, ...]) -> str:
    """What is right, what was answered before and what now, of each number."""
    shown = [
        str(
            say(
                "{before} → {after}, right is {truth}",
                before=digits(before),
                after=digits(after),
                truth=digits(truth),
            )
        )
        for before, after, truth in zip(moved.before, moved.after, moved.truth, strict=True)
    ]
    if len(shown) > 1:
        shown = [f"{short(name, 20)}: {words}" for name, words in zip(targets, shown, strict=True)]
    return "; ".join(shown[:3]) + ("; …" if len(shown) > 3 else "")


def flips_summary(details: Details) -> Text:
    """How many predictions changed, and whether for the worse, the better, or neither."""
    lost = sum(flip.label == flip.before for flip in details.flips)
    won = sum(flip.label == flip.after for flip in details.flips)
    neither = len(details.flips) - lost - won
    if not details.flips:
        return say("No prediction changed.")
    if neither:
        return say(
            "Changed predictions: {count}. Became wrong: {lost}, became right: {won}, from one wrong class "
            "to another: {neither}.",
            count=len(details.flips),
            lost=lost,
            won=won,
            neither=neither,
        )
    return say(
        "Changed predictions: {count}. Became wrong: {lost}, became right: {won}.",
        count=len(details.flips),
        lost=lost,
        won=won,
    )


def _tab(name: str, title: Text, shown: bool) -> dict[str, Any]:
    return {"name": name, "title": str(title), "shown": shown}


def _report(row: ResultRow) -> list[dict[str, Any]]:
    report = row.variant.report
    parts = [
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
