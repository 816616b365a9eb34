"""Tables in CSV files: what separates the columns, whether they have names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import ModelDescription
from workbench.data.cells import is_number, separator_of, with_numbers_from_texts, without_row_numbers
from workbench.data.columns import features_of
from workbench.data.heading import cells_of, first_lines, heading_of, is_sample
from workbench.data.raw import RawData, check_limit
from workbench.data.tables import from_frame

_LONGEST_LINE = 2**22
_LINES_LOOKED_AT = 3
"""Of the first, blank ones are passed over."""


def read_csv(
    path: Path,
    *,
    label: str | None,
    limit_bytes: int,
    model: ModelDescription | None = None,
    weights: str | None = None,
) -> RawData:
    """Reads a CSV file: one sample a row, with a header or not.

    Columns are separated by commas, semicolons, tabs, ``|`` or, between numbers, by blanks.

    Args:
        path: A regular file of UTF-8 text.
        label: Name of the label column; None looks for one.
        limit_bytes: The most memory that the values may take.
        model: The model that the data are for, where it is known.
        weights: Name of the column of sample weights.

    Raises:
        InvalidInput: If the file cannot be read as a table, or the table cannot be used.
    """
    frame, heading, separator = frame_of(path, limit_bytes)
    frame, row_numbers = without_row_numbers(frame, features_of(model))
    frame, decimals = with_numbers_from_texts(frame, comma=separator != ",")
    raw = from_frame(
        frame,
        path.stem,
        label=label,
        limit_bytes=limit_bytes,
        source=path.name,
        model=model,
        weights=weights,
    )
    return replace(raw, notes=(*heading, *row_numbers, *decimals, *raw.notes))


def frame_of(path: Path, limit_bytes: int) -> tuple[Any, list[Text], str]:
    """The table in a CSV file as a pandas ``DataFrame``, as it is written.

    Returns:
        The table, what is to be said of how it was read, and what separates its columns.

    Raises:
        InvalidInput: If the file cannot be read as a table.
    """
    import pandas

    # A digit and a comma become a number of 8 bytes.
    check_limit(path.stat().st_size * 4, limit_bytes, path.name)
    with path.open("rb") as file:
        start = b"".join(file.readline(_LONGEST_LINE) for _ in range(_LINES_LOOKED_AT))
    first, second = first_lines(start)
    if not first.strip():
        raise InvalidInput(
            say("{file} is empty.", file=path.name)
            if not start
            else say("{file} starts with an empty line.", file=path.name),
            say("Write one sample in each row, with the names of the columns in the first."),
        )
    if b"\0" in first:
        raise InvalidInput(
            say("{file} is not a text file.", file=path.name), say("Save the table as CSV, in UTF-8.")
        )
    separator = separator_of(first, second)
    fields, comma = cells_of(first, separator), separator != ","
    heading = heading_of(fields, cells_of(second, separator), comma=comma)
    try:
        frame = _parsed(path, separator, named=heading != "sample")
        if heading == "unclear" and is_sample(fields, frame, comma=comma):
            heading = "sample"
            frame = _parsed(path, separator, named=False)
    except UnicodeDecodeError as error:
        raise InvalidInput(
            say("{file} is not UTF-8 text.", file=path.name), say("Save the table as CSV, in UTF-8.")
        ) from error
    except (ValueError, OverflowError, pandas.errors.ParserError) as error:
        raise InvalidInput(
            say(
                "{file} cannot be read as a table: {reason}",
                file=path.name,
                reason=verbatim(str(error)[:200]),
            ),
            say("Every row needs the same number of columns."),
        ) from error
    notes: list[Text] = []
    if heading == "sample":
        frame.columns = [f"column {number}" for number in range(1, len(frame.columns) + 1)]
        if any(field.strip() and not is_number(field, comma=comma) for field in fields):
            notes.append(say("The first line was read as a sample: the file has no names of columns."))
    elif heading == "counted":
        notes.append(
            say(
                "The first line, {first} to {last}, was read as the names of the columns.",
                first=fields[0].strip(),
                last=fields[-1].strip(),
            )
        )
    # a separator at the end of each line
    if frame.shape[1] > 2 and not fields[-1].strip() and frame.iloc[:, -1].isna().all():
        frame = frame.iloc[:, :-1]
    return frame, notes, separator


def _parsed(path: Path, separator: str, *, named: bool) -> Any:
    import pandas

    return pandas.read_csv(
        path,
        sep=r"\s+" if separator == " " else separator,
        header=0 if named else None,
        encoding="utf-8-sig",
        low_memory=False,
        skipinitialspace=True,
    )
