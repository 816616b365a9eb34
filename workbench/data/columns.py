"""Which column of a table is what: the labels, an input of its own, or one of many values."""

from __future__ import annotations

from math import prod
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.data.fitting import judged_outputs
from workbench.data.input_names import safe_name
from workbench.data.where import where
from workbench.plain.outputs import plain_name

_FEW_CLASSES = 20

LABEL_COLUMNS = ("label", "target", "class", "y")

WEIGHT_COLUMN = "sample_weight"
"""A column that is called so holds weights of samples, whether or not anybody says it."""


def features_of(model: ModelDescription | None) -> int | None:
    """How many numbers a sample of the model has; None if it has several inputs or takes any number.

    Args:
        model: The model that a table is for.
    """
    if model is None or len(model.inputs) != 1:
        return None
    sizes = [size for size in model.inputs[0].shape if size is not None]
    return prod(sizes) if len(sizes) == len(model.inputs[0].shape) else None


def columns_of_inputs(columns: list[str], model: ModelDescription | None) -> dict[str, str]:
    """The column of each input, where every input of a model has one of its name; else nothing.

    Args:
        columns: All of the table.
        model: The model that the table is for.
    """
    if model is None or (len(model.inputs) == 1 and features_of(model) != 1):
        return {}
    by_name = {safe_name(column.strip()): column for column in reversed(columns)}
    names = [safe_name(plain_name(spec.name)) for spec in model.inputs]
    return {name: by_name[name] for name in names} if all(name in by_name for name in names) else {}


def column_of_texts(frame: Any, target: str, model: ModelDescription | None) -> dict[str, str]:
    """The only column of texts beside the labels, for the input of a model that takes one text; else nothing.

    Args:
        frame: The table, its columns named by strings.
        target: The label column.
        model: The model that the table is for.
    """
    from pandas.api import types

    if model is None or features_of(model) != 1 or model.inputs[0].role != "text":
        return {}
    texts = [
        column
        for column in frame.columns
        if column != target and not types.is_numeric_dtype(frame[column]) and frame[column].notna().any()
    ]
    return {safe_name(plain_name(model.inputs[0].name)): texts[0]} if len(texts) == 1 else {}


def has_no_labels(columns: list[str], model: ModelDescription | None) -> bool:
    """Whether every column is an input, as a model takes as many numbers and none is called as labels are.

    Args:
        columns: All of the table.
        model: The model that the table is for.
    """
    lower = {column.strip().lower() for column in columns}
    return features_of(model) == len(columns) > 1 and not lower & set(LABEL_COLUMNS)


def weight_column(columns: list[str], weights: str | None, source: str) -> tuple[str, ...]:
    """The column of a table that says how much each row counts; nothing where there is none.

    Args:
        columns: All of the table.
        weights: What the user has named; None takes one that is called ``sample_weight``.
        source: The table, as the user knows it.

    Raises:
        InvalidInput: If there is no such column.
    """
    by_name = {column.strip(): column for column in reversed(columns)}
    found = by_name.get(WEIGHT_COLUMN if weights is None else weights.strip())
    if found is None and weights is not None:
        raise InvalidInput(
            say("{source} has no column {column}.", source=source, column=weights[:60]),
            say("Its columns are {columns}.", columns=_listed(columns)),
        )
    return () if found is None else (found,)


def label_columns(columns: list[str], label: str | None, model: ModelDescription | None) -> tuple[str, ...]:
    """The columns of several numbers that are predicted, where that is clear; else none.

    Args:
        columns: All of the table.
        label: What the user has named: names with commas between them.
        model: The model that the table is for: as many columns as it has numbers in and out are all of them.
    """
    if label is not None:
        if label.strip() in [column.strip() for column in columns] or "," not in label:
            return ()
        by_name = {column.strip(): column for column in reversed(columns)}
        names = [name.strip() for name in label.split(",") if name.strip()]
        return tuple(by_name[name] for name in names) if all(name in by_name for name in names) else ()
    inputs, outputs = features_of(model), judged_outputs(model, None)
    if model is None or inputs is None or outputs is None or outputs < 2:
        return ()
    if len(columns) != inputs + outputs:
        return ()
    return tuple(columns[inputs:])


def label_column(
    frame: Any, label: str | None, source: str, model: ModelDescription | None, inputs: set[str]
) -> tuple[str, Text]:
    """The label column, and how it was chosen.

    The one that was named, else one that is called as label columns are, else the one whose values fit the
    model's outputs, the last column first; else the last.

    Args:
        frame: The table, its columns named by strings.
        label: What the user has named.
        source: The table, as the user knows it.
        model: The model that the table is for.
        inputs: Columns that are inputs of their own.

    Raises:
        InvalidInput: If there is no such column, or several fit the model's outputs and the last does not.
    """
    columns = list(frame.columns)
    stripped = {column.strip(): column for column in reversed(columns)}
    if label is not None:
        found = label if label in columns else stripped.get(label.strip())
        if found is None:
            raise InvalidInput(
                say("{source} has no column {column}.", source=source, column=label[:60]),
                say("Its columns are {columns}.", columns=_listed(columns)),
            )
    else:
        lower = {column.lower(): original for column, original in reversed(stripped.items())}
        free = {name: column for name, column in lower.items() if column not in inputs}
        found = next((free[name] for name in LABEL_COLUMNS if name in free), None)
    if found is not None:
        return found, say("Labels are in the column {column}.", column=found.strip()[:60])
    return _guessed(frame, [column for column in columns if column not in inputs], source, model)


