"""Tables and numbers as the command line prints them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.measure.records import Interval
from workbench.results import ResultRow
from workbench.text import Text, say

_WIDE = 100


def print_table(
    headings: Sequence[Text], rows: Sequence[Sequence[str]], *, apart: bool = False, identifiers: bool = False
) -> None:
    """Prints a table that fits the terminal; markup in the cells is shown as it is.

    Args:
        headings: One a column.
        rows: Cells, of one or several lines.
        apart: Whether an empty line separates the rows.
        identifiers: Whether the first column holds names to be copied, which are never folded.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table(
        box=None, pad_edge=False, header_style="bold", padding=(0, 1 if console.width < _WIDE else 2, 0, 0)
    )
    for number, heading in enumerate(headings):
        table.add_column(str(heading), overflow="fold", no_wrap=identifiers and number == 0)
    for number, row in enumerate(rows):
        if apart and number:
            table.add_row()
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def print_results(rows: Sequence[ResultRow]) -> None:
    """Prints every variant with its sizes, latency and quality, and the doctor's notes.

    A cell has a line each for the number, its 95 % interval and the verdict, so that everything
    fits 80 characters.
    """
    print_table(
        [say("variant"), say("size"), say("latency p50"), say("speed"), say("F1 and its change")],
        [
            [
                f"{row.variant.name}\n{_runtime(row)}",
                _sizes(row),
                _latency(row),
                _speed(row),
                _quality(row),
            ]
            for row in rows
        ],
        apart=True,
    )
    print_notes(rows)


def print_notes(rows: Sequence[ResultRow]) -> None:
    """Prints what the doctor has to say; what it says of several variants is printed once."""
    import click

    names: dict[str, list[str]] = {}
    for row in rows:
        for note in row.notes:
            names.setdefault(str(note), []).append(row.variant.name)
    if names:
        click.echo()
    for words, variants in names.items():
        click.echo(f"{', '.join(variants)}: {words}")


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
        "compared": str(row.compared) if row.compared else None,
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


def _sizes(row: ResultRow) -> str:
    if row.size is None:
        return "-"
    return _lines(
        _bytes(row.size.file_bytes),
        f"{_bytes(row.size.gzip_bytes)} gzip",
        str(say("{count} weights", count=f"{row.size.parameters:,}")),
    )


def _latency(row: ResultRow) -> str:
    if row.latency is None:
        return "-"
    p50 = row.latency.p50_ms
    in_microseconds = p50.value < 0.1
    factor, unit = (1000, " µs") if in_microseconds else (1, " ms")
    return _lines(*_interval(p50, lambda value: _three_digits(factor * value), unit))


def _speed(row: ResultRow) -> str:
    if row.speed is not None:
        return _lines(*_interval(row.speed.speedup, _three_digits, "x"), str(say(row.speed.word)))
    return "-"


def _quality(row: ResultRow) -> str:
    if row.quality is None:
        return "-"
    lines = [*_interval(row.quality.f1_macro, _per_cent, " %")]
    if row.quality_change is not None:
        lines += [
            " ".join(_interval(row.quality_change.change, _per_cent, "")),
            str(say(row.quality_change.word)),
        ]
    return _lines(*lines)


def _interval(interval: Interval, show: Callable[[float], str], unit: str) -> tuple[str, str]:
    return f"{show(interval.value)}{unit}", f"[{show(interval.low)}, {show(interval.high)}]"


def _per_cent(share: float) -> str:
    return f"{100 * share:.1f}"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def _bytes(count: int) -> str:
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.2f} MB"


def _lines(*lines: str) -> str:
    return "\n".join(lines)
