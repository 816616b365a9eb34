"""Rows and variants as a notebook shows them: tables and cards as HTML, everything escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from workbench.api.display import shows
from workbench.api.number_format import count, size, time
from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.models.intake.opening_words import opening_notes
from workbench.results.verdict_words import duration, quality_chip, short, size_chip, speed_chip

if TYPE_CHECKING:
    from workbench.api.variant import Variant
    from workbench.results.rows import ResultRow

_SIGNS = {"good": "▲", "bad": "▼", "same": "●", "unsure": "?", "kept": "✓", "lost": "✕"}
_LEFT = ' style="text-align: left"'


def results_html(rows: Sequence[ResultRow], among: Sequence[ResultRow] | None = None) -> str:
    """A table of one line for each variant.

    Args:
        rows: What is shown.
        among: All rows, for the names of what they were made from; by default the same.
    """
    head, *lines = results_cells(rows, among)
    return table(head, lines)


def results_text(rows: Sequence[ResultRow]) -> str:
    """The same for a terminal."""
    from rich.cells import cell_len

    cells = results_cells(rows)
    widths = [max(cell_len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in cells
    )


def results_cells(
    rows: Sequence[ResultRow], among: Sequence[ResultRow] | None = None
) -> list[tuple[str, ...]]:
    """The head and one line for each variant, in the words of the page."""
    from workbench.runtimes import runtime

    names = {row.variant.id: short(row.variant.name) for row in (*rows, *(among or ()))}
    measure = measure_of(rows[0].variant.description.task if rows else "classification")
    heads = (say("Variant"), say("Made from"), say("Runtime"), say("Size"), say("Latency"), measure.title)
    cells = [tuple(str(head) for head in heads)]
    for row in rows:
        size_words, speed_words, quality_words = verdicts(row)
        cells.append(
            (
                names[row.variant.id] + (" ★" if row.starred else ""),
                names.get(row.variant.parent or "", ""),
                runtime(row.variant.runtime).title,
                _joined(size(row.size.file_bytes) if row.size else None, size_words),
                _joined(time(row.shown_ms.value) if row.shown_ms else None, speed_words),
                _joined(row.quality.shown if row.quality else None, quality_words),
            )
        )
    return cells


def verdicts(row: ResultRow) -> tuple[str, str, str]:
    """What is said of a variant's size, speed and quality; empty where there is nothing to compare."""
    size_words, speed_words, quality_words = (
        "" if chip is None else f"{_SIGNS[chip.tone]} {chip.words}"
        for chip in (size_chip(row), speed_chip(row), quality_chip(row))
    )
    return size_words, speed_words, quality_words


@shows("variant")
def variant_html(variant: Variant) -> str:
    """What a variant is and how it was made."""
    from workbench.runtimes import runtime

    description = variant.description
    facts = [
        (say("runtime"), runtime(variant.runtime).title),
        (say("file"), variant.path.name),
        (say("parameters"), count(description.parameters)),
        (say("precision"), description.precision),
        (say("inputs"), ", ".join(f"{spec.name} {_shape(spec.shape)}" for spec in description.inputs)),
        (say("outputs"), ", ".join(f"{spec.name} {_shape(spec.shape)}" for spec in description.outputs)),
    ]
    if description.opened_up is not None:
        facts += [(say("opened"), str(note)) for note in opening_notes(description.opened_up)]
    if variant.technique is not None:
        settings = ", ".join(f"{name}={value!r}" for name, value in variant.parameters.items())
        facts.insert(0, (say("made by"), f"{variant.technique}({settings})"))
        facts.append((say("made in"), str(duration(variant.seconds))))
    return card(variant.name, facts)


def card(title: str, facts: Iterable[tuple[Text, str]]) -> str:
    """A title over lines of a name and a value each."""
    lines = "".join(
        f"<tr><th{_LEFT}>{html.escape(str(name))}</th><td{_LEFT}>{html.escape(short(value, 300))}</td></tr>"
        for name, value in facts
    )
    return f"<div><b>{html.escape(short(title))}</b><table>{lines}</table></div>"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table of texts."""
    heads = "".join(f"<th{_LEFT}>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td{_LEFT}>{html.escape(cell)}</td>" for cell in line) + "</tr>" for line in lines
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _joined(number: str | None, verdict: str) -> str:
    return "–" if number is None else f"{number}  {verdict}".rstrip()


def _shape(shape: Sequence[int | None]) -> str:
    return "×".join("?" if size is None else str(size) for size in shape) or "1"
