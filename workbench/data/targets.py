"""Labels that are no classes of samples: numbers, several labels, a class for each position, none."""

from __future__ import annotations

import contextlib
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
