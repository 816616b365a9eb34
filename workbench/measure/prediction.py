"""Predicts a split batch by batch."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Features, sample_count, select
from workbench.api.runtime import Session

BATCH = 32

_LONGEST_BATCH_S = 0.4


def predict_in_batches(
    session: Session, features: Features
) -> Iterator[tuple[int, int, npt.NDArray[np.float32]]]:
    """Predicts all samples in their order.

    Batches shrink where the model is slow, so that a cancel is heard in time. Their size changes
    only then: runtimes that compile do so for each size.

    Args:
        session: The loaded model.
        features: Samples along axis 0.

    Yields:
        First sample, one past the last sample, and the outputs, shape ``(batch, outputs)``.
    """
    start, size, count = 0, BATCH, sample_count(features)
    while start < count:
        stop = min(start + size, count)
        began = time.monotonic()
        outputs = np.asarray(session.predict(select(features, slice(start, stop))), np.float32)
        spent = time.monotonic() - began
        # The first batch also pays for compiling.
        if start and spent > _LONGEST_BATCH_S and size > 1:
            size = max(1, int(size * _LONGEST_BATCH_S / spent))
        yield start, stop, outputs.reshape(stop - start, -1)
        start = stop
