"""Times functions beside each other, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)
WARM_UP = 10
ROUNDS = 30
RUNS = 10
DISCARDED = 3
INPUTS = 5


def median_ms(
    cells: Mapping[Key, tuple[Callable[[Any], Any], int]], samples: Mapping[str, Any]
) -> dict[Key, float]:
    """Median milliseconds of one call of each function.

    In each round all of them run, in another order, and the first runs of each do not count.

    Args:
        cells: By any key, a function from samples to predictions, and how many samples it gets at once.
        samples: Arrays by input name, to draw from.
    """
    rng = np.random.default_rng(0)
    count = len(next(iter(samples.values())))
    batches = {
        key: [_rows(samples, rng.integers(count, size=size)) for _ in range(INPUTS)]
        for key, (_, size) in cells.items()
    }
    for key, (predict, _) in cells.items():
        for run in range(WARM_UP):
            predict(batches[key][run % INPUTS])
    times: dict[Key, list[float]] = {key: [] for key in cells}
    keys = list(cells)
    for _ in range(ROUNDS):
        for number in rng.permutation(len(keys)):
            key = keys[number]
            for run in range(DISCARDED + RUNS):
                batch = batches[key][run % INPUTS]
                begin = time.perf_counter()
                cells[key][0](batch)
                if run >= DISCARDED:
                    times[key].append(time.perf_counter() - begin)
    return {key: 1000 * float(np.median(seconds)) for key, seconds in times.items()}


def _rows(samples: Mapping[str, Any], index: Any) -> dict[str, Any]:
    return {name: array[index] for name, array in samples.items()}