def _guessed(frame: Any, columns: list[str], source: str, model: ModelDescription | None) -> tuple[str, Text]:
    """A column that nobody has named, which with as many classes as the right one would go unnoticed."""
    usual = tuple(LABEL_COLUMNS)
    if not columns:
        raise InvalidInput(
            say("Every column of {source} is an input of the model.", source=source),
            say("Add a column with the class of each row."),
        )
    last = columns[-1]
    outputs = judged_outputs(model, None)
    named = _named_by_output(columns, model)
    if named is not None:
        return named, say(
            "Labels are in the column {column}: the model's output is called so.", column=named.strip()[:60]
        )
    if outputs == 1 and _gives_a_number(model) and _may_be_numbers(frame[last]):
        return last, say(
            "No column is called {names}, so the last one, {column}, was taken for the labels. "
            "Where they are in another, name it: {where}.",
            names=usual,
            column=last.strip()[:60],
            where=where("label"),
        )
    if outputs is not None:
        fitting = [column for column in columns if _may_be_labels(frame[column], max(outputs, 2))]
        if last in fitting or _numbers_outputs(frame[last], max(outputs, 2)):
            others = [column for column in fitting if column != last]
            if others:
                return last, say(
                    "No column is called {names}, so the last one, {column}, was taken for the labels. As "
                    "many different values are in {others}: where the labels are there, name it: {where}.",
                    names=usual,
                    column=last.strip()[:60],
                    others=_listed(others),
                    where=where("label"),
                )
        elif columns[0] in fitting or len(fitting) == 1:
            found = columns[0] if columns[0] in fitting else fitting[0]
            return found, say(
                "No column is called {names}; {column} was taken for the labels: it has as many different "
                "values as the model has classes, {count}, and the last one does not. Where they are in "
                "another, name it: {where}.",
                names=usual,
                column=found.strip()[:60],
                count=max(outputs, 2),
                where=where("label"),
            )
        elif fitting:
            raise InvalidInput(
                say(
                    "Which column of {source} holds the labels is not clear: {columns} have as many "
                    "different values as the model has classes, {count}.",
                    source=source,
                    columns=_listed(fitting),
                    count=max(outputs, 2),
                ),
                say("Name the label column: {where}.", where=where("label")),
            )
    return last, say(
        "No column is called {names}, so the last one, {column}, was taken for the labels. "
        "Where they are in another, name it: {where}.",
        names=usual,
        column=last.strip()[:60],
        where=where("label"),
    )


def _named_by_output(columns: list[str], model: ModelDescription | None) -> str | None:
    """The column that is called as the judged output, or as the only one."""
    if model is None or not model.outputs or (len(model.outputs) > 1 and model.output is None):
        return None
    wanted = plain_name(model.judged.name).casefold()
    return next((column for column in columns if column.strip().casefold() == wanted), None)


def _gives_a_number(model: ModelDescription | None) -> bool:
    """Whether a model gives numbers that are no probabilities."""
    return model is not None and bool(model.outputs) and "probabilities" not in model.meanings


def _may_be_numbers(values: Any) -> bool:
    """Whether a column holds numbers to be predicted: fractions, or many different ones."""
    from pandas.api import types

    present = values.dropna()
    if types.is_bool_dtype(present) or not types.is_numeric_dtype(present):
        return False
    return not _whole(present) or bool(present.nunique() > _FEW_CLASSES)


def _may_be_labels(values: Any, classes: int) -> bool:
    """Whether a column has as many different values as there are classes, and no fractions."""
    present = values.dropna()
    return present.nunique() == classes and _whole(present)


def _numbers_outputs(values: Any, classes: int) -> bool:
    """Whether a column holds numbers of outputs, of which some may not occur."""
    from pandas.api import types

    present = values.dropna()
    if not types.is_numeric_dtype(present) or present.nunique() < 2 or not _whole(present):
        return False
    return bool(present.min() >= 0 and present.max() < classes)


def _whole(values: Any) -> bool:
    from pandas.api import types

    return not types.is_float_dtype(values) or bool((values == values.round()).all())


def _listed(names: list[str]) -> tuple[str, ...]:
    return (*(name.strip()[:60] for name in names[:10]), *("…" for _ in names[10:11]))
