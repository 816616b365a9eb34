"""Data from a notebook: arrays, tables of pandas, and what gives its samples one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np

from workbench.api.dataset import SplitName
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.data.fitting import judged_outputs
from workbench.data.mapping import from_mapping, plan
from workbench.data.raw import Disk, RawData, Samples
from workbench.data.streams import Bounds, Watch, collect, is_stream
from workbench.data.structures import as_array, samples_of
from workbench.data.tables import category_names, from_frame

_NAME = "arrays"
_SPLIT_NAMES: dict[str, SplitName] = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}


def read_arrays(
    source: object,
    *,
    label: str | None,
    limit_bytes: int,
    model: ModelDescription | None = None,
    bounds: Bounds = Bounds(),  # noqa: B008  # frozen
    watch: Watch = lambda count: None,
    disk: Disk | None = None,
    weights: str | None = None,
) -> RawData:
    """Reads what a notebook holds: arrays in Keras's forms, a stream of samples, or a ``DataFrame``.

    Args:
        source: ``(x, y)`` or ``(x, y, sample_weight)`` where x and y are an array, or a list, tuple or dict
            of arrays; ``x`` alone, or ``(x, None)``, where there are no labels;
            ``((x_train, y_train), (x_test, y_test))`` as ``keras.datasets`` gives them, or three
            such pairs (train, validation, test); a dict with keys as in an ``.npz`` file, or with the keys
            ``train``, ``validation``, ``test`` and pairs or streams as values; a stream of ``(x, y)``: a
            ``tf.data.Dataset``, batched or not, a ``keras.utils.PyDataset``, a loader or a generator.
        label: Label column of a data frame.
        limit_bytes: The most memory that the values may take.
        model: The model that the data are for, where it is known.
        bounds: How much is read of streams.
        watch: Hears how many samples of a stream have been read; may raise to stop that.
        disk: Where the samples of streams go that are too many for memory.
        weights: Column of sample weights of a data frame.

    Raises:
        InvalidInput: If the source is none of these.
        Refused: If the values take more than the limit.
    """
    if is_columns_and_labels(source) and _columns_are_inputs(source[0], model):
        source, label, weights = _one_table(*source)
    if is_frame(source):
        return from_frame(
            source,
            "table",
            label=label,
            limit_bytes=limit_bytes,
            source="DataFrame",
            model=model,
            weights=weights,
        )

    def block(part: Any, suffix: str) -> tuple[Samples, tuple[Text, ...]]:
        if is_stream(part):
            return collect(
                part, suffix, limit_bytes=limit_bytes, bounds=bounds, model=model, watch=watch, disk=disk
            )
        if isinstance(part, tuple | list) and len(part) in (2, 3):
            return samples_of(part, suffix, limit_bytes)
        if hasattr(part, "shape") and len(part.shape) > 1:  # samples without labels
            return samples_of((part, None), suffix, limit_bytes)
        raise _unknown(part)

    blocks = blocks_of(source)
    if blocks is not None:
        if "train" not in blocks:
            raise InvalidInput(
                say("There is no training data; there is: {names}.", names=tuple(blocks)),
                say('Give it under the key "train".'),
            )
        read = {split: block(part, suffix) for split, (suffix, part) in blocks.items()}
        notes: list[Text] = []
        for _, told in read.values():
            notes += [note for note in told if note not in notes]
        raw = RawData(_NAME, {split: samples for split, (samples, _) in read.items()}, notes=tuple(notes))
        return replace(raw, classes=_categories([part for _, part in blocks.values()], model))
    if isinstance(source, Mapping):
        if not all(isinstance(key, str) for key in source):
            raise _unknown(source)
        found = plan([str(key) for key in source], "The dict")
        return from_mapping({key: as_array(source[key], limit_bytes) for key in found.keys}, found, _NAME)
    samples, told = block(source, "")
    return replace(RawData(_NAME, {"train": samples}), notes=told, classes=_categories([source], model))


def _categories(parts: list[Any], model: ModelDescription | None) -> tuple[str, ...] | None:
    """Names of the classes in the order of their codes, where the labels are categories of pandas."""
    found = set()
    for part in parts:
        labels: Any = part[1] if isinstance(part, tuple | list) and len(part) > 1 else None
        names = category_names(labels, judged_outputs(model, None))
        # numbers are read as numbers: their categories are their values
        numbers = names is not None and np.asarray(labels).dtype.kind in "biuf"
        found.add(None if numbers else names)
    return found.pop() if len(found) == 1 else None


def blocks_of(source: object) -> dict[SplitName, tuple[str, Any]] | None:
    """The parts of a source that holds several splits, each with the source's name for it, or None.

    Args:
        source: As for :func:`read_arrays`.
    """
    if isinstance(source, Mapping):
        if not source or not all(key in _SPLIT_NAMES for key in source):
            return None
        return {_SPLIT_NAMES[key]: (str(key), value) for key, value in source.items()}
    if isinstance(source, list) and source and all(is_stream(part) for part in source):
        source = tuple(source)  # image_dataset_from_directory gives both of its parts in a list
    if (
        not isinstance(source, tuple)
        or len(source) not in (2, 3)
        or not all(is_stream(part) or (isinstance(part, tuple) and len(part) in (2, 3)) for part in source)
        or _inputs_and_targets(source)
    ):
        return None
    names: tuple[SplitName, ...] = ("train", "test") if len(source) == 2 else ("train", "validation", "test")
    return {name: (name, part) for name, part in zip(names, source, strict=True)}


def _inputs_and_targets(source: tuple[Any, ...]) -> bool:
    """Whether two tuples are inputs and targets of the same samples: no pairs, which have samples alike."""
    if len(source) != 2 or not all(isinstance(part, tuple) for part in source):
        return False
    first, second = ([tuple(getattr(array, "shape", ())) for array in part] for part in source)
    if not all(first + second):
        return False
    one_count = len({shape[0] for shape in first + second}) == 1
    return one_count and first[0][1:] != second[0][1:]


def streams_in(source: object) -> list[Any]:
    """What of a source must be read one sample after the other.

    Args:
        source: As for :func:`read_arrays`.
    """
    blocks = blocks_of(source)
    parts = [source] if blocks is None else [part for _, part in blocks.values()]
    return [part for part in parts if is_stream(part)]


def is_frame(source: object) -> bool:
    """Whether a source is a table of pandas."""
    return hasattr(source, "iloc") and hasattr(source, "columns")


def is_columns_and_labels(source: object) -> TypeGuard[tuple[Any, ...]]:
    """Whether a source is ``(x, y)`` or ``(x, y, sample_weight)`` with a table of pandas as x.

    Args:
        source: As for :func:`read_arrays`.
    """
    return isinstance(source, tuple) and len(source) in (2, 3) and is_frame(source[0])


def _columns_are_inputs(frame: Any, model: ModelDescription | None) -> bool:
    """Whether each column is an input of its own, or cannot be a number of one array."""
    several = model is not None and len(model.inputs) > 1
    return several or any(dtype.kind not in "biuf" for dtype in frame.dtypes)


def _one_table(frame: Any, labels: Any, weights: Any = None) -> tuple[Any, str, str | None]:
    """Columns, labels and weights as one table, and the names of the columns that the last two are in."""
    if len(frame) != len(labels):
        raise InvalidInput(
            say("x has {samples} rows and y {labels} labels.", samples=len(frame), labels=len(labels)),
            say("Give one label for each row."),
        )
    if weights is not None and len(frame) != len(weights):
        raise InvalidInput(
            say(
                "x has {samples} rows and there are {weights} weights.",
                samples=len(frame),
                weights=len(weights),
            ),
            say("Give one weight for each row."),
        )
    name, weighing = _free("label", frame), None if weights is None else _free("sample_weight", frame)
    # As an array: labels with an index of their own would be lined up by it.
    frame = frame.assign(**{name: getattr(labels, "array", np.asarray(labels))})
    if weighing is not None:
        frame = frame.assign(**{weighing: np.asarray(weights)})
    return frame, name, weighing


def _free(name: str, frame: Any) -> str:
    while name in frame.columns:
        name += "_"
    return name


def _unknown(source: object) -> InvalidInput:
    return InvalidInput(
        say("Data cannot be read from {kind}.", kind=_described(source)),
        say(
            "Use the name of a built-in data set, a path, (x, y), ((x_train, y_train), (x_test, y_test)), "
            "a dict with x_train, y_train, x_test, y_test, a DataFrame, or a tf.data.Dataset, a PyDataset or "
            "a generator of (x, y)."
        ),
    )


def _described(source: object) -> Text:
    kind = type(source).__name__
    if isinstance(source, tuple | list | Mapping):
        return say("a {kind} of {length}", kind=kind, length=len(source))
    return say("an object of the type {kind}", kind=kind)
