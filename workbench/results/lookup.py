"""Which row is whose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # rows hold what others look up in them
    from workbench.results.rows import ResultRow


def row_of(rows: Iterable[ResultRow], variant: str | None) -> ResultRow | None:
    """The row of a variant, by its identifier; None if there is none."""
    return next((row for row in rows if row.variant.id == variant), None)


def baseline_row(rows: Iterable[ResultRow]) -> ResultRow | None:
    """The row of the model that was opened; None before one is open."""
    return next((row for row in rows if row.variant.is_baseline), None)
