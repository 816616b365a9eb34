"""Tables as pandas data frames: which columns are inputs, which is the label, and what becomes of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.api.dataset import SplitName
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.data.cells import texts_among_numbers
from workbench.data.class_names import numbering
from workbench.data.class_order import whole_numbers
from workbench.data.columns import (
    column_of_texts,
    columns_of_inputs,
    has_no_labels,
    label_column,
    label_columns,
    weight_column,
)
from workbench.data.fitting import judged_outputs
from workbench.data.raw import Array, RawData, Samples, check_limit

MOST_LEVELS = 100
"""A text column with more different values is an identifier or free text, not a category."""


def from_frame(
    frame: Any,
    name: str,
    *,
    label: str | None,
    limit_bytes: int,
    source: str,
    model: ModelDescription | None = None,
    splits: Sequence[SplitName] = ("train",),
    weights: str | None = None,
) -> RawData:
    """Turns a pandas ``DataFrame`` into numbers and labels.

    Numbers and booleans stay one column each; a text column becomes one 0/1 column for each of its values;
    rows with a missing value are dropped, and counted. Where the model has inputs of the columns' names,
    each gets its column.

    Args:
        frame: One sample a row.
        name: Shown to the user.
        label: Name of the label column, or of several that hold numbers, with commas between; None looks for
            one, see :func:`workbench.data.columns.label_column`.
        limit_bytes: The most memory that the values may take.
        source: The table, as the user knows it.
        model: The model that the data are for, where it is known.
        splits: Where there are several, the index of the frame says which of them each row is of.
        weights: Name of the column that says how much each row counts; None takes one that is called
            ``sample_weight``.

    Raises:
        InvalidInput: If there is no usable column or label.
    """
    frame = _with_names(frame)
    weighing = weight_column(list(frame.columns), weights, source)
    columns = [column for column in frame.columns if column not in weighing]
    if len(columns) < 2 or not len(frame):
        raise InvalidInput(
            say(
                "{source} has {rows} rows and {columns} columns.",
                source=source,
                rows=len(frame),
                columns=len(columns),
            ),
            say(
                "Columns are separated by commas, semicolons, tabs or |. At least one column of values, one "
                "of labels, and one row are needed."
            )
            if len(columns) < 2
            else say("At least one column of values, one of labels, and one row are needed."),
        )
    own = columns_of_inputs(columns, model)
    several = label_columns(columns, label, model)
    unlabelled_table = label is None and has_no_labels(columns, model) and not own
    if unlabelled_table:
        target, label_note = (
            "",
            say("All {count} columns are inputs of the model: there are no labels.", count=len(columns)),
        )
    elif several:
        target, label_note = (
            several[-1],
            say("Labels are in the columns {columns}.", columns=_listed([*several])),
        )
    else:
        labelled = frame.drop(columns=[*weighing])
        target, label_note = label_column(labelled, label, source, model, set(own.values()))
    targets = () if unlabelled_table else several or (target,)
    notes: list[Text] = [label_note]
    notes += [say("The weights of samples are in the column {column}.", column=one[:60]) for one in weighing]
    if not own:
        own = column_of_texts(frame.drop(columns=[*weighing]), target, model)
        notes += [say("The texts are in the column {column}.", column=name[:60]) for name in own.values()]
    unused = [column for column in columns if own and column not in (*targets, *own.values())]
    if unused:
        frame = frame.drop(columns=unused)
        columns = list(frame.columns)
        notes.append(say("Left out, as the model has no input of that name: {names}.", names=_listed(unused)))

    missing = frame[[*targets]].isna().any(axis=1)
    unlabelled = int(missing.sum())
    if unlabelled:
        frame = frame[~missing]
        notes.append(
            say(
                "{count} row without a label was dropped.",
                "{count} rows without a label were dropped.",
                count=unlabelled,
            )
        )
    needed = {*targets, *own.values()}
    empty = [column for column in columns if column not in needed and frame[column].isna().all()]
    if empty:
        frame = frame.drop(columns=empty)
        notes.append(say("Columns without any value were dropped: {columns}.", columns=_listed(empty)))
    frame, missing_note = _complete_rows(frame, source)
    notes += missing_note
    if frame.shape[1] <= len(targets) + len(weighing) or not len(frame):
        raise InvalidInput(
            say("{source} has no row with a label and values.", source=source),
            say("At least one column of values, one of labels, and one row are needed."),
        )
    x: Array | dict[str, Array]
    x, category_notes = (
        ({name: _input_column(frame[column]) for name, column in own.items()}, [])
        if own
        else _numbers(frame.drop(columns=[*targets, *weighing]), limit_bytes, source)
    )
    y: Array
    classes: tuple[str, ...] | None
    numbered: Text | None
    if unlabelled_table:
        y, classes, numbered = np.empty((len(frame), 0), np.float32), None, None
    elif several:
        y, classes, numbered = _numbers(frame[[*targets]], limit_bytes, source)[0], None, None
    else:
        y, classes, numbered = _labels(frame[target], judged_outputs(model, target))
    return RawData(
        name=name,
        splits=_divided(
            x if isinstance(x, dict) else {"": x},
            y,
            {"": frame[weighing[0]].to_numpy()} if weighing else {},
            frame.index,
            splits,
        ),
        classes=classes,
        is_image=False,
        tabular=True,
        numbered=numbered,
        columns=targets,
        notes=(*notes, *category_notes),
    )


def from_frames(
    frames: Mapping[SplitName, Any],
    name: str,
    *,
    label: str | None,
    limit_bytes: int,
    source: str,
    model: ModelDescription | None = None,
    weights: str | None = None,
) -> RawData:
    """Turns one ``DataFrame`` for each split into numbers and labels; what a text becomes is the same in all.

    Args:
        frames: With the same columns.
        name: As for :func:`from_frame`, as the others are.
        label: See there.
        limit_bytes: See there.
        source: See there.
        model: See there.
        weights: See there.

    Raises:
        InvalidInput: If there is no usable column or label.
    """
    import pandas

    if len(frames) == 1:
        frame = frames["train"]
    else:
        numbered = [
            frame.set_index(np.full(len(frame), place)) for place, frame in enumerate(frames.values())
        ]
        frame = pandas.concat(numbered)
    return from_frame(
        frame,
        name,
        label=label,
        limit_bytes=limit_bytes,
        source=source,
        model=model,
        splits=tuple(frames),
        weights=weights,
    )


def _divided(
    x: dict[str, Array], y: Array, weights: dict[str, Array], index: Any, splits: Sequence[SplitName]
) -> dict[SplitName, Samples]:
    if len(splits) == 1:
        return {"train": Samples(x, y, weights=weights)}
    rows = {split: np.flatnonzero(index == place) for place, split in enumerate(splits)}
    return {
        split: Samples(
            {name: values[own] for name, values in x.items()},
            y[own],
            split,
            weights={name: values[own] for name, values in weights.items()},
        )
        for split, own in rows.items()
        if len(own)
    }


def numbers_of(frame: Any, limit_bytes: int) -> Array:
    """The values of a frame without labels, one column for each column of numbers.

    Args:
        frame: A pandas ``DataFrame``; text columns become one 0/1 column for each value.
        limit_bytes: The most memory that the values may take.

    Raises:
        InvalidInput: If a column cannot be numbers.
    """
    values: Array = _numbers(_with_names(frame), limit_bytes, "DataFrame")[0]
    return values


def _with_names(frame: Any) -> Any:
    """The frame with one text for each column, no two alike: second ones get a number, as in ``read_csv``."""
    names: list[str] = []
    for column in frame.columns:
        base = name = " ".join(map(str, column)).strip() if isinstance(column, tuple) else str(column)
        number = 1
        while name in names:
            name = f"{base}.{number}"
            number += 1
        names.append(name)
    return frame.set_axis(names, axis=1)


def _input_column(values: Any) -> Array:
    """One column as the input of a model: ``(n, 1)``."""
    from pandas.api import types

    if types.is_bool_dtype(values) or types.is_numeric_dtype(values):
        array: Array = values.to_numpy()
        if array.dtype.kind == "O":
            array = values.to_numpy(np.float64)
        return array[:, None]
    return np.asarray(values.astype(str).to_numpy(), np.str_)[:, None]


def _complete_rows(frame: Any, source: str) -> tuple[Any, list[Text]]:
    missing = frame.isna()
    incomplete = missing.any(axis=1)
    count = int(incomplete.sum())
    if not count:
        return frame, []
    by_column = missing.sum()
    worst = tuple(
        f"{column[:60]} ({int(by_column[column])})"
        for column in sorted(frame.columns, key=lambda column: -int(by_column[column]))[:5]
        if by_column[column]
    )
    if count * 2 > len(frame):
        raise InvalidInput(
            say(
                "{count} of {rows} rows in {source} have missing values, in the columns {columns}.",
                count=count,
                rows=len(frame),
                source=source,
                columns=worst,
            ),
            say("Fill the missing values or leave those columns out."),
        )
    return frame[~incomplete], [
        say(
            "{count} row with missing values was dropped; missing in: {columns}.",
            "{count} rows with missing values were dropped; missing in: {columns}.",
            count=count,
            columns=worst,
        )
    ]


def _numbers(frame: Any, limit_bytes: int, source: str) -> tuple[Array, list[Text]]:
    from pandas.api import types

    pieces: list[tuple[str, Any]] = []
    categories: list[str] = []
    width = 0
    for column in frame.columns:
        values = frame[column]
        if types.is_bool_dtype(values) or types.is_numeric_dtype(values):
            if types.is_complex_dtype(values):
                raise _unusable(column, str(values.dtype))
            pieces.append(("numbers", values))
            width += 1
            continue
        if types.is_datetime64_any_dtype(values) or types.is_timedelta64_dtype(values):
            raise _unusable(column, str(values.dtype))
        texts = values.astype(str)
        levels = texts.nunique()
        if levels > MOST_LEVELS:
            stray = texts_among_numbers(texts)
            if stray:
                raise InvalidInput(
                    say(
                        "Column {column} holds numbers and {count} values that are none, such as {example}.",
                        column=column[:60],
                        count=len(stray),
                        example=repr(stray[0][:40]),
                    ),
                    say("Correct them, or leave the cells empty."),
                )
            raise InvalidInput(
                say(
                    "Column {column} holds {levels} different texts, too many for categories "
                    "(at most {limit}).",
                    column=column[:60],
                    levels=levels,
                    limit=MOST_LEVELS,
                ),
                say("Leave out columns with names, identifiers or free text."),
            )
        pieces.append(("texts", texts))
        categories.append(f"{column[:60]} ({levels})")
        width += levels
    check_limit(len(frame) * width * 8, limit_bytes, source)
    whole = not categories and all(types.is_integer_dtype(values) for _, values in pieces)
    # Whole numbers may be identifiers, which float64 rounds above 2**53.
    dtype = np.result_type(*(np.dtype(str(v.dtype).lower()) for _, v in pieces)) if whole else np.float64
    x = np.empty((len(frame), width), dtype)
    position = 0
    for kind, values in pieces:
        if kind == "numbers":
            x[:, position] = values.to_numpy(dtype)
            position += 1
            continue
        codes, levels = values.factorize(sort=True)
        x[:, position : position + len(levels)] = codes[:, None] == np.arange(len(levels))
        position += len(levels)
    if not categories:
        return x, []
    return x, [
        say("Text columns became one 0/1 column for each value: {columns}.", columns=_listed(categories))
    ]


def _labels(values: Any, outputs: int | None) -> tuple[Array, tuple[str, ...] | None, Text | None]:
    """Labels as integers; words are numbered here, where each is in memory once."""
    from pandas.api import types

    if types.is_bool_dtype(values) or types.is_numeric_dtype(values):
        return values.to_numpy(), None, None
    names = category_names(values, outputs)
    if names is None:
        codes, levels = values.astype(str).factorize(sort=True)
        names = tuple(str(level) for level in levels)
        if whole_numbers(names) is not None:  # short, and may be the numbers of the model's outputs
            return np.asarray(names, np.str_)[codes], None, None
    else:
        number = {name: index for index, name in enumerate(names)}
        codes = values.astype(str).map(number)
    return np.asarray(codes, np.int64), names, numbering(names)


def category_names(values: Any, outputs: int | None) -> tuple[str, ...] | None:
    """The categories of a column of pandas in their own order, which its codes have; None if it has none.

    Those that do not occur, such as after rows were left out, are kept where the model has an output for
    each.

    Args:
        values: A ``Series`` or a ``Categorical``.
        outputs: Values that the judged output of the model has; None if not known.
    """
    column = getattr(values, "cat", values)
    if not hasattr(column, "categories"):
        return None
    categories = column.categories
    if len(categories) != outputs:
        column = column.remove_unused_categories()
        categories = getattr(column, "cat", column).categories
    return tuple(str(category) for category in categories)


def _unusable(column: str, dtype: str) -> InvalidInput:
    return InvalidInput(
        say("Column {column} holds {dtype} values.", column=column[:60], dtype=dtype),
        say("Columns are numbers, booleans or texts with few different values."),
    )


def _listed(names: list[str]) -> tuple[str, ...]:
    return (*(name[:60] for name in names[:10]), *("…" for _ in names[10:11]))
