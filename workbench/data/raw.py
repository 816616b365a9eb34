"""A data set as it was read: raw values and raw labels, before splitting, mapping and scaling."""

from __future__ import annotations

import mmap
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import SPLITS, SplitName
from workbench.api.errors import InvalidInput, Refused
from workbench.api.row_array import is_by_rows
from workbench.api.text import Text, say
from workbench.api.variant import TensorSpec
from workbench.data.where import where

Array = npt.NDArray[Any]

Scaling = Literal[
    "auto",
    "none",
    "divide by 255",
    "pixels to -1..1",
    "divide by 4095",
    "divide by 65535",
    "standardize",
    "range 0..1",
]
SCALINGS: tuple[Scaling, ...] = get_args(Scaling)

LARGEST_LIMIT_BYTES = 4 * 2**30
"""How much memory the values of one data set may take, unless another limit is set."""

LARGEST_KEPT_BYTES = 64 * 2**30
"""The same of values that are never in memory as a whole, and are copied to the disk."""

# An input's name becomes part of a file's name, so it must not lead out of the folder.
_INPUT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")


@dataclass(frozen=True)
class Disk:
    """Where values go that are too many for memory.

    Attributes:
        scratch: A folder for files that are needed until the data are prepared; made when it is asked for.
        most_bytes: The most that all values may take.
    """

    scratch: Path
    most_bytes: int

    @property
    def folder(self) -> Path:
        """The scratch folder, which exists now; who made this record removes it."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        return self.scratch


@dataclass(frozen=True)
class Samples:
    """One block of labelled samples.

    Attributes:
        x: Values of each input along axis 0, by input name; the key is ``""`` for a single unnamed
            input.
        y: Raw labels along axis 0; empty while there are several targets to choose from.
        suffix: How the source calls this block: ``"train"`` in ``x_train``; empty in ``x``.
        targets: Labels by the name of their target, where the source names any.
        weights: How much each sample counts, under the name of its target or ``""``; empty where nothing is
            said of it.
    """

    x: dict[str, Array]
    y: Array
    suffix: str = ""
    targets: dict[str, Array] = field(default_factory=dict)
    weights: dict[str, Array] = field(default_factory=dict)

    def called(self, letter: str, name: str = "") -> str:
        """The source's own name for an array, such as ``x_train`` or ``x_train.image``."""
        base = f"{letter}_{self.suffix}" if self.suffix else letter
        return f"{base}.{name}" if name else base


