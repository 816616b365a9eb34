"""Which samples a quantization is calibrated with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def drawn(count: int, samples: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """Positions of samples in a split: drawn without replacement, in rising order.

    Args:
        count: How many samples the split has.
        samples: How many are drawn; all, where there are no more.
        seed: Which ones.
    """
    return np.sort(np.random.default_rng(seed).choice(count, min(samples, count), replace=False))
