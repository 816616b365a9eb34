"""Arrays by name, as in an ``.npz`` file: which is which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from workbench.api.dataset import SPLITS, SplitName
from workbench.api.errors import InvalidInput
from workbench.api.row_array import is_by_rows
from workbench.api.text import Text, say
from workbench.data.raw import Array, RawData, Samples

_KEY = re.compile(
    r"(?P<letter>[xyXYw]|sample_weights?)(?:_(?P<suffix>train|val|valid|validation|test))?(?:\.(?P<input>.+))?",
    re.S,
)
_SPLIT_OF: dict[str, SplitName] = {
    "": "train",
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}

_WORDS = {
    **dict.fromkeys(("images", "data", "features", "inputs"), "x"),
    **dict.fromkeys(("labels", "targets", "target"), "y"),
}
"""What others call samples and labels: ``train_images``, ``labels``; heard where nothing is called x or y."""


@dataclass
class Plan:
    """Which array is what.

    Attributes:
        x: Key of each input of each split.
        y: Key of the labels of each split, by the name of their target; ``""`` where it has none.
        w: The same of the weights of samples.
        suffixes: How the source calls each split.
        classes: Key of the class names, if there are any.
        ignored: Keys without a meaning.
    """

    x: dict[SplitName, dict[str, str]] = field(default_factory=dict)
    y: dict[SplitName, dict[str, str]] = field(default_factory=dict)
    w: dict[SplitName, dict[str, str]] = field(default_factory=dict)
    suffixes: dict[SplitName, str] = field(default_factory=dict)
    classes: str | None = None
    ignored: list[str] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        """The keys that are needed."""
        named = [
            key for keys in (*self.x.values(), *self.y.values(), *self.w.values()) for key in keys.values()
        ]
        return [*named, *([self.classes] if self.classes else [])]


def plan(keys: Iterable[str], source: str) -> Plan:
    """Sorts keys into splits, inputs and labels.

    Args:
        keys: Such as ``x_train``, ``y_train``, ``x_test``, ``y_test``, ``x_val``, ``x``, ``y``,
            ``x_train.<input>``, ``w_train``, ``classes``; or ``train_images``, ``train_labels``, ``data``,
            ``target``.
        source: What the keys belong to, as the user knows it.

    Raises:
        InvalidInput: If something is missing or given twice.
    """
    found = Plan()
    keys = list(keys)
    plain = any(_KEY.fullmatch(key) for key in keys if key[:1] in "xyXY")
    for key in keys:
        match = _KEY.fullmatch(key if plain else _in_letters(key))
        if match is None:
            if key in ("classes", "class_names") and found.classes is None:
                found.classes = key
            else:
                found.ignored.append(key)
            continue
        split = _SPLIT_OF[match["suffix"] or ""]
        side = {"x": found.x, "y": found.y}.get(match["letter"].lower(), found.w)
        _claim(side.setdefault(split, {}), match["input"] or "", key, source)
        if side is found.w:
            continue  # w beside x_train is of the same samples
        if found.suffixes.setdefault(split, match["suffix"] or "") != (match["suffix"] or ""):
            raise _twice(source, split)
    unlabelled = bool(found.x) and not found.y
    if "train" not in found.x or ("train" not in found.y and not unlabelled):
        raise InvalidInput(
            say(
                "{source} has no training samples with labels; it holds: {keys}.",
                source=source,
                keys=_listed(keys) if keys else say("nothing"),
            ),
            say("It takes x_train and y_train, with x_test and y_test if there are any; or x and y."),
        )
    for split in [split for split in found.w if split not in found.x]:
        found.ignored += found.w.pop(split).values()
    for split in SPLITS:
        if (split in found.x) != (split in found.y) and not unlabelled:
            letter = "y" if split in found.x else "x"
            suffix = f"_{found.suffixes[split]}" if found.suffixes[split] else ""
            raise InvalidInput(
                say("{source} lacks {name}.", source=source, name=f"{letter}{suffix}"),
                say("Give samples (x) and labels (y) for each split."),
            )
        if "" in found.y.get(split, {}) and len(found.y[split]) > 1:
            raise InvalidInput(
                say("{source} has both labels without a name and named targets.", source=source),
                say("Name all targets (y_train.kind, y_train.age) or none (y_train)."),
            )
        if "" in found.x.get(split, {}) and len(found.x[split]) > 1:
            raise InvalidInput(
                say("{source} has both a single input and named inputs.", source=source),
                say("Name all inputs (x_train.image, x_train.size) or none (x_train)."),
            )
    return found


def _in_letters(key: str) -> str:
    """``x_train`` for ``train_images``, and so on; other keys as they are."""
    first, _, last = key.rpartition("_")
    return f"{_WORDS[last]}_{first}".rstrip("_") if last in _WORDS and first in _SPLIT_OF else key


def from_mapping(
    arrays: Mapping[str, Array], found: Plan, name: str, notes: tuple[Text, ...] = ()
) -> RawData:
    """Puts planned arrays together.

    Args:
        arrays: The arrays by key.
        found: What :func:`plan` made of the keys.
        name: Shown to the user.
        notes: What is already known of how the source was read.
    """
    splits = {
        split: labelled(
            {input_name: _array(arrays[key]) for input_name, key in found.x[split].items()},
            {target: np.asarray(arrays[key]) for target, key in found.y.get(split, {}).items()},
            found.suffixes[split],
            {target: np.asarray(arrays[key]) for target, key in found.w.get(split, {}).items()},
        )
        for split in SPLITS
        if split in found.x
    }
    classes = None
    if found.classes is not None:
        names = np.asarray(arrays[found.classes])
        if names.ndim != 1 or names.dtype.kind not in "US":
            raise InvalidInput(
                say(
                    "{name} has the shape {shape} and holds {dtype}.",
                    name=found.classes,
                    shape=str(names.shape),
                    dtype=str(names.dtype),
                ),
                say("Class names are a list of strings, in the order of the labels."),
            )
        if names.dtype.kind == "S":
            names = np.char.decode(names, "utf-8", "replace")
        classes = tuple(str(value) for value in names)
    if found.ignored:
        notes = (*notes, say("Ignored: {keys}.", keys=_listed(found.ignored)))
    return RawData(name=name, splits=splits, classes=classes, notes=notes)


def _array(values: Array) -> Array:
    return values if is_by_rows(values) else np.asarray(values)


def labelled(
    x: dict[str, Array], y: dict[str, Array], suffix: str, weights: dict[str, Array] | None = None
) -> Samples:
    """One block of samples with the labels of one target or several.

    Args:
        x: Values by input, under ``""`` where there is one without a name.
        y: Labels by target, under ``""`` where there is one without a name; empty where there are none.
        suffix: How the source calls the block.
        weights: How much each sample counts, by target as well.
    """
    weights = weights or {}
    if not y:  # what there is to compare with is the model's own answers
        return Samples(x, np.empty((len(next(iter(x.values()))), 0), np.float32), suffix, {}, weights)
    if list(y) == [""]:
        return Samples(x, y[""], suffix, {}, weights)
    return Samples(x, np.empty(0), suffix, y, weights)


def _claim(claimed: dict[str, str], slot: str, key: str, source: str) -> None:
    if slot in claimed:
        raise InvalidInput(
            say(
                "{source} has both {first} and {second}.",
                source=source,
                first=claimed[slot][:60],
                second=key[:60],
            ),
            say("Give each array once."),
        )
    claimed[slot] = key


def _twice(source: str, split: Literal["train", "validation", "test"]) -> InvalidInput:
    return InvalidInput(
        say("{source} names the {split} split in two ways.", source=source, split=split),
        say("Use x_train and y_train, or x and y; x_val and y_val, or x_validation and y_validation."),
    )


def _listed(keys: list[str]) -> tuple[str, ...]:
    return (*(key[:60] for key in keys[:10]), *("…" for _ in keys[10:11]))