@dataclass(frozen=True)
class RawData:
    """Everything that a source holds.

    Attributes:
        name: Shown to the user.
        splits: The splits that the source has. The training split is always there; the others are
            cut from it where they are missing.
        classes: Class names in the order of integer labels, where the source gives them.
        scaling: What ``"auto"`` stands for with this source; None lets the values decide.
        is_image: Whether samples are pictures; None lets the values decide.
        target: Name of the target that the labels are of, where the source names it.
        tabular: Whether the labels are a column that was found in a table.
        numbered: How the source numbered the labels, in words; names of the user's own take its place.
        notes: What the user should know of how it was read.
        columns: Names of the columns of a table that the labels are in.
        further: The same data with the labels of each further output, by its name.
    """

    name: str
    splits: dict[SplitName, Samples]
    classes: tuple[str, ...] | None = None
    scaling: Scaling | None = None
    is_image: bool | None = None
    target: str | None = None
    tabular: bool = False
    numbered: Text | None = None
    notes: tuple[Text, ...] = ()
    columns: tuple[str, ...] = ()
    further: dict[str, RawData] = field(default_factory=dict)

    def samples(self) -> Iterator[Samples]:
        """The blocks in the order train, validation, test."""
        return (self.splits[split] for split in SPLITS if split in self.splits)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Input names, in the order of the source."""
        return tuple(self.splits["train"].x)


def check_values(raw: RawData, specs: Mapping[str, TensorSpec | None] | None = None) -> None:
    """Makes sure that every block has values of the same sample shape, one label each, all finite.

    Args:
        raw: The data.
        specs: The model's input that each array is for, where it is known: it may take text, or one value
            for a sample.

    Raises:
        InvalidInput: With the array's name in the source, what came and what is allowed.
    """
    first = raw.splits["train"]
    for name in raw.inputs:
        if name and not _INPUT_NAME.fullmatch(name):
            raise InvalidInput(
                say("{name} is not a usable input name.", name=_short(name)),
                say("Use up to 100 letters, digits, dots, dashes and underscores, such as x_train.image."),
            )
    for samples in raw.samples():
        if set(samples.x) != set(first.x):
            raise InvalidInput(
                say(
                    "{split} has the inputs {names}, while {first} has {first_names}.",
                    split=samples.called("x"),
                    names=_names(samples.x),
                    first=first.called("x"),
                    first_names=_names(first.x),
                ),
                say("Give every split the same inputs."),
            )
        for name, array in samples.x.items():
            _check_array(samples.called("x", name), array, samples, (specs or {}).get(name))
            if array.shape[1:] != first.x[name].shape[1:]:
                raise InvalidInput(
                    say(
                        "Samples in {name} have the shape {shape}, those in {first} {first_shape}.",
                        name=samples.called("x", name),
                        shape=str(array.shape[1:]),
                        first=first.called("x", name),
                        first_shape=str(first.x[name].shape[1:]),
                    ),
                    say("Give every split the same sample shape."),
                )


def _check_array(called: str, array: Array, samples: Samples, spec: TensorSpec | None) -> None:
    if array.dtype.kind not in ("U" if spec is not None and spec.role == "text" else "biuf"):
        texts = array.dtype.kind in "SU" or (
            array.dtype.kind == "O" and all(isinstance(value, str | bytes) for value in array.flat)
        )
        raise InvalidInput(
            say("{name} holds {dtype} values, and numbers are needed.", name=called, dtype=str(array.dtype))
            if not texts
            else say("{name} holds texts, and the model takes numbers.", name=called)
            if spec is not None
            else say("{name} holds texts, and numbers are needed.", name=called),
            say(
                "Give the numbers that the texts became in training, as TextVectorization or a tokenizer "
                "made them."
            )
            if texts
            else say("Convert it first, for instance with {name}.astype('float32').", name=called),
        )
    if array.ndim < (2 if spec is None or spec.shape else 1):
        raise InvalidInput(
            say("{name} has the shape {shape}.", name=called, shape=str(array.shape)),
            say("The first axis counts samples and at least one more is needed; one column is (n, 1)."),
        )
    if len(array) == 0 or 0 in array.shape:
        raise InvalidInput(
            say("{name} is empty: its shape is {shape}.", name=called, shape=str(array.shape)),
            say("Give it at least one sample, or leave the split out to have it cut from the others."),
        )
    labels = samples.called("y")
    if samples.y.ndim == 0 or len(samples.y) != len(array):
        raise InvalidInput(
            say(
                "{name} has {samples} samples and {labels} has {count} labels.",
                name=called,
                samples=len(array),
                labels=labels,
                count=len(samples.y) if samples.y.ndim else 1,
            ),
            say("Give one label for each sample."),
        )
    if array.dtype.kind == "f":
        _check_finite(called, array)


def _check_finite(called: str, array: Array) -> None:
    missing = infinite = bad_samples = 0
    for block in blocks(array):
        finite = np.isfinite(block)
        if finite.all():
            continue
        missing += int(np.isnan(block).sum())
        infinite += int(np.isinf(block).sum())
        bad_samples += int((~finite.reshape(len(block), -1).all(axis=1)).sum())
    if missing or infinite:
        raise InvalidInput(
            say(
                "{name} holds {missing} missing (NaN) and {infinite} infinite values, "
                "in {bad} of {count} samples.",
                name=called,
                missing=missing,
                infinite=infinite,
                bad=bad_samples,
                count=len(array),
            ),
            say("Fill or drop those samples first."),
        )


def blocks(array: Array, block_bytes: int = 2**24) -> Iterator[Array]:
    """Cuts an array along axis 0 into views of about ``block_bytes``, to bound working memory."""
    step = max(1, block_bytes // max(1, prod(array.shape[1:]) * array.dtype.itemsize))
    for start in range(0, len(array), step):
        yield array[start : start + step]


def default_limit_bytes() -> int:
    """4 GiB, or half of the memory that is free now if that is less."""
    import psutil

    return min(LARGEST_LIMIT_BYTES, int(psutil.virtual_memory().available) // 2)


def default_kept_bytes(folder: Path) -> int:
    """64 GiB, or half of what is free on the disk of a folder if that is less."""
    parent = next(parent for parent in folder.absolute().parents if parent.exists())
    return min(LARGEST_KEPT_BYTES, shutil.disk_usage(parent).free // 2)


def held_bytes(array: Array) -> int:
    """What an array takes in memory: nothing where its values are read from a file when they are needed."""
    if is_by_rows(array):
        return 0
    base: Any = array
    while base is not None:
        if isinstance(base, mmap.mmap):
            return 0
        base = getattr(base, "base", None)
    return array.nbytes


def check_kept(size_bytes: int, most_bytes: int, source: str | Text) -> None:
    """Refuses data that would not fit on the disk.

    Args:
        size_bytes: What the values would take there.
        most_bytes: The most that is allowed.
        source: The file or folder, as the user knows it.

    Raises:
        Refused: If the size is above the limit.
    """
    if size_bytes > most_bytes:
        raise Refused(
            say(
                "{source} would take {size:.1f} MB on the disk; the limit is {limit:.1f} MB.",
                source=source,
                size=size_bytes / 1e6,
                limit=most_bytes / 1e6,
            ),
            say("Use fewer or smaller samples, or raise the limit: {where}.", where=where("limit_gib")),
        )


def check_limit(size_bytes: int, limit_bytes: int, source: str | Text) -> None:
    """Refuses data that would not fit.

    Args:
        size_bytes: What the values would take in memory.
        limit_bytes: The most that is allowed.
        source: The file or array, as the user knows it.

    Raises:
        Refused: If the size is above the limit.
    """
    if size_bytes > limit_bytes:
        raise Refused(
            say(
                "{source} would take {size:.1f} MB in memory; the limit is {limit:.1f} MB.",
                source=source,
                size=size_bytes / 1e6,
                limit=limit_bytes / 1e6,
            ),
            say("Use fewer or smaller samples, or raise the limit: {where}.", where=where("limit_gib")),
        )


def _names(x: dict[str, Array]) -> tuple[str, ...]:
    return tuple(_short(name) if name else "(unnamed)" for name in x)


def _short(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"
