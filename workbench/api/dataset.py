"""A prepared data set: a folder of ``.npy`` files and a description, read without copying."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from workbench.api.records import Record
from workbench.api.row_array import add_array, is_by_rows, mapped_rows, scaled_rows
from workbench.api.task import Task
from workbench.api.text import Text

Features = npt.NDArray[Any] | dict[str, npt.NDArray[Any]]
"""Samples along axis 0: one array, or one array per model input, by input name.

Of large or 8-bit data these are :class:`workbench.api.row_array.RowArray`: index them for a NumPy array of
some samples; ``numpy.asarray`` reads all.

Float32 where the model computes with them; int32, int64 or another whole number type where its input is of
one; fixed-width unicode where it takes text."""

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")

LARGE_BYTES = 256_000_000
"""Samples that take more than this as the model takes them are read row by row, never as a whole."""


class FurtherTarget(Record):
    """What is known of the labels of a further output, of a model with several.

    Attributes:
        output: Name of the output.
        key: Its name in files.
        task: What the labels are.
        classes: As of :class:`DatasetInfo`, as the others are.
        class_counts: See there.
        targets: See there.
        ignored_label: See there.
        weighted: See there.
    """

    output: str
    key: str
    task: Task
    classes: tuple[str, ...] = ()
    class_counts: dict[SplitName, tuple[int, ...]] = Field(default_factory=dict)
    targets: tuple[str, ...] = ()
    ignored_label: int | None = None
    weighted: tuple[SplitName, ...] = ()


class DatasetInfo(Record):
    """What is known of a data set without opening its arrays.

    Attributes:
        name: Shown to the user, such as ``mnist-5k``.
        input_shapes: Shape of one sample per input name; the single key is ``""`` where there is
            one unnamed input.
        classes: Class names in the order of the integer labels; the names of the labels of a multi-label
            data set; none where numbers are predicted, or there are no labels.
        counts: Samples in each split.
        class_counts: Samples of each class in each split; with that label, or positions of that class, where
            the task is such.
        scaling: How raw values became the stored ones, in words, such as "pixels / 255".
        scalings: The same by input name, as the names of the scalings.
        minimum: Smallest stored value over all splits.
        maximum: Largest stored value over all splits.
        is_image: Whether samples can be shown as pictures (height, width, 1 or 3 channels).
        seed: Seed of the split.
        sha256: Digest over all arrays; identifies the data in measurements.
        notes: What the user should know of how it was read (rows dropped, labels mapped, ...).
        target: Name of the target that the labels are of, where the source named it.
        class_order: Whether classes are sorted by the numbers in their names or as texts, where that makes a
            difference and nobody said which; see :mod:`workbench.data.class_order`.
        task: What the labels are.
        targets: Names of the numbers that a regression predicts, one for each column of the labels.
        weighted: The splits whose samples have weights.
        further: The labels of further outputs, of a model with several; the others are of the first.
        ignored_label: What stood in the source for positions that do not count; -1 stands in the labels here.
        judged: The classes that are measured; all if empty. Labels of the others are there, and trained on.
    """

    name: str
    input_shapes: dict[str, tuple[int, ...]]
    classes: tuple[str, ...]
    counts: dict[SplitName, int]
    class_counts: dict[SplitName, tuple[int, ...]]
    scaling: Text
    scalings: dict[str, str] = Field(default_factory=dict)
    minimum: float
    maximum: float
    is_image: bool
    seed: int
    sha256: str
    notes: tuple[Text, ...] = Field(default=())
    target: str | None = None
    class_order: Literal["numbers", "text"] | None = None
    task: Task = "classification"
    targets: tuple[str, ...] = ()
    ignored_label: int | None = None
    weighted: tuple[SplitName, ...] = ()
    further: tuple[FurtherTarget, ...] = ()
    judged: tuple[int, ...] = ()

    def of(self, output: str | None) -> DatasetInfo:
        """The same with the labels of a further output; None gives it as it is.

        Raises:
            KeyError: If there are no labels for it.
        """
        if output is None:
            return self
        found = next((one for one in self.further if one.output == output), None)
        if found is None:
            raise KeyError(
                f"further outputs are {[one.output for one in self.further]}. Received: {output!r}"
            )
        changes = found.model_dump(exclude={"output", "key"}) | {
            "target": output,
            "further": (),
            "judged": (),
        }
        return self.model_copy(update=changes | {"class_counts": found.class_counts})

    def counted(self, labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which labels are of classes that are measured."""
        return np.isin(labels, self.judged) if self.judged else np.ones(labels.shape, bool)

    @property
    def judged_classes(self) -> tuple[str, ...]:
        """Names of the classes that are measured; nothing where all are."""
        return tuple(self.classes[index] for index in self.judged)

    @property
    def occurring(self) -> tuple[int, ...]:
        """The classes of which at least one split has a sample that is measured."""
        in_all = [sum(counts) for counts in zip(*self.class_counts.values(), strict=True)]
        return tuple(
            index for index, count in enumerate(in_all) if count and (not self.judged or index in self.judged)
        )


