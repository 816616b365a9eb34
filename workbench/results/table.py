"""All results of a workbench: rows to loop over, a table to look at, a frame to compute with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.api.errors import Unavailable
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

        Its columns: ``name``, ``parent``, ``technique``, ``runtime``, ``file_bytes``; ``size_ratio`` (the
        baseline's bytes / its own) and the verdict ``size``; ``p50_ms``, as the page shows it; ``speedup``
        against float32 in the same runtime with the ends of its 95% interval, and the verdict ``speed``;
        ``total_speedup`` against the baseline, likewise; ``f1``; ``f1_change`` against the baseline, as a
        fraction, with the ends of its interval, and the verdict ``quality``; ``on_front``, ``starred``,
        ``note``; and ``distrust``, why its latency is not believed: there is no verdict on its speed then.

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
        names = {row.variant.id: row.variant.name for row in self}
        return pd.DataFrame([_record(row, names) for row in self], columns=_COLUMNS)

    def __repr__(self) -> str:
        from workbench.results.notebook import results_text

        return results_text(self) if self else "Results()"

    def _repr_html_(self) -> str:
        from workbench.results.notebook import results_html

        return results_html(self)


_COLUMNS = [
    "name",
    "parent",
    "technique",
    "runtime",
    "file_bytes",
    "size_ratio",
    "size",
    "p50_ms",
    "speedup",
    "speedup_low",
    "speedup_high",
    "speed",
    "total_speedup",
    "total_speedup_low",
    "total_speedup_high",
    "f1",
    "f1_change",
    "f1_change_low",
    "f1_change_high",
    "quality",
    "on_front",
    "starred",
    "note",
    "distrust",
]


def _record(row: ResultRow, names: dict[str, str]) -> dict[str, Any]:
    variant, speed, change = row.variant, row.speed, row.quality_change
    return {
        "name": variant.name,
        "parent": names.get(variant.parent or ""),
        "technique": variant.technique,
        "runtime": variant.runtime,
        "file_bytes": None if row.size is None else row.size.file_bytes,
        "size_ratio": None if row.size_change is None else row.size_change.ratio,
        "size": None if row.size_change is None else row.size_change.word,
        "p50_ms": None if row.shown_ms is None else row.shown_ms.value,
        **_interval("speedup", None if speed is None else speed.speedup),
        "speed": None if speed is None or row.distrust is not None else speed.word,
        **_interval("total_speedup", row.total_speedup),
        "f1": None if row.quality is None else row.quality.f1_macro.value,
        **_interval("f1_change", None if change is None else change.change),
        "quality": None if change is None else change.word,
        "on_front": row.on_front,
        "starred": row.starred,
        "note": row.note,
        "distrust": None if row.distrust is None else str(row.distrust),
    }


def _interval(name: str, interval: Interval | None) -> dict[str, float | None]:
    if interval is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
