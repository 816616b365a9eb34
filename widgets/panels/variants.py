"""The table of variants: numbers with intervals, verdicts in words, and what can be done with each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.charts.chart import family_of
from widgets.component import Component, words
from widgets.session import Session, message_of
from widgets.transfer import send_file
from widgets.wording import (
    count,
    duration,
    quality_chip,
    ratio,
    score,
    score_interval,
    short,
    size,
    size_chip,
    speed_chip,
    time,
    time_interval,
)
from workbench.results import ResultRow
from workbench.text import Text, say
from workbench.variant import Variant
from workbench.workbench import Workbench

_LABELS = {
    "variant": say("Variant"),
    "size": say("Size"),
    "latency": say("Latency p50"),
    "quality": say("Macro F1"),
    "front": say("front"),
    "frontHint": say("No other variant is at least as fast, as small and as good."),
    "final": say("Measure for the record"),
    "continue": say("Continue from here"),
    "compare": say("Compare with"),
    "download": say("Download file"),
    "deploy": say("Download with code"),
    "recipe": say("Download recipe"),
    "delete": say("Delete"),
    "keep": say("Everything is measured against the baseline: it stays."),
}
_MISSING = "–"


class VariantsTable(Component):
    """All variants of a workbench.

    Args:
        workbench: A workbench, or the session of one.
    """

    _esm = esm("variants")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results", "selection"})

    def __init__(self, workbench: Workbench | Session) -> None:
        self._done: Text | None = None
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        session = self.session
        rows = session.rows
        names = {row.variant.id: short(row.variant.name) for row in rows}
        return {
            "labels": words(_LABELS),
            "title": str(say("Variants")),
            "toolbarTitle": str(say("The selected variant")),
            "finalHint": str(
                say("Five fresh processes, at least ten seconds: for numbers that you publish.")
            ),
            "empty": None if rows else str(say("The first variant appears when a model is open.")),
            "selected": session.selected,
            "reference": session.compared,
            "parent": session.start,
            "undo": message_of(_undo(session.workbench.deleted)),
            "message": message_of(self._done),
            "error": message_of(self.problem),
            "rows": [_row(row, names) for row in rows],
        }

    def act_select(self, variant: object = None) -> None:
        """Shows a variant's details."""
        self.session.select(variant)

    def act_continue(self, variant: object = None) -> None:
        """Techniques start from this variant from now on."""
        self.session.continue_from(variant)

    def act_compare(self, variant: object = None, reference: object = None) -> None:
        """Compares a variant with another one."""
        self.session.select(variant)
        self.session.compare(reference)

    def act_download(self, variant: object = None) -> None:
        """Sends a variant's file to the browser."""
        send_file(self, *self.session.workbench.download(self.session.known(variant)))

    def act_deploy(self, variant: object = None) -> None:
        """Sends a variant's file with code that runs it to the browser."""
        send_file(self, *self.session.workbench.deploy(self.session.known(variant)))

    def act_recipe(self, variant: object = None) -> None:
        """Sends a variant's recipe to the browser."""
        key = self.session.known(variant)
        name = "".join(
            letter if letter.isalnum() else "-" for letter in self.session.workbench.variant(key).name
        )
        recipe = self.session.workbench.recipe(key).to_yaml()
        send_file(self, f"{name}.recipe.yaml", recipe.encode())

    def act_delete(self, variant: object = None) -> None:
        """Hides a variant and what was made from it."""
        self.session.workbench.delete(self.session.known(variant))
        self._done = None

    def act_undo(self) -> None:
        """Takes the last deletion back."""
        self._done = self.session.workbench.undo()

    def act_final(self) -> None:
        """Times all variants again, by the long protocol."""
        self.session.workbench.measure(protocol="final")


def _undo(deleted: Sequence[Variant]) -> Text | None:
    """What can be taken back: it comes from the folder, so after a reload and in a second tab too."""
    if not deleted:
        return None
    name = short(deleted[0].name)
    if len(deleted) == 1:
        return say("Undo delete of {name}", name=name)
    return say(
        "Undo delete of {name} and {count} variant made from it",
        "Undo delete of {name} and {count} variants made from it",
        name=name,
        count=len(deleted) - 1,
    )


def _row(row: ResultRow, names: dict[str, str]) -> dict[str, Any]:
    variant = row.variant
    return {
        "id": variant.id,
        "name": names[variant.id],
        "family": family_of(variant.technique),
        "automatic": variant.automatic,
        "front": row.on_front,
        "made": str(_made(row, names)),
        "deletable": variant.parent is not None,
        "notes": [str(note) for note in row.notes],
        "size": _size(row),
        "latency": _latency(row),
        "quality": _quality(row),
    }


def _made(row: ResultRow, names: dict[str, str]) -> Text:
    variant = row.variant
    if variant.parent is None:
        return say(
            "the model as it came · {format} · {runtime}", format=variant.format, runtime=variant.runtime
        )
    parent = names.get(variant.parent, _MISSING)
    if variant.automatic:
        return say(
            "float32 in {runtime}, to compare with · from {parent}", runtime=variant.runtime, parent=parent
        )
    return say(
        "{precision} · {runtime} · from {parent} · made in {time}",
        precision=variant.description.precision,
        runtime=variant.runtime,
        parent=parent,
        time=duration(variant.seconds),
    )


def _size(row: ResultRow) -> dict[str, Any]:
    if row.size is None:
        return {"value": _MISSING}
    parts = say(
        "{gzip} gzipped · {parameters} parameters",
        gzip=size(row.size.gzip_bytes),
        parameters=count(row.size.parameters),
    )
    if row.size.peak_memory_bytes is not None:
        parts = say("{parts} · {memory} to run", parts=parts, memory=size(row.size.peak_memory_bytes))
    shown = {"value": size(row.size.file_bytes), "detail": str(parts)}
    chip = size_chip(row)
    return shown if chip is None else shown | {"verdict": str(chip.words), "tone": chip.tone}


def _latency(row: ResultRow) -> dict[str, Any]:
    if row.latency is None:
        return {"value": _MISSING, "detail": str(say("not measured yet"))}
    shown: dict[str, Any] = {
        "value": time(row.latency.p50_ms.value),
        "interval": time_interval(row.latency.p50_ms),
    }
    chip = speed_chip(row)
    if chip is not None:
        shown |= {"verdict": str(chip.words), "tone": chip.tone}
    if row.total_speedup is not None and row.variant.parent is not None:
        total = ratio(row.total_speedup.value)
        # What is compared with what ends with the baseline, which the last number is about.
        shown["detail"] = str(
            say("×{ratio} against the baseline", ratio=total)
            if row.compared is None
            else say("{compared}: ×{ratio}", compared=row.compared, ratio=total)
        )
    elif row.compared is not None:
        shown["detail"] = str(row.compared)
    return shown


def _quality(row: ResultRow) -> dict[str, Any]:
    if row.quality is None:
        return {"value": _MISSING}
    shown: dict[str, Any] = {
        "value": score(row.quality.f1_macro.value),
        "interval": score_interval(row.quality.f1_macro),
    }
    chip, change = quality_chip(row), row.quality_change
    if chip is not None:
        shown |= {"verdict": str(chip.words), "tone": chip.tone}
    if change is not None and change.word == "not proven" and change.samples_needed:
        shown["detail"] = str(
            say("about {count} more test samples would settle it", count=count(change.samples_needed))
        )
    return shown