class Dataset:
    """Three splits on disk, memory-mapped.

    Args:
        folder: A folder that :func:`workbench.data.prepare.prepare` wrote: ``dataset.json`` and, for each
            split, ``y_<split>.npy`` (see :meth:`y`), ``w_<split>.npy`` where samples have weights, and
            ``x_<split>.npy`` (see :data:`Features`), or ``x_<split>.<input>.npy`` for each input of a model
            with several. Values of 8 and 16 bits are kept as they came, in ``raw_<split>.npy``, and scaled
            as ``scaling.npy`` says when they are read: a row of offsets and a row of divisors. Labels and
            weights of further outputs are in ``y_<split>.<key>.npy`` and ``w_<split>.<key>.npy``.
        output: Name of a further output whose labels are given in place of those of the first.

    Example:
        >>> dataset = workbench.dataset
        >>> len(dataset.x("test")) == dataset.info.counts["test"]
        True
        >>> dataset.y("test").dtype.name
        'int64'
    """

    def __init__(self, folder: Path, output: str | None = None) -> None:
        self.folder = Path(folder)
        whole = DatasetInfo.model_validate(json.loads((self.folder / "dataset.json").read_text("utf-8")))
        self.info = whole.of(output)
        key = next((one.key for one in whole.further if one.output == output), None)
        self._of = "" if key is None else f".{key}"

    def of(self, output: str | None) -> Self:
        """The same with the labels of a further output; None gives those of the first.

        Args:
            output: Its name.

        Raises:
            KeyError: If there are no labels for it.
        """
        return type(self)(self.folder, output)

    def x(self, split: SplitName) -> Features:
        """The samples of one split, as the model takes them, read from the disk when they are indexed."""
        names = list(self.info.input_shapes)
        if names == [""]:
            return self._samples(split, "")
        return {name: self._samples(split, f".{name}") for name in names}

    def y(self, split: SplitName) -> npt.NDArray[Any]:
        """The labels of one split.

        Of a classification int64 class indices, shape ``(n,)``; of a regression float32, shape ``(n,
        targets)``; of several labels for a sample uint8 of 0 and 1, shape ``(n, classes)``; of one for each
        position int64 class indices, shape ``(n, *positions)``, -1 where a position does not count; without
        labels float32 of the shape ``(n, 0)``.
        """
        labels: npt.NDArray[Any] = np.load(
            self.folder / f"y_{split}{self._of}.npy", mmap_mode="r", allow_pickle=False
        )
        return labels

    def weights(self, split: SplitName) -> npt.NDArray[np.float32] | None:
        """How much each sample of one split counts, float32 of shape ``(n,)``; None where all count once."""
        if split not in self.info.weighted:
            return None
        return np.load(self.folder / f"w_{split}{self._of}.npy", allow_pickle=False)  # type: ignore[no-any-return]

    def save_npz(self, file: Path) -> Path:
        """Writes all splits into one ``.npz``, as the plain code of a technique reads it.

        It is written a few samples at a time. Whoever reads it with ``numpy.load`` needs memory for a whole
        split, as float32.

        Args:
            file: Gets ``x_<split>`` (or ``x_<split>.<input>``), ``y_<split>`` and, where samples have
                weights, ``w_<split>``; of further outputs ``y_<split>.<key>`` and ``w_<split>.<key>``.
        """
        labelled = {"": self} | {f".{one.key}": self.of(one.output) for one in self.info.further}
        with zipfile.ZipFile(file, "w") as archive:
            for split in SPLITS:
                x = self.x(split)
                for name, values in (x if isinstance(x, dict) else {"": x}).items():
                    add_array(archive, f"x_{split}.{name}" if name else f"x_{split}", values)
                for key, own in labelled.items():
                    add_array(archive, f"y_{split}{key}", own.y(split))
                    if (weights := own.weights(split)) is not None:
                        add_array(archive, f"w_{split}{key}", weights)
        return file

    def _samples(self, split: SplitName, of_input: str) -> npt.NDArray[Any]:
        raw = f"raw_{split}{of_input}.npy"
        if (self.folder / raw).exists():
            offset, divisor = np.load(self.folder / f"scaling{of_input}.npy", allow_pickle=False)
            return scaled_rows(self._array(raw), offset, divisor)
        array = self._array(f"x_{split}{of_input}.npy")
        return mapped_rows(array) if array.nbytes > LARGE_BYTES and array.dtype.kind != "U" else array

    def _array(self, name: str) -> npt.NDArray[Any]:
        array: npt.NDArray[Any] = np.load(self.folder / name, mmap_mode="r", allow_pickle=False)
        return array

    def __repr__(self) -> str:
        return f"Dataset({self.info.name!r}, {self.info.counts})"


def is_large(features: Features) -> bool:
    """Whether samples are read row by row because there are too many for memory."""
    arrays = features.values() if isinstance(features, dict) else [features]
    return any(is_by_rows(array) for array in arrays) and sample_bytes(features) > LARGE_BYTES


def sample_bytes(features: Features) -> int:
    """What samples take in memory as the model takes them."""
    arrays = features.values() if isinstance(features, dict) else [features]
    return sum(array.nbytes for array in arrays)


def sample_count(features: Features) -> int:
    """Number of samples along axis 0."""
    return len(next(iter(features.values()))) if isinstance(features, dict) else len(features)


def select(features: Features, index: slice | npt.NDArray[np.integer]) -> Features:
    """The samples at ``index``, of every input."""
    if isinstance(features, dict):
        return {name: array[index] for name, array in features.items()}
    return features[index]
