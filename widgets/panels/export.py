"""The table of variants as a file for a spreadsheet: plain numbers, one line a variant."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from widgets.charts.scene import doubt_of
from workbench.measure.records import Interval
from workbench.results.rows import ResultRow

_COLUMNS = (
    "name",
    "parent",
    "technique",
    "runtime",
    "format",
    "precision",
    "file_bytes",
    "gzip_bytes",
    "parameters",
    "macs",
    "memory_bytes",
    "size_ratio",
    "p50_ms",
    "p50_ms_low",
    "p50_ms_high",
    "total_speedup",
    "total_speedup_low",
    "total_speedup_high",
    "speedup",
    "speedup_low",
    "speedup_high",
    "speed",
    "distrust",
    "f1",
    "f1_low",
    "f1_high",
    "f1_change",
    "f1_change_low",
    "f1_change_high",
    "quality",
    "on_front",
    "starred",
    "note",
)


def results_csv(rows: Sequence[ResultRow]) -> str:
    """The results, as CSV with a head, its columns named as those of ``Results.to_frame``.

    Numbers have a point and no unit; what is not known is empty.
    """
    names = {row.variant.id: row.variant.name for row in rows}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerow([_cell(value) for value in _values(row, names)])
    return out.getvalue()


def _values(row: ResultRow, names: dict[str, str]) -> list[object]:
    variant, size, quality, change = row.variant, row.size, row.quality, row.quality_change
    return [
        variant.name,
        names.get(variant.parent or ""),
        variant.technique,
        variant.runtime,
        variant.format,
        variant.description.precision,
        size and size.file_bytes,
        size and size.gzip_bytes,
        size and size.parameters,
        variant.description.macs,
        size and size.peak_memory_bytes,
        row.size_change and row.size_change.ratio,
        *_ends(row.shown_ms),
        *_ends(row.total_speedup if variant.parent is not None else None),
        *_ends(row.speed.speedup if row.speed is not None else None),
        row.speed.word if row.speed and row.distrust is None else None,
        None if (doubt := doubt_of(row)) is None else str(doubt),
        *_ends(quality.f1_macro if quality is not None else None),
        *_ends(change.change if change is not None else None),
        change and change.word,
        row.on_front,
        row.starred,
        row.note,
    ]


def _ends(interval: Interval | None) -> tuple[float | None, ...]:
    return (None, None, None) if interval is None else (interval.value, interval.low, interval.high)


def _cell(value: object) -> object:
    # A spreadsheet computes what begins like a formula, and names come from files of others.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
