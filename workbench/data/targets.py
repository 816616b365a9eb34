"""Labels that are no classes of samples: numbers, several labels, a class for each position, none."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from math import prod

import numpy as np

from workbench.api.dataset import SPLITS, SplitName
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.data.labels import EncodedLabels
from workbench.data.raw import Array, RawData
from workbench.data.where import where


def encode_numbers(raw: RawData, names: tuple[str, ...] = ()) -> EncodedLabels:
    """The numbers that a regression predicts, as they came, as float32 of shape ``(n, targets)``.

    Args:
        raw: The data as read.
        names: What the numbers are called, where that is known.

    Raises:
        InvalidInput: If they are no numbers, are missing, or are all the same.
    """
    y = {split: _numbers(raw, split) for split in SPLITS if split in raw.splits}
    train = y["train"]
    for split, values in y.items():
        if values.shape[1] != train.shape[1]:
            raise InvalidInput(
                say(
                    "{name} holds {count} numbers for each sample, {first} {first_count}.",
                    name=raw.splits[split].called("y"),
                    count=values.shape[1],
                    first=raw.splits["train"].called("y"),
                    first_count=train.shape[1],
                ),
                say("Give every split the same targets."),
            )
    if (train == train[:1]).all():
        raise InvalidInput(
            say("All {count} numbers to be predicted are {value:g}.", count=len(train), value=train.flat[0]),
            say(
                "Numbers that differ are needed. If they are in another column, name it: {where}.",
                where=where("label"),
            )
            if raw.tabular
            else say("Numbers that differ are needed."),
        )
    return EncodedLabels(y, (), (), task="regression", targets=_names(raw, train.shape[1], names))


def _names(raw: RawData, count: int, names: tuple[str, ...]) -> tuple[str, ...]:
    found = names or raw.columns
    if len(found) == count:
        return found
    if count == 1:
        return (raw.target or "y",)
    return tuple(f"y[{number}]" for number in range(count))


def _numbers(raw: RawData, split: SplitName) -> Array:
    samples = raw.splits[split]
    called, y = samples.called("y"), np.asarray(samples.y)
    if y.dtype.kind == "O":
        with contextlib.suppress(TypeError, ValueError):
            y = y.astype(np.float64)
    if y.dtype.kind not in "biuf":
        raise InvalidInput(
            say(
                "{name} holds {dtype} values, and numbers are to be predicted.",
                name=called,
                dtype=str(y.dtype),
            ),
            say("Give numbers, or say another task: {where}.", where=where("task")),
        )
    bad = int((~np.isfinite(y)).reshape(len(y), -1).any(axis=1).sum())
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
    with np.errstate(over="ignore"):
        numbers: Array = y.reshape(len(y), prod(y.shape[1:])).astype(np.float32)
    if not np.isfinite(numbers).all():
        raise InvalidInput(
            say("{name} holds values too large for float32.", name=called),
            say("Scale or clip them below 3.4e38 first."),
        )
    return numbers


def encode_label_rows(raw: RawData, classes: Sequence[str] | None = None) -> EncodedLabels:
    """Several labels of a sample as rows of 0 and 1, uint8 of shape ``(n, labels)``.

    Args:
        raw: The data as read.
        classes: Names of the labels, where the user gives them.

    Raises:
        InvalidInput: If they are anything else, or there are not as many names.
    """
    y: dict[SplitName, Array] = {}
    for split in SPLITS:
        if split not in raw.splits:
            continue
        samples = raw.splits[split]
        labels = np.asarray(samples.y)
        if labels.ndim < 2 or labels.dtype.kind not in "biuf" or not ((labels == 0) | (labels == 1)).all():
            raise InvalidInput(
                say("{name} holds no rows of zeros and ones.", name=samples.called("y")),
                say("Give one column for each label: 1 where a sample has it, 0 where it has not."),
            )
        y[split] = labels.reshape(len(labels), -1).astype(np.uint8)
    width = y["train"].shape[1]
    names = tuple(classes or raw.classes or raw.columns)
    if not names or (classes is None and len(names) != width):
        names = tuple(map(str, range(width)))
    if len(names) != width or len(set(names)) < width or any(rows.shape[1] != width for rows in y.values()):
        raise InvalidInput(
            say("{names} class names came with {classes} classes.", names=len(names), classes=width),
            say("Give one name for each class, in the order of the labels."),
        )
    never = tuple(name for place, name in enumerate(names) if not y["train"][:, place].any())
    notes = (say("No training sample has the labels {names}.", names=never[:10]),) if never else ()
    return EncodedLabels(y, names, notes, task="multi-label")


def encode_positions(
    raw: RawData,
    classes: Sequence[str] | None = None,
    outputs: int | None = None,
    ignore: int | None = None,
) -> EncodedLabels:
    """A class for each position as int64 of shape ``(n, *positions)``, -1 where a position does not count.

    Args:
        raw: The data as read: class indices, also with a last axis of length 1, or one-hot rows.
        classes: Names of the classes, where the user gives them.
        outputs: Values that the model gives at each position; 1 means two classes.
        ignore: The label of positions that do not count; None takes the one value that is no class.

    Raises:
        InvalidInput: If they are no class indices, or there are more than the model has outputs.
    """
    names = tuple(classes or raw.classes or ())
    wanted = len(names) or (max(outputs, 2) if outputs else None)
    y: dict[SplitName, Array] = {}
    ignored: set[int] = set()
    for split in SPLITS:
        if split in raw.splits:
            y[split], beyond = _positions(raw, split, wanted, ignore)
            ignored |= beyond
    for split, labels in y.items():
        if not (labels >= 0).any():
            raise InvalidInput(
                say("No position in {name} counts.", name=raw.splits[split].called("y")),
                say("Give every split positions with a class."),
            )
    found = max(int(labels.max(initial=0)) for labels in y.values()) + 1
    if len(ignored) > 1:
        raise InvalidInput(
            say(
                "The labels of positions hold {values}, and the model has {classes} classes.",
                values=tuple(sorted(ignored)),
                classes=wanted,
            ),
            say(
                "Number the classes from 0; one other value, such as 255, marks positions that do not count."
            ),
        )
    count = wanted or max(found, 2)
    notes: tuple[Text, ...] = ()
    if ignore is not None and not ignored:
        notes = (say("No position has the label {value}, which was not to count.", value=ignore),)
    if ignored:
        notes = (say("Positions labelled {value} do not count.", value=next(iter(ignored))),)
    return EncodedLabels(
        y,
        names or tuple(map(str, range(count))),
        notes,
        task="per position",
        ignored=next(iter(ignored), None),
    )


def _positions(
    raw: RawData, split: SplitName, classes: int | None, ignore: int | None
) -> tuple[Array, set[int]]:
    """Class indices of one split, and the values in it that are no class, or not to count."""
    samples = raw.splits[split]
    labels = np.asarray(samples.y)
    if labels.dtype.kind not in "biuf" or labels.ndim < 2 or not bool((labels % 1 == 0).all()):
        raise InvalidInput(
            say("{name} holds no class for each position.", name=samples.called("y")),
            say("Give whole numbers from 0, one for each position."),
        )
    if labels.shape[-1] == classes and labels.ndim > 2 and bool((labels.sum(axis=-1) == 1).all()):
        labels = labels.argmax(axis=-1)
    elif labels.shape[-1] == 1 and labels.ndim > 2:
        labels = labels[..., 0]
    numbers: Array = labels.astype(np.int64)
    outside = (numbers < 0) | (numbers == ignore) if ignore is not None else numbers < 0
    if classes is not None:
        outside |= numbers >= classes
    beyond = {int(value) for value in np.unique(numbers[outside])}
    numbers[outside] = -1
    return numbers, beyond


def without_labels(raw: RawData) -> EncodedLabels:
    """No labels: answers are compared with those of the baseline."""
    y: dict[SplitName, Array] = {
        split: np.empty((len(samples.y), 0), np.float32) for split, samples in raw.splits.items()
    }
    note = say("There are no labels: every variant is compared with what the baseline answers.")
    return EncodedLabels(y, (), (note,), task="agreement")


def numbers_note(encoded: EncodedLabels) -> Text:
    """What range the numbers have: a target in other units than the model was trained on shows there."""
    values = np.concatenate(list(encoded.y.values()))
    if len(encoded.targets) == 1:
        return say(
            "The target {name} goes from {low:g} to {high:g}, {mean:g} on average; it is compared as it "
            "came.",
            name=encoded.targets[0],
            low=float(values.min()),
            high=float(values.max()),
            mean=float(values.mean(dtype=np.float64)),
        )
    return say(
        "{count} targets are compared as they came, from {low:g} to {high:g}.",
        count=len(encoded.targets),
        low=float(values.min()),
        high=float(values.max()),
    )
