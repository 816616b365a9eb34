"""How the cells of a CSV file are meant: separators, decimal commas, missing values, row numbers."""

from __future__ import annotations

import re
from typing import Any

from workbench.api.text import Text, say

MISSING = frozenset({"?", "-", "--", "."})
"""Marks that stand for a missing value among numbers; pandas knows the usual words."""

_MARKS = ";\t|,"
_WITH_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WITH_THOUSANDS = re.compile(r"[+-]?([1-9]\d{0,2}(,\d{3})+|\d+)(\.\d*)?([eE][+-]?\d+)?")
_WITH_DECIMAL_COMMA = re.compile(r"[+-]?\d*,?\d+([eE][+-]?\d+)?")
_WITH_COMMA = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")


def separator_of(first: bytes, second: bytes) -> str:
    """What separates the columns: comma, semicolon, tab, ``|``, or a space that stands for blanks.

    A mark that is in both lines equally often counts more than one that is only frequent, and a comma
    counts least: where decimals have a comma, semicolons separate.

    Args:
        first: The first line.
        second: The second line, empty if there is none.
    """
    counts = {mark: (first.count(mark.encode()), second.count(mark.encode())) for mark in _MARKS}
    steady = [mark for mark, (before, after) in counts.items() if before and before == after]
    if steady:
        return steady[0]
    if not any(before for before, _ in counts.values()) and len(first.split()) == len(second.split()) > 1:
        # blanks are part of texts, and separate numbers
        numbers = second.decode("utf-8", "replace").split()
        return " " if all(is_number(number, comma=True) for number in numbers) else ","
    return max(reversed(_MARKS), key=lambda mark: counts[mark][0])


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


def counts_columns(first: list[str], second: list[str]) -> bool:
    """Whether the first line counts the columns: from 0, as pandas writes it, from 1, or as years.

    Args:
        first: The cells of the first line.
        second: The cells of the second. If it holds whole numbers only, the first may be a sample too: then
            more than two columns counted from 0 are taken for names.
    """
    names = [field.strip().strip('"') for field in first]
    if len(names) < 2 or not all(name.isascii() and name.isdigit() for name in names):
        return False
    numbers = [int(name) for name in names]
    if names != [str(number) for number in range(numbers[0], numbers[0] + len(names))]:
        return False
    whole = all(field.strip().strip('"').lstrip("-").isdigit() for field in second)
    return not whole if numbers[0] or len(names) == 2 else True


def without_row_numbers(frame: Any, features: int | None) -> tuple[Any, list[Text]]:
    """Leaves out a first column without a name that numbers the rows, as ``DataFrame.to_csv`` writes it.

    It would become an input, and in a sorted file it gives the labels away. In a file that was shuffled or
    cut before it was written the numbers are in no order. A model with as many inputs as there are columns
    beside the labels was trained with it.

    Args:
        frame: A pandas ``DataFrame``.
        features: How many columns the model takes, if that is known.
    """
    import numpy as np

    first = frame.iloc[:, 0]
    named = not str(frame.columns[0]).startswith("Unnamed: 0")
    if len(frame.columns) < 3 or first.dtype.kind not in "iu" or not first.is_unique:
        return frame, []
    if named and (features is None or len(frame.columns) - 2 != features):
        return frame, []
    in_order = bool((np.diff(first.to_numpy()) == 1).all())
    if named and not in_order:
        return frame, []
    if not named and features == len(frame.columns) - 1:
        return frame, [
            say(
                "The first column has no name and numbers the rows; it stays, since the model takes "
                "{features} columns.",
                features=features,
            )
        ]
    if named:
        return frame.iloc[:, 1:], [
            say(
                "The column {column} counts the rows, and the model takes {features} columns: it was left "
                "out.",
                column=str(frame.columns[0])[:60],
                features=features,
            )
        ]
    return frame.iloc[:, 1:], [say("The first column has no name and counts the rows: it was left out.")]


def with_numbers_from_texts(frame: Any, *, comma: bool) -> tuple[Any, list[Text]]:
    """Turns text columns that hold numbers in another spelling into numbers.

    Where commas separate the columns, those in quoted cells group thousands if they can.

    Args:
        frame: A pandas ``DataFrame``.
        comma: Whether decimals may have a comma.

    Returns:
        The frame, and what was done in words.
    """
    import pandas
    from pandas.api import types

    commas: list[str] = []
    thousands: list[str] = []
    marks: list[str] = []
    changed = {}
    for column in frame.columns:
        values = frame[column]
        if types.is_bool_dtype(values) or types.is_numeric_dtype(values):
            continue
        texts = values.dropna().astype(str).str.strip()
        numbers = texts[~texts.isin(MISSING)]
        if numbers.empty:
            continue
        grouped = not comma and bool(numbers.str.fullmatch(_WITH_THOUSANDS).all())
        ways = [_WITH_COMMA] if comma else [_WITH_POINT, _WITH_DECIMAL_COMMA]
        if not grouped and not any(numbers.str.fullmatch(way).all() for way in ways):
            continue
        if numbers.str.contains(",", regex=False).any():
            (thousands if grouped else commas).append(str(column)[:60])
        if len(numbers) < len(texts):
            marks.append(f"{str(column)[:60]} ({len(texts) - len(numbers)})")
        read = pandas.to_numeric(numbers.str.replace(",", "" if grouped else ".", regex=False))
        changed[column] = read.reindex(frame.index)
    notes = []
    if commas:
        notes.append(say("Decimal commas were read in the columns {columns}.", columns=_listed(commas)))
    if thousands:
        notes.append(
            say(
                "Commas were read as marks of thousands in the columns {columns}.", columns=_listed(thousands)
            )
        )
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


def _listed(names: list[str]) -> tuple[str, ...]:
    return (*names[:10], *("…" for _ in names[10:11]))
