"""What data look like before a model is opened with them: columns, classes, a few rows or pictures."""

from __future__ import annotations

import base64
import io
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.records import Record
from workbench.api.task import Task
from workbench.api.text import Text, say
from workbench.data.arrow_columns import (
    Pictures,
    class_names_of,
    feature_kinds,
    is_number_rows,
    is_picture_column,
)
from workbench.data.arrow_files import (
    ARROW_SUFFIXES,
    PARQUET_SUFFIXES,
    glimpse,
    is_arrow_folder,
    require_pyarrow,
)
from workbench.data.columns import label_column
from workbench.data.csv_files import frame_of
from workbench.data.files import TABLE_SUFFIXES, require_plausible
from workbench.data.fitting import target_names, with_labels
from workbench.data.image_folder import pictures_of
from workbench.data.labels import encode
from workbench.data.npz import read_npz
from workbench.data.picture_archive import unpack_pictures
from workbench.data.picture_form import Encoded
from workbench.data.raw import Array, RawData
from workbench.data.targets import encode_numbers, numbers_note
from workbench.data.task_choice import task_of

_MOST_CLASSES = 100
_MOST_ROWS = 5
_ROWS_LOOKED_AT = 256
_MOST_COLUMNS = 200
_MOST_PICTURES = 12
_PICTURE_PIXELS = 56
_LONGEST_CELL = 40

Counts = tuple[tuple[str, int], ...]


class Column(Record):
    """A column of a table.

    Attributes:
        name: As it is written.
        counts: How often each value occurs, where there are so few that they can be classes; else empty.
    """

    name: str
    counts: Counts = ()


class Target(Record):
    """What one of several outputs of a model is to give.

    Attributes:
        name: As the data call it.
        task: What its values look like; the model may tell otherwise. None where that cannot be told.
    """

    name: str
    task: Task | None = None


class Preview(Record):
    """What is shown of data.

    Attributes:
        kind: What they are.
        samples: How many there are in all.
        columns: Of a table.
        rows: The first ones of a table, as text.
        label: The column of a table that is taken for the labels unless another one is named.
        counts: Samples of each class; for a table those of ``label``.
        pictures: Class and PNG, as base64 text, of a few of them.
        targets: Of a model with several outputs.
        notes: What is to be known of it.
    """

    kind: Literal["table", "pictures", "arrays"]
    samples: int
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    label: str | None = None
    counts: Counts = ()
    pictures: tuple[tuple[str, str], ...] = ()
    targets: tuple[Target, ...] = ()
    notes: tuple[Text, ...] = Field(default=())


def preview(path: Path, limit_bytes: int) -> Preview:
    """Looks into data of the user's own.

    Args:
        path: An ``.npz`` file, a CSV, Parquet or Arrow table, or a folder or ``.zip`` of pictures.
        limit_bytes: The most memory that the values may take.

    Raises:
        InvalidInput: If they cannot be read.
        Refused: If reading them would be dangerous.
    """
    if not path.exists():
        raise InvalidInput(say("There is no data {path}.", path=str(path)[:200]))
    require_plausible(path)
    suffix = path.suffix.lower()
    if suffix in (*PARQUET_SUFFIXES, *ARROW_SUFFIXES) or (path.is_dir() and is_arrow_folder(path)):
        return _of_arrow(path)
    if path.is_dir():
        return _of_pictures(path)
    if suffix in TABLE_SUFFIXES:
        return _of_table(path, limit_bytes)
    if suffix == ".npz":
        return _of_arrays(read_npz(path, limit_bytes=limit_bytes))
    with tempfile.TemporaryDirectory(prefix="workbench-pictures-") as folder:
        unpack_pictures(path, Path(folder), limit_bytes)
        return _of_pictures(Path(folder))


def _of_table(path: Path, limit_bytes: int) -> Preview:
    frame, notes, _ = frame_of(path, limit_bytes)
    return _of_frame(frame, path.name, notes)


def _of_arrow(path: Path) -> Preview:
    require_pyarrow()
    seen = glimpse(path, _ROWS_LOOKED_AT)
    pictures = [name for name in seen.first.column_names if is_picture_column(seen.first[name])]
    rows = [name for name in seen.first.column_names if is_number_rows(seen.first[name])]
    plain = [name for name in seen.first.column_names if name not in (*pictures, *rows)]
    frame = seen.read(plain).to_pandas() if plain else None
    if not pictures and not rows:
        return _of_frame(frame, path.name, [])
    kinds = feature_kinds(seen.first)
    named = [name for name in plain if class_names_of(kinds.get(name))]
    counts: Counts = ()
    label: str | None = None
    shown: list[tuple[str, str]] = []
    notes: list[Text] = (
        [say("The pictures are in the column {column}.", column=pictures[0])] if pictures else []
    )
    try:
        if frame is not None:
            label = named[0] if len(named) == 1 else label_column(frame, None, path.name, None, set())[0]
    except WorkbenchError as error:
        notes.append(error.text)
    if label is not None and frame is not None:
        names = class_names_of(kinds.get(label)) or ()
        classes = [_class_name(value, names) for value in frame[label]]
        found = Counter(classes)
        counts = tuple(sorted(found.items())) if len(found) <= _MOST_CLASSES else ()
        notes.append(say("Labels are in the column {column}.", column=label[:60]))
        firsts: dict[str, bytes] = {}
        for name, content in zip(
            classes, Pictures(seen.first[pictures[0]]) if pictures else (), strict=False
        ):
            firsts.setdefault(name, content)
        some = sorted(firsts.items())[:_MOST_PICTURES]
        shown = [(name, png) for name, content in some if (png := _thumbnail(content))]
    notes += [
        say(
            "Input {name}: {shape}, {type}",
            name=name,
            shape=str(len(seen.first[name][0])),
            type=str(seen.first[name].type),
        )
        for name in rows
        if len(seen.first)
    ]
    return Preview(
        kind="pictures" if pictures else "arrays",
        samples=seen.count,
        counts=counts,
        pictures=tuple(shown),
        notes=tuple(notes),
    )


