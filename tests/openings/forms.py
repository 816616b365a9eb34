"""The forms in which people hand over labels and data: all that ``model.fit`` takes, and files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Given:
    """Data as they are handed to ``Workbench.open``.

    Attributes:
        data: The second argument.
        options: What has to be said beside it.
    """

    data: Any
    options: dict[str, Any] = field(default_factory=dict)


# -- labels: from class indices to what the user has ---------------------------------------------------


def whole_numbers(indices: Array, classes: int) -> Array:
    return indices.astype(np.int64)


def small_whole_numbers(indices: Array, classes: int) -> Array:
    return indices.astype(np.uint8)


def a_column(indices: Array, classes: int) -> Array:
    return indices.astype(np.int32)[:, None]


def floats(indices: Array, classes: int) -> Array:
    return indices.astype(np.float32)


def one_hot(indices: Array, classes: int) -> Array:
    return np.eye(classes, dtype=np.float32)[indices]


def words(indices: Array, classes: int) -> Array:
    return np.array([f"class {chr(ord('a') + index)}" for index in range(classes)])[indices]


def truths(indices: Array, classes: int) -> Array | None:
    return indices.astype(bool) if classes == 2 else None


def counted_from_one(indices: Array, classes: int) -> Array:
    return indices.astype(np.int64) + 1


def numbers_as_texts(indices: Array, classes: int) -> Array:
    """9, 10, 11: in the order of the numbers."""
    return np.array([str(index + 9) for index in range(classes)])[indices]


def texts_of_numbers_sorted_as_texts(indices: Array, classes: int) -> Array:
    """10, 11, 9: what ``LabelEncoder`` makes of them."""
    return np.array(sorted(str(index + 9) for index in range(classes)))[indices]


def numbered_words_in_the_order_of_their_numbers(indices: Array, classes: int) -> Array:
    return np.array([f"class {index + 9}" for index in range(classes)])[indices]


LABELS: dict[str, Callable[[Array, int], Array | None]] = {
    make.__name__.replace("_", " "): make
    for make in (
        whole_numbers,
        small_whole_numbers,
        a_column,
        floats,
        one_hot,
        words,
        truths,
        counted_from_one,
        numbers_as_texts,
        texts_of_numbers_sorted_as_texts,
        numbered_words_in_the_order_of_their_numbers,
    )
}


# -- data -----------------------------------------------------------------------------------------


def _single(x: dict[str, Array]) -> Any:
    return next(iter(x.values())) if len(x) == 1 else x


def pair(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    return Given((_single(x), y))


def list_of_inputs(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    return Given((list(x.values()), y)) if len(x) > 1 else None


def named_inputs(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    return Given((dict(reversed(list(x.items()))), y))


def two_splits(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    cut = int(0.7 * len(y))
    parts = [({k: v[s] for k, v in x.items()}, y[s]) for s in (slice(cut), slice(cut, None))]
    return Given(tuple((_single(inputs), labels) for inputs, labels in parts))


def npz_file(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    path = folder / "data.npz"
    arrays = {"x": _single(x)} if len(x) == 1 else {f"x.{name}": values for name, values in x.items()}
    np.savez(path, y=y, **arrays)
    return Given(str(path))


def csv_file(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    frame = _frame(x, y)
    if frame is None:
        return None
    frame.to_csv(folder / "data.csv", index=False)
    return Given(str(folder / "data.csv"))


def csv_file_of_unnamed_columns(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    frame = _frame(x, y)
    if frame is None:
        return None
    frame.columns = range(frame.shape[1])
    frame.to_csv(folder / "data.csv", index=False)
    return Given(str(folder / "data.csv"))


def data_frame(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    frame = _frame(x, y)
    return None if frame is None else Given(frame)


def _frame(x: dict[str, Array], y: Array) -> Any:
    import pandas

    (values, *others) = x.values()
    if others or values.ndim != 2 or y.ndim != 1 or values.dtype.kind == "U":
        return None
    frame = pandas.DataFrame(values, columns=[f"column_{index}" for index in range(values.shape[1])])
    frame["label"] = y
    return frame


def batched_dataset(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    import tensorflow as tf

    return Given(tf.data.Dataset.from_tensor_slices((_single(x), y)).batch(32))


def dataset(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    import tensorflow as tf

    return Given(tf.data.Dataset.from_tensor_slices((_single(x), y)))


def dataset_of_tuples(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    import tensorflow as tf

    if len(x) == 1:
        return None
    return Given(tf.data.Dataset.from_tensor_slices((tuple(x.values()), y)).batch(20))


def dataset_with_weights(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    import tensorflow as tf

    weights = np.ones(len(y), np.float32)
    return Given(tf.data.Dataset.from_tensor_slices((_single(x), y, weights)).batch(32))


def py_dataset(x: dict[str, Array], y: Array, folder: Path) -> Given | None:
    import keras

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return -(-len(y) // 32)

        def __getitem__(self, index: int) -> tuple[Any, Array]:
            part = slice(32 * index, 32 * (index + 1))
            return _single({name: values[part] for name, values in x.items()}), y[part]

    return Given(Batches())


DATA: dict[str, Callable[[dict[str, Array], Array, Path], Given | None]] = {
    make.__name__.replace("_", " "): make
    for make in (
        pair, list_of_inputs, named_inputs, two_splits, npz_file, csv_file, csv_file_of_unnamed_columns,
        data_frame, batched_dataset, dataset, dataset_of_tuples, dataset_with_weights, py_dataset,
    )
}  # fmt: skip
