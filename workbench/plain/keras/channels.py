"""Which channels of a model can be removed, and where they are: the data that removing and judging work on.

A channel is one position of one axis: a filter, a unit, an attention head. Channels that an addition or a
shared kernel ties together must go together; they are one *unit*, which has a number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
"""Numbers of units."""
Gone = npt.NDArray[np.bool_]
"""For each unit, by its number, whether it is removed."""
Scores = npt.NDArray[np.float64]
"""For each unit, by its number, how important it is."""
Axis = Numbers | int | None
"""The unit at each position of an axis; just its length (None if that is free) where nothing can go."""


def units(first: int, last: int) -> Numbers:
    """The units from ``first`` to just before ``last``."""
    return np.arange(first, last, dtype=np.int64)


def length(axis: Axis, gone: Gone) -> int:
    """What an axis is long without some units; 1 where it is not known."""
    if axis is None or isinstance(axis, int):
        return 1 if axis is None else axis
    return int(np.count_nonzero(~gone[axis]))


@dataclass(frozen=True)
class Weight:
    """One weight of a layer.

    Attributes:
        axes: Its axes.
        role: ``kernel``, ``bias``, or of a BatchNormalization ``scale`` (gamma) and ``shift`` (beta).
        makes: The axes along which it makes channels: each slice along them is a filter.
        positions: Multiply-accumulates of each element in one inference of one sample; None if that is not
            known.
    """

    axes: Sequence[Axis]
    role: str = "other"
    makes: Sequence[int] = ()
    positions: int | None = 0


@dataclass(frozen=True)
class Setting:
    """A value in a layer's configuration that says how long an axis is.

    Attributes:
        keys: Where it stands.
        axis: The axis.
        divide: How many positions of the axis one unit of the value stands for.
    """

    keys: Sequence[str | int]
    axis: Axis
    divide: int = 1


@dataclass(frozen=True)
class Read:
    """An axis that a layer's kernel sums over, in what the layer is called with.

    Attributes:
        argument: Number of the positional argument, or its name.
        axis: Which axis of that tensor, the batch axis counted.
        units: The unit at each position of it.
    """

    argument: int | str
    axis: int
    units: Numbers


@dataclass(frozen=True)
class Layer:
    """A layer that channels run through.

    Attributes:
        weights: In the order of ``layer.weights``.
        settings: What to write into its configuration.
        rescaled: Weights, by number, that are multiplied by the square root of new / old length of an axis,
            since the layer divides by that root: attention does so.
        reads: Where its kernels read units.
    """

    weights: Sequence[Weight]
    settings: Sequence[Setting] = ()
    rescaled: Sequence[tuple[int, Axis]] = ()
    reads: Sequence[Read] = ()

    def axes(self) -> list[Numbers]:
        """Every axis along which something can go."""
        found = [axis for weight in self.weights for axis in weight.axes]
        found += [setting.axis for setting in self.settings]
        return [axis for axis in found if isinstance(axis, np.ndarray)]


@dataclass(frozen=True)
class Group:
    """Units that run through the same layers: any of them can stand for another.

    Attributes:
        name: The layer that makes them first.
        units: Their numbers.
        channels: Channels of that layer that each unit is.
        multiple: What the number of those that stay should be a multiple of.
        fewest: How many stay at least.
    """

    name: str
    units: Numbers
    channels: int = 1
    multiple: int = 1
    fewest: int = 1


@dataclass(frozen=True)
class Size:
    """What the layers cost.

    Attributes:
        parameters: Their weights.
        macs: Multiply-accumulates of one inference of one sample in Dense, EinsumDense, convolution,
            recurrent and attention layers, in these the projections only; None where a length is free.
    """

    parameters: int
    macs: int | None


@dataclass(frozen=True)
class ModelChannels:
    """The channels of one model.

    Attributes:
        groups: Units that can be removed.
        layers: Every layer that they run through, by its name; one of a nested model is ``model/layer``.
        closed: Layers that stay as they are, with all that is in them.
    """

    groups: Sequence[Group]
    layers: Mapping[str, Layer]
    closed: Sequence[str] = ()

    @cached_property
    def count(self) -> int:
        """One more than the highest number of a unit."""
        axes = [axis for layer in self.layers.values() for axis in layer.axes()]
        return 1 + max((int(axis.max()) for axis in [*axes, *(g.units for g in self.groups)]), default=-1)

    @cached_property
    def _all(self) -> Size:
        """Weights and operations with every unit."""
        return self.size(self.nothing())

    @property
    def whole(self) -> tuple[int, ...]:
        """Units of each group."""
        return tuple(len(group.units) for group in self.groups)

    def nothing(self) -> Gone:
        """No unit removed."""
        return np.zeros(self.count, np.bool_)

    def removing(self, keep: Sequence[int], scores: Scores | None = None, before: Gone | None = None) -> Gone:
        """Marks the units of lowest score, so that some of each group are left.

        Args:
            keep: How many of each group.
            scores: How important they are; without scores those of lowest number go.
            before: Units that are gone already.
        """
        gone = self.nothing() if before is None else before.copy()
        for group, number in zip(self.groups, keep, strict=True):
            here = group.units[~gone[group.units]]
            order = here if scores is None else here[np.argsort(scores[here], kind="stable")]
            gone[order[: len(here) - number]] = True
        return gone

    def removable(self, unwanted: Gone) -> Gone:
        """Marks those of some units that can go: of each group a multiple stays, and a few at least.

        Args:
            unwanted: Which units should go.
        """
        keep = []
        for group in self.groups:
            wanted = max(int(np.count_nonzero(~unwanted[group.units])), group.fewest)
            keep.append(min(math.ceil(wanted / group.multiple) * group.multiple, len(group.units)))
        return self.removing(keep, scores=(~unwanted).astype(np.float64))

    def size(self, gone: Gone) -> Size:
        """Weights and operations of the layers without some units."""
        parameters, macs, known = 0, 0, True
        for layer in self.layers.values():
            for weight in layer.weights:
                elements = 1
                for axis in weight.axes:
                    elements *= length(axis, gone)
                parameters += elements
                if weight.positions is None:
                    known = False
                else:
                    macs += elements * weight.positions
        return Size(parameters, macs if known else None)

    def saved(self, keep: Sequence[int]) -> Size:
        """Weights and operations that go when so many units of each group stay."""
        before, after = self._all, self.size(self.removing(keep))
        macs = None if before.macs is None or after.macs is None else before.macs - after.macs
        return Size(before.parameters - after.parameters, macs)

    def part_of_channels(self, keep: Sequence[int]) -> float:
        """Part of all channels that is left when so many units of each group stay."""
        wide = sum(len(group.units) * group.channels for group in self.groups)
        kept = sum(number * group.channels for number, group in zip(keep, self.groups, strict=True))
        return kept / wide if wide else 1.0


def layer_at(model: Any, name: str) -> Any:
    """A layer by its name; that of a nested model by ``model/layer``."""
    for part in name.split("/"):
        model = model.get_layer(part)
    return model
