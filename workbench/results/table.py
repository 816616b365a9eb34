"""All results of a workbench: rows to loop over, a table to look at, a frame to compute with."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

from workbench.api.errors import Unavailable
from workbench.api.task import measure_of
from workbench.api.text import say

if TYPE_CHECKING:
    import pandas as pd

    from workbench.measure.records import Interval
    from workbench.results.rows import ResultRow


class Results(tuple["ResultRow", ...]):
    """One row per variant, in the order of their making; a notebook shows them as a table.

    Example::

        frame = workbench.results().to_frame()
        frame[frame.quality == "kept"].sort_values("file_bytes")
    """

    __slots__ = ()

    def to_frame(self) -> pd.DataFrame:
        """A pandas ``DataFrame`` with one line per variant.

        Its columns: ``name``, ``parent``, ``technique``, ``runtime``; ``file_bytes``, ``size_ratio`` (the
        baseline's bytes / its own) and the verdict ``size``; ``gzip_bytes``, ``format``, ``precision``,
        ``parameters``, ``macs``, ``memory_bytes``; ``p50_ms``, as the page shows it; ``speedup`` against
        float32 in the same runtime, the verdict ``speed``, and ``distrust``, why its latency is not
        believed: there is no verdict on its speed then; ``total_speedup`` against the baseline, and
        ``total_distrust``, why the change of runtime in it is not believed; ``f1``; ``f1_change`` against
        the baseline, as a fraction, and the verdict ``quality``; ``on_front``, ``starred``, ``note``.
        Of another task than a classification its measure takes the place of ``f1``: ``mae``, ``miou``,
        ``agreement``; a change is above 0 where it is better, of ``mae`` as a share of the baseline's.
        What is measured has the ends of its 95% interval beside it, as in ``f1_low`` and ``f1_high``.

        Raises:
            Unavailable: If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise Unavailable(
                say("A table of this kind needs pandas, which is not installed."),
                say("Install it: pip install pandas."),
            ) from error
        return pd.DataFrame(self._records(), columns=self._columns())

    def to_csv(self) -> str:
        """The columns of :meth:`to_frame` for a spreadsheet.

        Numbers have a point and no unit; what is not known is empty.
        """
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(self._columns())
        writer.writerows(map(_cell, record.values()) for record in self._records())
        return out.getvalue()

    def _records(self) -> list[dict[str, Any]]:
        names = {row.variant.id: row.variant.name for row in self}
        return [_record(row, names) for row in self]

    def _columns(self) -> list[str]:
        """The heads: macro F1's are called as the measure of the task that it is."""
        key = measure_of(self[0].variant.description.task).key if self else "f1"
        return [re.sub(r"^f1(?=$|_)", key, name) for name in _COLUMNS]

    def __repr__(self) -> str:
        from workbench.results.notebook import results_text

        return results_text(self) if self else "Results()"

    def _repr_html_(self) -> str:
        from workbench.results.notebook import results_html

        return results_html(self)


_COLUMNS = (
    "name",
    "parent",
    "technique",
    "runtime",
    "file_bytes",
    "size_ratio",
    "size",
    "gzip_bytes",
    "format",
    "precision",
    "parameters",
    "macs",
    "memory_bytes",
    "p50_ms",
    "p50_ms_low",
    "p50_ms_high",
    "speedup",
    "speedup_low",
    "speedup_high",
    "speed",
    "distrust",
    "total_speedup",
    "total_speedup_low",
    "total_speedup_high",
    "total_distrust",
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


def _record(row: ResultRow, names: dict[str, str]) -> dict[str, Any]:
    variant, size, change = row.variant, row.size, row.quality_change
    key = measure_of(variant.description.task).key
    return {
        "name": variant.name,
        "parent": names.get(variant.parent or ""),
        "technique": variant.technique,
        "runtime": variant.runtime,
        "file_bytes": size and size.file_bytes,
        "size_ratio": row.size_change and row.size_change.ratio,
        "size": row.size_change and row.size_change.word,
        "gzip_bytes": size and size.gzip_bytes,
        "format": variant.format,
        "precision": variant.description.precision,
        "parameters": size and size.parameters,
        "macs": variant.description.macs,
        "memory_bytes": size and size.peak_memory_bytes,
        **_interval("p50_ms", row.shown_ms),
        **_interval("speedup", None if row.speed is None else row.speed.speedup),
        "speed": row.speed.word if row.speed is not None and row.distrust is None else None,
        "distrust": row.distrust and str(row.distrust),
        **_interval("total_speedup", None if variant.is_baseline else row.total_speedup),
        "total_distrust": row.total_distrust and str(row.total_distrust),
        **_interval(key, None if row.quality is None else row.quality.measured),
        **({} if row.quality is None or not row.quality.classes else {"classes": row.quality.classes}),
        **_interval(f"{key}_change", None if change is None else change.change),
        "quality": change and change.word,
        "on_front": row.on_front,
        "starred": row.starred,
        "note": row.note,
    }


def _interval(name: str, interval: Interval | None) -> dict[str, float | None]:
    if interval is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _cell(value: object) -> object:
    # A spreadsheet computes what begins like a formula, and names come from files of others.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
