"""Samples for a file that was made for one number of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Samples = Mapping[str, Any]
"""Arrays by the name of the input."""


def in_batches(run: Callable[[Samples], Any], samples: Samples, size: int | None) -> Any:
    """What a file gives for samples, float32.

    Args:
        run: Calls it with a batch.
        samples: Any number of them.
        size: The number that it takes, the last batch is filled up; None if it takes any.
    """
    count = len(next(iter(samples.values())))
    if size is None or size == count:
        return np.asarray(run(samples), "float32")
    parts = []
    for start in range(0, count, size):
        index = np.minimum(np.arange(start, start + size), count - 1)
        parts.append(np.asarray(run({name: array[index] for name, array in samples.items()}), "float32"))
    return np.concatenate(parts)[:count]


def of_input(samples: Samples, name: str) -> Any:
    """The samples of an input; a single one may have another name in the file than in the model."""
    return next(iter(samples.values())) if len(samples) == 1 else samples[name]
