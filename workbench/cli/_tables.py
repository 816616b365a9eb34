"""Tables and numbers as the command line prints them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.measure.records import Interval
from workbench.results import ResultRow
from workbench.text import Text, say


def print_table(headings: Sequence[Text], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table that fits the terminal; markup in the cells is shown as it is."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(str(heading), overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)


def print_results(rows: Sequence[ResultRow]) -> None:
    """Prints every variant with its sizes, latency and quality, and the doctor's notes."""
    print_table(
        [
            say("variant"),
            say("runtime"),
            say("file"),
            say("gzip"),
            say("latency p50"),
            say("speed"),
            say("F1"),
            say("F1 change"),
        ],
        [
            [
                row.variant.name,
                _runtime(row),
                _bytes(row.size.file_bytes) if row.size else "-",
                _bytes(row.size.gzip_bytes) if row.size else "-",
                _interval(row.latency.p50_ms, 1, " ms") if row.latency else "-",
                _speed(row),
                _interval(row.quality.f1_macro, 100, " %") if row.quality else "-",
                _change(row),
            ]
            for row in rows
        ],
    )
    for row in rows:
        for note in row.notes:
            print_note(row.variant.name, note)


def print_note(name: str, note: Text) -> None:
    """Prints one of the doctor's notes."""
    import click

    click.echo(f"{name}: {note}")


def result_as_json(row: ResultRow) -> dict[str, Any]:
    """A row as plain data, with the texts in words."""
    return {
        "variant": row.variant.name,
        "technique": row.variant.technique,
        "parameters": row.variant.parameters,
        "format": row.variant.format,
        "runtime": row.variant.runtime,
        "settings": row.variant.settings.model_dump(),
        "file": str(row.variant.path),
        "sha256": row.variant.sha256,
        "automatic": row.variant.automatic,
        "size": row.size.model_dump() if row.size else None,
        "latency": row.latency.model_dump() if row.latency else None,
        "speed": row.speed.model_dump() if row.speed else None,
        "total_speedup": row.total_speedup.model_dump() if row.total_speedup else None,
        "quality": row.quality.model_dump(exclude={"warnings"}) if row.quality else None,
        "quality_change": row.quality_change.model_dump() if row.quality_change else None,
        "on_front": row.on_front,
        "touched": [str(text) for text in row.variant.report.touched],
        "skipped": {skip.name: str(skip.reason) for skip in row.variant.report.skipped},
        "notes": [str(note) for note in (*row.variant.report.notes, *row.notes)],
    }


def _runtime(row: ResultRow) -> str:
    settings = row.variant.settings
    extra = [
        f"{settings.threads} threads" if settings.threads > 1 else "",
        f"batch {settings.batch}" if settings.batch > 1 else "",
    ]
    return ", ".join([row.variant.runtime, *(part for part in extra if part)])


def _speed(row: ResultRow) -> str:
    if row.speed is None:
        return _interval(row.total_speedup, 1, "x") if row.total_speedup and row.variant.parent else "-"
    return f"{say(row.speed.word)} {_interval(row.speed.speedup, 1, 'x')}"


def _change(row: ResultRow) -> str:
    if row.quality_change is None:
        return "-"
    return f"{say(row.quality_change.word)} {_interval(row.quality_change.change, 100, '')}"


def _interval(interval: Interval, factor: float, unit: str) -> str:
    digits = 1 if factor == 100 else 3
    value, low, high = (
        round(factor * part, digits) for part in (interval.value, interval.low, interval.high)
    )
    return f"{value:g}{unit} [{low:g}, {high:g}]"


def _bytes(count: int) -> str:
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.2f} MB"
