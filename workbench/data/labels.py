"""Labels of any kind become class indices 0 to K-1, and the mapping is stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import SPLITS, SplitName
from workbench.api.errors import InvalidInput
from workbench.api.task import Task
from workbench.api.text import Text, say
from workbench.data.class_names import class_names, few, numbering, printable
from workbench.data.class_order import ClassOrder, both_orders, sorting
from workbench.data.class_sorting import in_wanted_order, levels_of_texts, reordered
from workbench.data.raw import Array, RawData
from workbench.data.where import where


@dataclass(frozen=True)
class EncodedLabels:
    """Labels ready for training.

    Attributes:
        y: Labels of each split of the source, as :meth:`workbench.api.dataset.Dataset.y` gives them.
        classes: Class names by index; none where there are no classes.
        notes: How labels were mapped.
        order: How the names of the classes are sorted, where sorting them the other way gives another order.
        task: What the labels are.
        targets: Names of the numbers that a regression predicts.
        ignored: What stood in the source for positions that do not count.
    """

    y: dict[SplitName, npt.NDArray[Any]]
    classes: tuple[str, ...]
    notes: tuple[Text, ...]
    order: ClassOrder | None = None
    task: Task = "classification"
    targets: tuple[str, ...] = ()
    ignored: int | None = None

    def counts(self, labels: npt.NDArray[Any]) -> tuple[int, ...]:
        """Samples of each class among labels; with that label, or positions of that class, by the task."""
        if not self.classes:
            return ()
        if self.task == "multi-label":
            return tuple(int(n) for n in labels.sum(axis=0, dtype=np.int64))
        flat = labels.reshape(-1)
        return tuple(int(n) for n in np.bincount(flat[flat >= 0], minlength=len(self.classes)))


def encode(
    raw: RawData,
    *,
    classes: Sequence[str] | None = None,
    outputs: int | None = None,
    order: ClassOrder | None = None,
) -> EncodedLabels:
    """Maps labels to class indices.

    Integers from 0 without gaps stay as they are, and so do integers that are all numbers of the model's
    outputs, whether or not each of them occurs. Other integers, booleans and strings are numbered in
    sorted order (as scikit-learn's ``LabelEncoder`` and Keras's ``image_dataset_from_directory`` do); texts
    that all are whole numbers as those numbers. One-hot rows become the index of their one.

    Args:
        raw: The data as read.
        classes: Names of all classes in the order of the model's outputs, where the user gives them; some
            may not occur.
        outputs: Values that the judged output of the model has; 1 means two classes. None if not known.
        order: How names of classes that hold numbers are sorted; None for what is usual.

    Raises:
        InvalidInput: For continuous, soft or multiple labels, labels outside the range, one class only.
    """
    values: dict[SplitName, Array] = {}
    one_hot: int | None = None
    for split in SPLITS:
        if split not in raw.splits:
            continue
        samples = raw.splits[split]
        values[split], width = _flat(samples.called("y"), samples.y, raw.tabular)
        if split == "train":
            one_hot = width
        elif width != one_hot or values[split].dtype.kind != values["train"].dtype.kind:
            raise InvalidInput(
                say(
                    "{name} and {first} hold labels of different kinds: {kind} and {first_kind}.",
                    name=samples.called("y"),
                    kind=_kind(values[split], width),
                    first=raw.splits["train"].called("y"),
                    first_kind=_kind(values["train"], one_hot),
                ),
                say("Write the labels of every split the same way."),
            )
    named: tuple[Text, ...] = ()
    if classes is not None:
        raw, values, named = _with_names(raw, values, tuple(classes))
    elif raw.numbered is not None and raw.classes is not None:
        raw, values, named = in_wanted_order(raw, values, raw.classes, raw.numbered, order)
    wanted = None if outputs is None else max(outputs, 2)
    levels, notes = _levels(raw, values, one_hot, wanted)
    # what names itself in sorted order: not one-hot rows, and no names that came with the data
    by_values = raw.classes is None and one_hot is None and values["train"].dtype.kind in "iuU"
    if order is not None and by_values:
        levels, notes = reordered(levels, order)
    if raw.classes is not None and len(raw.classes) != len(levels):
        raise InvalidInput(
            say(
                "{names} class names came with {classes} classes.",
                names=len(raw.classes),
                classes=len(levels),
            ),
            say("Give one name for each class, in the order of the labels."),
        )
    y = {split: _index(raw, split, labels, levels) for split, labels in values.items()}
    names, name_notes = class_names([str(level) for level in levels] if raw.classes is None else raw.classes)
    if len(np.unique(y["train"])) < 2:
        raise InvalidInput(
            say(
                "All {count} labels are the same class, {name}.",
                count=len(values["train"]),
                name=names[y["train"][0]] if len(y["train"]) else "-",
            ),
            say(
                "At least two classes are needed. If the labels are in another column, name it: {where}.",
                where=where("label"),
            )
            if raw.tabular
            else say("At least two classes are needed."),
        )
    free = classes is None and (by_values or raw.numbered is not None)
    both = free and not name_notes and both_orders(names)
    return EncodedLabels(y, names, named + notes + name_notes, sorting(names) if both else None)


def _with_names(
    raw: RawData, values: dict[SplitName, Array], names: tuple[str, ...]
) -> tuple[RawData, dict[SplitName, Array], tuple[Text, ...]]:
    """The data with the class names that the user gave; labels that the source has named are renumbered."""
    if len(set(names)) < len(names) or len(names) < 2:
        raise InvalidInput(
            say("The names of the classes are {names}.", names=few(names)),
            say("Give at least two, each once, in the order of the model's outputs."),
        )
    if raw.classes is None and values["train"].dtype.kind in "iu":
        values = _by_value(values, names)
    if raw.classes is None or raw.classes == names:
        return replace(raw, classes=names), values, (numbering(names),)
    strange = [name for name in raw.classes if name not in names]
    if strange:
        raise InvalidInput(
            say(
                "The data have the classes {found}, and the names that were given are {names}.",
                found=few(raw.classes),
                names=few(names),
            ),
            say("Spell the names as the data do, in the order of the model's outputs."),
        )
    number = np.array([names.index(name) for name in raw.classes], np.int64)
    renumbered = {split: number[labels] for split, labels in values.items()}
    return replace(raw, classes=names), renumbered, (numbering(names),)


def _by_value(values: dict[SplitName, Array], names: tuple[str, ...]) -> dict[SplitName, Array]:
    """Labels that are whole numbers, where the names of the classes are whole numbers too: 1, 2, 3."""
    try:
        levels = np.array([int(name) for name in names])
    except (ValueError, OverflowError):
        return values
    if len(set(levels.tolist())) < len(levels) or not all(
        np.isin(labels, levels).all() for labels in values.values()
    ):
        return values
    order = np.argsort(levels)
    return {split: order[np.searchsorted(levels, labels, sorter=order)] for split, labels in values.items()}


def _flat(called: str, y: Array, tabular: bool) -> tuple[Array, int | None]:
    """Labels of shape ``(n,)`` as integers, booleans or strings, and the width of a one-hot code."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype.kind == "O":
        y = _unboxed(called, y)
    if y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8", "replace")
    if y.dtype.kind not in "biufU" or y.ndim > 2 or (y.ndim == 2 and y.dtype.kind == "U"):
        raise InvalidInput(
            say(
                "{name} has the shape {shape} and holds {dtype}.",
                name=called,
                shape=str(y.shape),
                dtype=str(y.dtype),
            ),
            say("Labels are integers, strings or booleans, shape (n,), or one-hot rows, shape (n, classes)."),
        )
    if y.dtype.kind == "f":
        bad = int((~np.isfinite(y)).sum())
        if bad:
            raise InvalidInput(
                say(
                    "{name} holds {bad} labels of {count} that are not numbers.",
                    name=called,
                    bad=bad,
                    count=len(y),
                ),
                say("Drop the samples without a label first."),
            )
    if y.ndim == 2:
        ones = y == 1
        if not ((ones | (y == 0)).all() and (ones.sum(axis=1) == 1).all()):
            wrong = int((~((ones | (y == 0)).all(axis=1) & (ones.sum(axis=1) == 1))).sum())
            raise InvalidInput(
                say(
                    "{wrong} of {count} rows in {name} are not one-hot.",
                    wrong=wrong,
                    count=len(y),
                    name=called,
                ),
                say("Each row needs a single 1 and zeros; soft and multiple labels are not supported."),
            )
        return ones.argmax(axis=1), y.shape[1]
    if y.dtype.kind == "f":
        broken = y != np.floor(y)
        if broken.any():
            raise InvalidInput(
                say(
                    "{name} holds continuous values, such as {value:g}: that is regression.",
                    name=called,
                    value=float(y[broken][0]),
                ),
                say(
                    "The model gives no such numbers. If the labels are in another column, name it: {where}.",
                    where=where("label"),
                )
                if tabular
                else say(
                    "The model gives no such numbers: give classes as labels, or a model with one linear "
                    "output for each number. If numbers are meant all the same: {where}.",
                    where=where("task"),
                ),
            )
        y = y.astype(np.int64)
    return y, None