def _class_name(value: Any, names: tuple[str, ...]) -> str:
    if names and isinstance(value, int | float) and value == value and 0 <= value < len(names):
        return names[int(value)]
    return _cell(value)


def _of_frame(frame: Any, source: str, notes: list[Text]) -> Preview:
    frame.columns = [str(name) for name in frame.columns]
    if frame.shape[1] < 2 or not len(frame):
        raise InvalidInput(
            say(
                "{source} has {rows} rows and {columns} columns.",
                source=source,
                rows=len(frame),
                columns=frame.shape[1],
            ),
            say("At least one column of values, one of labels, and one row are needed."),
        )
    label: str | None = None
    try:
        label, chosen = label_column(frame, None, source, None, set())
        notes = [*notes, chosen]
    except WorkbenchError as error:
        notes = [*notes, error.text]
    names = list(dict.fromkeys(frame.columns))[:_MOST_COLUMNS]
    if label is not None and label not in names:
        names.append(label)
    columns = tuple(Column(name=name, counts=_value_counts(frame[name])) for name in names)
    shown = frame[names].head(_MOST_ROWS)
    return Preview(
        kind="table",
        samples=len(frame),
        columns=columns,
        rows=tuple(tuple(_cell(value) for value in row) for row in shown.itertuples(index=False, name=None)),
        label=label,
        counts=next((column.counts for column in columns if column.name == label), ()),
        notes=tuple(notes),
    )


def _value_counts(values: Any) -> Counts:
    if getattr(values, "ndim", 1) != 1:  # two columns of one name
        return ()
    counts = values.value_counts()
    if len(counts) > _MOST_CLASSES:
        return ()
    return tuple(sorted((_cell(value), int(count)) for value, count in counts.items()))


def _cell(value: object) -> str:
    text = "" if value is None or value != value else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _of_pictures(folder: Path) -> Preview:
    found = pictures_of(folder)
    counts = Counter(name for _, name in found)
    firsts: dict[str, Path] = {}
    for path, name in found:
        firsts.setdefault(name, path)
    pictures = [
        (name, png) for name, path in sorted(firsts.items())[:_MOST_PICTURES] if (png := _thumbnail(path))
    ]
    return Preview(
        kind="pictures",
        samples=len(found),
        counts=tuple(sorted(counts.items())),
        pictures=tuple(pictures),
    )


def _of_arrays(raw: RawData) -> Preview:
    several = list(raw.splits["train"].targets)
    targets = tuple(_target(name, with_labels(raw, name)) for name in target_names(raw))
    if several:
        raw = with_labels(raw, several[0])
    counts: Counts = ()
    notes: list[Text] = []
    names: tuple[str, ...] = ()
    numbers: Array | None = None
    try:
        if task_of(raw, None, None)[0] == "regression":
            encoded = encode_numbers(raw)
            notes.append(numbers_note(encoded))
        else:
            encoded = encode(raw)
    except WorkbenchError as error:
        notes.append(error.text)
    else:
        if several:
            notes = []  # what each is stands beside its name
        names, numbers = encoded.classes, encoded.y["train"]
        every = np.concatenate(list(encoded.y.values()))
        if len(names) <= _MOST_CLASSES and not several:
            counts = tuple(zip(names, encoded.counts(every), strict=True))
    first = raw.splits["train"].x[raw.inputs[0]]
    for name in raw.inputs:
        shape = raw.splits["train"].x[name].shape[1:]
        notes.append(
            say(
                "Input {name}: {shape}, {type}",
                name=name or "x",
                shape="×".join(str(length) for length in shape),
                type=str(raw.splits["train"].x[name].dtype),
            )
        )
    return Preview(
        kind="arrays",
        samples=sum(len(samples.y) for samples in raw.samples()),
        counts=counts,
        pictures=() if numbers is None or not names else _pictures_among(first, numbers, names),
        targets=targets,
        notes=tuple(notes),
    )


def _target(name: str, raw: RawData) -> Target:
    try:
        return Target(name=name, task=task_of(raw, None, None)[0])
    except WorkbenchError:
        return Target(name=name)


def _pictures_among(values: Array, labels: Array, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """One picture of each class, where the samples are 8-bit pixels."""
    if values.dtype != np.uint8 or values.ndim not in (3, 4) or min(values.shape[1:3]) < 8:
        return ()
    if values.ndim == 4 and values.shape[-1] not in (1, 3):
        return ()
    from PIL import Image

    shown = []
    for number, name in list(enumerate(names))[:_MOST_PICTURES]:
        places = np.flatnonzero(labels == number)
        if len(places):
            pixels = values[places[0]]
            shown.append((name, _png(Image.fromarray(pixels.squeeze()))))
    return tuple(shown)


def _thumbnail(picture: Encoded) -> str | None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as image:
            image.draft("RGB", (_PICTURE_PIXELS, _PICTURE_PIXELS))
            return _png(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None


def _png(image: Any) -> str:
    image.thumbnail((_PICTURE_PIXELS, _PICTURE_PIXELS))
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
