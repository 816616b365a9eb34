"""The first line of a CSV file: names of the columns, or a sample already."""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from typing import Any, Literal

from workbench.data.cells import MISSING, counts_columns, is_number

Heading = Literal["names", "counted", "sample", "unclear"]
"""What the first line is: names, numbers that count the columns, a sample; or only the rest can tell."""

_LINE_END = re.compile(rb"\r\n|\r|\n")


def first_lines(start: bytes) -> tuple[bytes, bytes]:
    """The first line of a file and the next that is not blank, whatever ends them, without a byte order mark.

    Args:
        start: The file's first bytes, some lines of it.
    """
    first, *others = _LINE_END.split(start.removeprefix(b"\xef\xbb\xbf"))
    return first, next((line for line in others if line.strip()), b"")


def cells_of(line: bytes, separator: str) -> list[str]:
    """The cells of a line, without quotes.

    Args:
        line: The line.
        separator: What separates its columns; a space stands for any run of blanks.
    """
    text = line.decode("utf-8", "replace").strip("\r\n")
    if separator == " ":
        return text.split()
    try:
        return next(csv.reader([text], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:  # a cell longer than csv takes
        return text.split(separator)


def heading_of(first: list[str], second: list[str], *, comma: bool) -> Heading:
    """What the first line of a table is.

    A line of numbers is a sample, unless they count the columns. Of a line with texts only the columns can
    tell, see :func:`is_sample`.

    Args:
        first: The cells of the first line.
        second: Those of the second.
        comma: Whether decimals may have a comma.
    """
    # an index of pandas has no name; a separator at the end of each line makes an empty cell
    names = first[1:] if first and not first[0].strip() else first
    if counts_columns(names, second[len(first) - len(names) :]):
        return "counted" if len(names) == len(first) else "names"
    kinds = [_kind(cell, comma=comma) for cell in first]
    if "text" not in kinds:
        return "sample" if "number" in kinds else "names"
    below = [_kind(cell, comma=comma) for cell in second]
    if len(kinds) != len(below) or any(
        "missing" not in pair and pair[0] != pair[1] for pair in zip(kinds, below, strict=True)
    ):
        return "names"
    numbers = [cell for cell, kind in zip(first, kinds, strict=True) if kind == "number"]
    if counts_columns(numbers, ["0.5"]):
        return "names"  # such as a name and years
    return "unclear"


def is_sample(first: list[str], frame: Any, *, comma: bool) -> bool:
    """Whether a first line with texts is a sample: its texts are values of their columns, or it has decimals.

    Args:
        first: The cells of the first line.
        frame: The other lines, as a pandas ``DataFrame``.
        comma: Whether decimals may have a comma.
    """
    texts = [
        (position, cell.strip())
        for position, cell in enumerate(first)
        if _kind(cell, comma=comma) == "text" and position < frame.shape[1]
    ]
    known = [
        bool((frame.iloc[:, position].astype(str).str.strip() == text).any()) for position, text in texts
    ]
    if len(texts) == len(first):
        return all(known)
    # beside numbers one is enough: names do not stand below themselves
    return any(known) or _are_measured([cell for cell in first if _kind(cell, comma=comma) == "number"])


def _are_measured(cells: list[str]) -> bool:
    """Whether numbers are measured ones: with decimals, and in no even steps, as wavelengths have."""
    numbers = [float(cell.replace(",", ".")) for cell in cells]
    if all(number.is_integer() for number in numbers):
        return False
    steps = [after - before for before, after in pairwise(numbers)]
    return len(steps) < 2 or max(steps) - min(steps) > 1e-6 * max(abs(number) for number in numbers)


def _kind(cell: str, *, comma: bool) -> Literal["number", "text", "missing"]:
    text = cell.strip()
    if not text or text in MISSING:
        return "missing"
    return "number" if is_number(text, comma=comma) else "text"