def _unboxed(called: str, y: Array) -> Array:
    """Python objects in memory (never from a file) as an array of one plain type."""
    values = y.tolist()
    for kind in (bool, str, int, float):
        if all(isinstance(value, (kind, np.generic)) for value in values):
            plain = np.asarray(values)
            if plain.dtype.kind != "O":
                return plain
    raise InvalidInput(
        say("{name} holds Python objects of several types.", name=called),
        say("Labels are integers, strings or booleans, shape (n,), or one-hot rows, shape (n, classes)."),
    )


def _levels(
    raw: RawData, values: dict[SplitName, Array], one_hot: int | None, outputs: int | None
) -> tuple[list[object], tuple[Text, ...]]:
    """The distinct labels in the order of their indices."""
    called, labels = raw.splits["train"].called("y"), values["train"]
    if one_hot is not None:
        return list(range(one_hot)), (
            say("One-hot labels became class indices 0 to {last}.", last=one_hot - 1),
        )
    if raw.classes is not None and labels.dtype.kind in "iu":
        return list(range(len(raw.classes))), ()
    if raw.classes is not None and labels.dtype.kind == "U":
        return list(raw.classes), ()
    levels = np.unique(labels)
    every = np.unique(np.concatenate(list(values.values())))
    if labels.dtype.kind == "b":
        return [False, True], (numbering(["False", "True"]),)
    if labels.dtype.kind in "iu":
        if outputs is not None and every[0] >= 0 and every[-1] < outputs:
            told = say("Labels are the numbers of the model's {outputs} outputs, from 0.", outputs=outputs)
            return list(range(outputs)), (told,) if len(every) < outputs else ()
        if outputs is not None and every[0] >= 1 and every[-1] == outputs:
            first_to_last = list(range(1, outputs + 1))
            return list(first_to_last), (numbering([str(level) for level in first_to_last]),)
        if levels[0] == 0 and levels[-1] != len(levels) - 1:
            # Numbering them anew would silently shift the classes against the outputs of a trained model.
            missing = int(np.flatnonzero(levels != np.arange(len(levels)))[0])
            raise InvalidInput(
                say(
                    "{name} has {count} different labels from 0 to {last}: {missing} never occurs.",
                    name=called,
                    count=len(levels),
                    last=int(levels[-1]),
                    missing=missing,
                ),
                say(
                    "Number the classes 0 to {last}, or name all classes in the order of their numbers: "
                    "{where}.",
                    last=len(levels) - 1,
                    where=where("classes"),
                ),
            )
        if levels[0] == 0:
            return [int(level) for level in levels], ()
    if outputs is not None and len(levels) < outputs == len(every):
        levels = every  # a rare class may be in the test split alone
    if labels.dtype.kind == "U":
        return levels_of_texts(levels.tolist(), every.tolist(), outputs)
    return levels.tolist(), (numbering([str(level) for level in levels]),)


