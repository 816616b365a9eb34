"""Counts what float32 cannot tell apart: large whole numbers, and values close together far from zero."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.api.text import Text, say
from workbench.data.model_inputs import LARGEST_FLOAT32_WHOLE
from workbench.data.raw import Array

LEAST_STEPS = 256
"""A column that spans fewer steps of float32 than this is coarser than it was measured."""

_KEPT = 1_000_000


class Rounding:
    """Watches the values of one input on their way to float32."""

    def __init__(self) -> None:
        self.changed = 0
        self.count = 0
        self._before: npt.NDArray[np.generic] | None = None
        self._after: npt.NDArray[np.generic] | None = None
        self._low: npt.NDArray[np.float64] | None = None
        self._high: npt.NDArray[np.float64] | None = None

    def watch(self, values: Array, stored: npt.NDArray[np.float32]) -> None:
        """Compares a block of samples, as they came, with what is stored of them.

        Args:
            values: Shape ``(n, ...)``, not scaled.
            stored: The same as float32.
        """
        self.count += values.size
        if values.dtype.kind not in "iuf" or values.dtype.itemsize < 4 or values.dtype == np.float32:
            return
        if values.ndim == 2 and values.dtype.kind == "f":
            low, high = values.min(axis=0), values.max(axis=0)
            self._low = low if self._low is None else np.minimum(self._low, low)
            self._high = high if self._high is None else np.maximum(self._high, high)
        if max(abs(float(values.min())), abs(float(values.max()))) <= LARGEST_FLOAT32_WHOLE:
            return
        with np.errstate(invalid="ignore"):
            others = values != stored.astype(values.dtype)
        if values.dtype.kind == "f":
            others &= values == np.rint(values)
        self.changed += int(others.sum())
        self._before = _merged(self._before, values[others])
        self._after = _merged(self._after, stored[others])

    @property
    def coarse_columns(self) -> int:
        """Columns whose values float32 hardly tells apart."""
        if self._low is None or self._high is None:
            return 0
        span = self._high - self._low
        step = np.maximum(np.abs(self._low), np.abs(self._high)) * 2.0**-23
        return int(((span > 0) & (span < LEAST_STEPS * step)).sum())

    def problem(self, called: str) -> Text | None:
        """What is lost, with counts, or None."""
        if self.changed and self._before is not None and self._after is not None:
            return say(
                "{changed} of {count} values in {name} are whole numbers that float32 cannot hold, and "
                "become others: {before} different ones become {after}.",
                changed=self.changed,
                count=self.count,
                name=called,
                before=len(self._before),
                after=len(self._after),
            )
        if self.coarse_columns:
            return say(
                "In {columns} columns of {name} the values lie so close together, so far from zero, that "
                "float32 hardly tells them apart.",
                columns=self.coarse_columns,
                name=called,
            )
        return None


def _merged(known: npt.NDArray[np.generic] | None, values: Array) -> npt.NDArray[np.generic]:
    new = np.unique(values)
    return new if known is None else (known if len(known) > _KEPT else np.union1d(known, new))
