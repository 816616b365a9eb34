"""Tables in Parquet files and Arrow data sets as labelled samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from workbench.api.dataset import SplitName
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.data.arrow_columns import (
    Pictures,
    class_names_of,
    feature_kinds,
    is_number_rows,
    is_picture_column,
    number_rows,
)
from workbench.data.arrow_files import open_table, require_pyarrow, table_files
from workbench.data.class_names import numbering
from workbench.data.columns import label_column
from workbench.data.picture_inspection import inspect, target_of
from workbench.data.raw import Array, Disk, RawData, Samples, check_limit
from workbench.data.tables import from_frames

_UNLABELLED = -1
"""What a class is numbered in rows whose label is kept secret."""


def read_arrow(
    path: Path,
    *,
    label: str | None,
    limit_bytes: int,
    model: ModelDescription | None = None,
    disk: Disk | None = None,
    weights: str | None = None,
) -> RawData:
    """Reads tables whose columns are pictures, rows of numbers, or numbers and texts as in a CSV file.

    A column of pictures is what the model gets, else columns of rows of numbers are its inputs; else all
    columns are, as :func:`workbench.data.tables.from_frame` reads them.

    Args:
        path: See :func:`workbench.data.arrow_files.table_files`.
        label: Name of the label column; None looks for one.
        limit_bytes: The most memory that the values may take.
        model: The model that the data are for, where it is known.
        disk: Where values go that are too many for memory.
        weights: Name of the column of sample weights, in a table of numbers and texts.

    Raises:
        InvalidInput: If the tables are damaged or cannot be used.
        Refused: If they take more than the limit.
        Unavailable: If the package that reads them is not installed.
    """
    require_pyarrow()
    files = table_files(path)
    tables = {
        split: open_table(own, path.name, limit_bytes=limit_bytes, disk=disk) for split, own in files.items()
    }
    first = tables["train"]
    for split, table in tables.items():
        if set(table.column_names) != set(first.column_names):
            raise InvalidInput(
                say(
                    "The split {split} has the columns {columns}, and the training split {first}.",
                    split=split,
                    columns=tuple(table.column_names[:20]),
                    first=tuple(first.column_names[:20]),
                ),
                say("Give every split the same columns."),
            )
    pictures = [name for name in first.column_names if is_picture_column(first[name])]
    vectors = [name for name in first.column_names if is_number_rows(first[name])]
    name = path.stem if path.is_file() else path.name
    if pictures or [column for column in vectors if column != label]:
        if weights is not None:
            raise InvalidInput(
                say("Weights of samples are not read beside columns of pictures or of rows of numbers."),
                say("Give them as the third of (x, y, sample_weight), or as w in an .npz file."),
            )
        source = _Source(name, tables, label, model, limit_bytes, disk)
        return source.of_pictures(pictures) if pictures else source.of_vectors(vectors)
    check_limit(sum(table.nbytes for table in tables.values()), limit_bytes, path.name)
    frames = {split: table.to_pandas(strings_to_categorical=False) for split, table in tables.items()}
    raw = from_frames(
        frames,
        name,
        label=label,
        limit_bytes=limit_bytes,
        source=path.name,
        model=model,
        weights=weights,
    )
    return _with_class_names(raw, first)


def _with_class_names(raw: RawData, table: Any) -> RawData:
    """The data with the names of the classes, where the table has them beside their numbers."""
    names = next((names for kind in feature_kinds(table).values() if (names := class_names_of(kind))), None)
    labels = [samples.y for samples in raw.samples()]
    if names is None or raw.classes is not None or any(y.dtype.kind not in "iu" for y in labels):
        return raw
    if any(y.min() < 0 or y.max() >= len(names) for y in labels):
        return raw
    return replace(raw, classes=names, numbered=numbering(names))


@dataclass(frozen=True)
class _Source:
    """Tables with pictures or rows of numbers in them."""

    name: str
    tables: dict[SplitName, Any]
    label: str | None
    model: ModelDescription | None
    limit_bytes: int
    disk: Disk | None

    def of_pictures(self, columns: list[str]) -> RawData:
        """Samples that are the pictures in the first column of them."""
        chosen = columns[0]
        target, said = self._label([column for column in columns if column != chosen])
        all_of = {split: Pictures(table[chosen]) for split, table in self.tables.items()}
        found = inspect(picture for pictures in all_of.values() for picture in pictures)
        if len(found.broken) * 10 > found.count or not found.sizes:
            raise InvalidInput(
                say(
                    "{broken} of {count} pictures in column {column} cannot be read.",
                    broken=len(found.broken),
                    count=found.count,
                    column=chosen[:60],
                ),
                say("Remove or replace them."),
            )
        form = target_of(found, self.name, limit_bytes=self.limit_bytes, model=self.model, disk=self.disk)
        notes = [said, say("The pictures are in the column {column}.", column=chosen[:60]), *form.notes]
        if found.broken:
            notes.append(
                say(
                    "{count} picture could not be read and was left out.",
                    "{count} pictures could not be read and were left out.",
                    count=len(found.broken),
                )
            )
        splits: dict[SplitName, Samples] = {}
        start = 0
        for split, pictures in all_of.items():
            usable = [row for row in range(len(pictures)) if start + row not in found.broken]
            start += len(pictures)
            rows, labels = self._labelled(split, target, np.asarray(usable, np.int64), notes)
            if len(rows):
                those = partial(_at, pictures, rows)
                splits[split] = Samples({"": form.of(those, len(rows))}, labels, self._suffix(split))
        return self._raw(splits, target, notes, is_image=True)

    def of_vectors(self, columns: list[str]) -> RawData:
        """Samples that are the rows of numbers in columns, each an input where there are several."""
        target, said = self._label(columns)
        inputs = [column for column in columns if column != target]
        notes = [said, say("The samples are in the columns {columns}.", columns=tuple(inputs[:10]))]
        splits: dict[SplitName, Samples] = {}
        for split, table in self.tables.items():
            rows, labels = self._labelled(split, target, np.arange(len(table)), notes)
            if len(rows):
                arrays = {column: number_rows(table[column], column, rows) for column in inputs}
                named = arrays if len(inputs) > 1 else {"": arrays[inputs[0]]}
                splits[split] = Samples(named, labels, self._suffix(split))
        return self._raw(splits, target, notes, is_image=None)

    def _suffix(self, split: SplitName) -> str:
        return split if len(self.tables) > 1 else ""

    def _label(self, others: list[str]) -> tuple[str, Text]:
        """The label column: one that has names of classes, else as in any table."""
        table = self.tables["train"]
        if self.label in others:
            return self.label, say("Labels are in the column {column}.", column=self.label[:60])
        plain = [
            column
            for column in table.column_names
            if not (is_picture_column(table[column]) or is_number_rows(table[column]))
        ]
        kinds = feature_kinds(table)
        named = [column for column in plain if class_names_of(kinds.get(column))]
        if self.label is None and len(named) == 1:
            return named[0], say("Labels are in the column {column}.", column=named[0][:60])
        if not plain:
            raise InvalidInput(
                say("{source} has no column of labels.", source=self.name),
                say("Add a column with the class of each row."),
            )
        frame = table.select(plain).to_pandas()
        return label_column(frame, self.label, self.name, self.model, set())

    def _labelled(self, split: SplitName, target: str, rows: Array, notes: list[Text]) -> tuple[Array, Array]:
        """Of some rows those that have a label, and their labels."""
        column = self.tables[split][target]
        if is_number_rows(column):
            return rows, number_rows(column, target, rows)
        values = column.to_pandas()
        known = values.notna().to_numpy()
        if class_names_of(feature_kinds(self.tables[split]).get(target)):
            known = known & (values != _UNLABELLED).to_numpy()
        kept = rows[known[rows]]
        if len(kept) < len(rows):
            notes.append(
                say(
                    "{count} row without a label was dropped.",
                    "{count} rows without a label were dropped.",
                    count=len(rows) - len(kept),
                )
            )
        labels = values.iloc[kept]
        if labels.dtype == object or not isinstance(labels.dtype, np.dtype):
            return kept, np.asarray(labels.astype(str).to_numpy(), np.str_)
        return kept, _whole(labels.to_numpy())

    def _raw(
        self, splits: dict[SplitName, Samples], target: str, notes: list[Text], *, is_image: bool | None
    ) -> RawData:
        if "train" not in splits:
            raise InvalidInput(
                say("No row of {source} has a label.", source=self.name),
                say("Name the label column, or add the class of each row."),
            )
        raw = RawData(
            name=self.name,
            splits=splits,
            scaling="divide by 255" if is_image else None,
            is_image=is_image,
            notes=tuple(notes),
        )
        names = class_names_of(feature_kinds(self.tables["train"]).get(target))
        return raw if names is None else replace(raw, classes=names, numbered=numbering(names))


def _at(pictures: Pictures, rows: Array, positions: Any) -> list[bytes]:
    return pictures([int(rows[position]) for position in positions])


def _whole(labels: Array) -> Array:
    """Integers again, where rows without a label had made fractions of them."""
    if labels.dtype.kind == "f" and np.isfinite(labels).all() and (labels == np.floor(labels)).all():
        return labels.astype(np.int64)
    return labels