def _index(raw: RawData, split: SplitName, labels: Array, levels: list[object]) -> npt.NDArray[np.int64]:
    """Position of each label among the levels."""
    samples = raw.splits[split]
    known = np.asarray(levels)
    outside = ~np.isin(labels, known)
    if outside.any():
        strange = np.unique(labels[outside])
        raise InvalidInput(
            say(
                "{name} holds {count} label outside the classes: {strange}.",
                "{name} holds {count} labels outside the classes: {strange}.",
                name=samples.called("y"),
                count=int(outside.sum()),
                strange=", ".join(printable(str(value)) for value in strange[:5])
                + (", …" if len(strange) > 5 else ""),
            ),
            say(
                "The {count} classes are {classes}. Correct the labels, or name all classes in the order of "
                "the model's outputs: {where}.",
                count=len(levels),
                classes=few([str(level) for level in levels]),
                where=where("classes"),
            ),
        )
    order = np.argsort(known)
    return order[np.searchsorted(known, labels, sorter=order)].astype(np.int64)


def _kind(labels: Array, one_hot: int | None) -> Text:
    if one_hot is not None:
        return say("one-hot rows of {width}", width=one_hot)
    if labels.dtype.kind == "U":
        return say("strings")
    if labels.dtype.kind == "b":
        return say("booleans")
    return say("integers")
