"""What somebody brings to the workbench."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

CLASSES = 3


@dataclass(frozen=True)
class Brought:
    """A model and its data.

    Attributes:
        model: As :meth:`workbench.Workbench.open` takes it.
        data: The same.
        options: Its further arguments.
    """

    model: Any
    data: Any
    options: dict[str, Any] = field(default_factory=dict)


def patterns(*shape: int, count: int = 240) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Samples of :data:`CLASSES` classes, each around a pattern of its own."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, CLASSES, count)
    means = rng.normal(size=(CLASSES, *shape))
    return (means[labels] + 0.4 * rng.normal(size=(count, *shape))).astype("float32"), labels


def sentences(length: int, vocabulary: int, count: int = 240) -> tuple[Any, npt.NDArray[np.int64]]:
    """Token ids, int32, of which some are those of the class."""
    rng = np.random.default_rng(2)
    labels = rng.integers(0, CLASSES, count)
    ids = rng.integers(10, vocabulary, (count, length))
    own = rng.random((count, length)) < 0.5
    ids = np.where(own, 1 + 3 * labels[:, None] + rng.integers(0, 3, (count, length)), ids)
    return ids.astype("int32"), labels


def taught(model: Any, x: Any, y: Any, epochs: int = 3) -> Any:
    """The model after a few epochs."""
    import keras

    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=epochs, batch_size=32, verbose=0)
    return model
