"""How the cells of a CSV file are meant: separators, decimal commas, missing values, row numbers."""

from __future__ import annotations

import re
from typing import Any

from workbench.text import Text, say

MISSING = frozenset({"?", "-", "--", "."})
"""Marks that stand for a missing value among numbers; pandas knows the usual words."""

_WITH_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WITH_COMMA = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")


def separator_of(first: bytes, second: bytes) -> str:
    """What separates the columns: comma, semicolon or tab.

    A mark that is in both lines equally often counts more than one that is only frequent, and a comma
    counts least: where decimals have a comma, semicolons separate.

    Args:
        first: The first line.
        second: The second line, empty if there is none.
    """
    counts = {mark: (first.count(mark.encode()), second.count(mark.encode())) for mark in ";\t,"}
    steady = [mark for mark, (before, after) in counts.items() if before and before == after]
    if steady:
        return steady[0]
    return max(",;\t", key=lambda mark: counts[mark][0])


def is_number(field: str, *, comma: bool) -> bool:
    """Whether a cell is a number.

    Args:
        field: The cell's text.
        comma: Whether its decimals may have a comma.
    """
    text = field.strip().strip('"').strip()
    try:
        float(text.replace(",", ".") if comma else text)
    except ValueError:
        return False
    return True


def without_row_numbers(frame: Any) -> tuple[Any, list[Text]]:
    """Leaves out a first column without a name that counts the rows, as ``DataFrame.to_csv`` writes it.

    It would become an input, and in a sorted file it gives the labels away.

    Args:
        frame: A pandas ``DataFrame``.
    """
    import numpy as np

    first = str(frame.columns[0])
    if (
        not first.startswith("Unnamed: 0")
        or len(frame.columns) < 3
        or frame.iloc[:, 0].dtype.kind not in "iu"
    ):
        return frame, []
    steps = np.diff(frame.iloc[:, 0].to_numpy())
    if not (steps == 1).all():
        return frame, []
    return frame.iloc[:, 1:], [say("The first column has no name and counts the rows: it was left out.")]


def with_numbers_from_texts(frame: Any, *, comma: bool) -> tuple[Any, list[Text]]:
    """Turns text columns that hold numbers in another spelling into numbers.

    Args:
        frame: A pandas ``DataFrame``.
        comma: Whether decimals may have a comma.

    Returns:
        The frame, and what was done in words.
    """
    import pandas
    from pandas.api import types

    commas: list[str] = []
    marks: list[str] = []
    changed = {}
    for column in frame.columns:
        values = frame[column]
        if types.is_bool_dtype(values) or types.is_numeric_dtype(values):
            continue
        texts = values.dropna().astype(str).str.strip()
        numbers = texts[~texts.isin(MISSING)]
        if numbers.empty or not numbers.str.fullmatch(_WITH_COMMA if comma else _WITH_POINT).all():
            continue
        if numbers.str.contains(",", regex=False).any():
            commas.append(str(column)[:60])
        if len(numbers) < len(texts):
            marks.append(f"{str(column)[:60]} ({len(texts) - len(numbers)})")
        read = pandas.to_numeric(numbers.str.replace(",", ".", regex=False))
        changed[column] = read.reindex(frame.index)
    notes = []
    if commas:
        notes.append(say("Decimal commas were read in the columns {columns}.", columns=_listed(commas)))
    if marks:
        notes.append(
            say(
                "Marks for a missing value were read as such in the columns {columns}.",
                columns=_listed(marks),
            )
        )
    return (frame.assign(**changed) if changed else frame), notes


def texts_among_numbers(texts: Any) -> list[str]:
    """The different values that are no numbers, of a column that holds mostly numbers; else none.

    Args:
        texts: A pandas ``Series`` of texts.
    """
    stripped = texts.str.strip()
    numbers = stripped.str.fullmatch(_WITH_COMMA)
    if numbers.mean() < 0.5:
        return []
    return sorted(stripped[~numbers].unique())


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
