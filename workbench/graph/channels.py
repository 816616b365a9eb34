"""Channels that must be kept or removed together: union-find over whole arrays of channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.api.text import Text

Ids = npt.NDArray[np.int64]
"""One channel for each position of an axis."""


@dataclass(frozen=True)
class Axis:
    """One axis of a tensor or of a weight.

    Attributes:
        length: Its length; None where free or not known.
        channels: The channel at each position; None where nothing can be removed from the axis.
        reason: Why nothing can, where that is worth telling.
    """

    length: int | None = None
    channels: Ids | None = None
    reason: Text | None = None


class Channels:
    """All channels of a model, which of them are tied, and which are fixed.

    A channel is one position of one axis: a filter, a unit, an attention head. Those that an addition
    or a shared weight ties together are one *unit*, named after its lowest channel.

    Args:
        foremost: The reason that is told before all others where a unit is fixed for several.
    """

    def __init__(self, foremost: Text) -> None:
        self._parents = np.empty(1024, np.int64)
        self._fixed = np.empty(1024, np.int64)
        self._count = 0
        self._reasons = [foremost]

    def new(self, count: int) -> Axis:
        """An axis of so many channels that are tied to nothing."""
        start, self._count = self._count, self._count + count
        while self._count > len(self._parents):
            self._parents = np.concatenate([self._parents, np.empty_like(self._parents)])
            self._fixed = np.concatenate([self._fixed, np.empty_like(self._fixed)])
        self._parents[start : self._count] = np.arange(start, self._count)
        self._fixed[start : self._count] = -1
        return Axis(count, np.arange(start, self._count))

    def units(self, channels: Ids) -> Ids:
        """The unit of each channel."""
        found = self._parents[channels]
        while not np.array_equal(above := self._parents[found], found):
            found = above
        self._parents[channels] = found
        return found

    def tie(self, one: Ids, other: Ids) -> None:
        """Ties channels in pairs."""
        while True:
            a, b = self.units(one), self.units(other)
            apart = a != b
            if not apart.any():
                return
            a, b = a[apart], b[apart]
            # The lowest of all that meet in one unit wins; the next round joins those that lost.
            np.minimum.at(self._parents, np.maximum(a, b), np.minimum(a, b))

    def fix(self, axis: Axis, reason: Text) -> None:
        """Keeps the channels of an axis, and with them all that they are tied to."""
        if axis.channels is not None:
            free = axis.channels[self._fixed[axis.channels] < 0]
            self._fixed[free] = len(self._reasons)
            self._reasons.append(reason)

    def fix_foremost(self, axis: Axis) -> None:
        """Keeps the channels of an axis for the foremost reason."""
        if axis.channels is not None:
            self._fixed[axis.channels] = 0

    def resolved(self) -> tuple[Ids, Ids, list[Text]]:
        """What the ties and fixed channels come to.

        Returns:
            The unit of every channel; for each channel the number of the reason why its unit is fixed, or
            -1; and the reasons.
        """
        units = self.units(np.arange(self._count))
        none = len(self._reasons)
        fixed = np.where(self._fixed[: self._count] < 0, none, self._fixed[: self._count])
        lowest = np.full(self._count, none, np.int64)
        np.minimum.at(lowest, units, fixed)
        lowest = lowest[units]
        return units, np.where(lowest == none, -1, lowest), self._reasons
