"""Units of a model that can be removed, in groups, and what is left when they are."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.api.errors import Refused
from workbench.api.text import Text, say
from workbench.api.variant import Skip, Table
from workbench.graph.calls import read_config
from workbench.graph.channels import Axis, Ids
from workbench.graph.dependencies import DependencyGraph
from workbench.graph.parts import LayerParts, Maker
from workbench.plain.keras import channels as plain

UNREADABLE = (OSError, ValueError, KeyError, zipfile.BadZipFile, Refused)
"""What :func:`units_of` raises."""

Removed = npt.NDArray[np.bool_]
"""For every channel of the model whether it is removed. All channels of a unit agree."""


@dataclass(frozen=True)
class Group:
    """Units that pass through the same layers, so that each costs the same and any can stand for another.

    Attributes:
        makers: Every layer that makes them, in order of execution.
        units: The units.
        channels: Channels that each unit is in the first of those layers.
        rounded: Whether runtimes like their number to be a multiple of 8: not so for attention heads.
    """

    makers: tuple[Maker, ...]
    units: Ids
    channels: int

    @property
    def name(self) -> str:
        """The first layer that makes them, as it is shown."""
        return str(self.makers[0])

    @property
    def layers(self) -> Text:
        """The layers that make them, as they are shown: the first ones, where they are many."""
        names = tuple(map(str, self.makers))
        if len(names) <= 3:
            return say("{names}", names=names)
        return say(
            "{first}, {second} and {count} more", first=names[0], second=names[1], count=len(names) - 2
        )

    def multiple(self, round_to: int) -> int:
        """What the number of those that stay should be a multiple of, where widths should be one.

        It is halved until there are at least two multiples. Attention heads are not rounded.

        Args:
            round_to: What the width of the layers should be a multiple of.
        """
        if any(maker.label == "heads" for maker in self.makers):
            return 1
        multiple = round_to // math.gcd(round_to, self.channels)
        while multiple > 1 and 2 * multiple > len(self.units):
            multiple //= 2
        return multiple


class Units:
    """The removable units of a model.

    Args:
        graph: The model's dependencies.
    """

    def __init__(self, graph: DependencyGraph) -> None:
        self.graph = graph
        self.of, self._fixed, self._reasons = graph.channels.resolved()

    def nothing(self) -> Removed:
        """No channel removed."""
        return np.zeros(len(self.of), np.bool_)

    def removing(self, units: Ids) -> Removed:
        """Channels removed when these units are."""
        chosen = self.nothing()
        chosen[units] = True
        result: Removed = chosen[self.of]
        return result

    def is_free(self, axis: Axis) -> npt.NDArray[np.bool_]:
        """Which positions of an axis can be removed."""
        if axis.channels is None:
            return np.zeros(axis.length or 0, np.bool_)
        free: npt.NDArray[np.bool_] = self._fixed[axis.channels] < 0
        return free

    @cached_property
    def groups(self) -> list[Group]:
        """Units in groups, in order of the layers that make them first."""
        makers: dict[int, list[Maker]] = {}
        widths: dict[Maker, dict[int, int]] = {}
        for layer in self.graph.layers.values():
            for maker, axis in layer.makers:
                assert axis.channels is not None
                units, counts = np.unique(self.of[axis.channels[self.is_free(axis)]], return_counts=True)
                widths[maker] = dict(zip(units.tolist(), counts.tolist(), strict=True))
                for unit in units.tolist():
                    makers.setdefault(unit, []).append(maker)
        together: dict[tuple[Maker, ...], list[int]] = {}
        for unit, some_makers in makers.items():
            together.setdefault(tuple(some_makers), []).append(unit)
        groups = []
        for members, some in together.items():
            # Units that stand for different numbers of channels do not cost the same.
            first = widths[members[0]]
            for channels in sorted({first[unit] for unit in some}):
                alike = sorted(unit for unit in some if first[unit] == channels)
                groups.append(Group(members, np.array(alike, np.int64), channels))
        return groups

    @cached_property
    def channels(self) -> plain.ModelChannels:
        """The same as data that removing and judging channels work on, here and in shown code.

        Units have there the number of their lowest channel.
        """
        return plain.ModelChannels(
            groups=[plain.Group(group.name, group.units, group.channels) for group in self.groups],
            layers={
                layer.name: plain.Layer(
                    weights=[
                        plain.Weight(
                            [self._along(axis) for axis in weight.axes],
                            weight.role,
                            weight.made,
                            weight.positions,
                        )
                        for weight in layer.weights
                    ],
                    settings=[
                        plain.Setting(setting.keys, self._along(setting.axis), setting.divide)
                        for setting in layer.settings
                    ],
                    rescaled=[(number, self._along(axis)) for number, axis in layer.rescaled],
                    reads=self._reads(layer)[0],
                )
                for layer in self.graph.layers.values()
            },
            closed=[skip.name for skip in self.graph.closed],
        )

    def is_visible(self, group: Group) -> bool:
        """Whether layers read a group's units only in what they are called with.

        Such a unit is of no use if it is zero there. Others are summed over inside a layer: heads of
        attention, the state of a recurrent layer.
        """
        return bool(self._visible[group.units].all())

    @cached_property
    def _visible(self) -> npt.NDArray[np.bool_]:
        read, inside = self.nothing(), self.nothing()
        for layer in self.graph.layers.values():
            reads, hidden = self._reads(layer)
            inside[hidden] = True
            for one in reads:
                read[one.units] = True
        return read & ~inside

    def _reads(self, layer: LayerParts) -> tuple[list[plain.Read], Ids]:
        """Where a layer's kernels read units, and the units that they read elsewhere than there."""
        read = [
            axis.channels
            for weight in layer.weights
            if weight.role == "kernel"
            for at, axis in enumerate(weight.axes)
            if at not in weight.made and axis.channels is not None
        ]
        if not read:
            return [], np.empty(0, np.int64)
        summed = np.unique(np.concatenate(read))
        found, given = [], [np.empty(0, np.int64)]
        for argument, flow in layer.inputs:
            for at, axis in enumerate(flow):
                if axis.channels is None or not np.isin(axis.channels, summed).any():
                    continue
                given.append(axis.channels)
                if self.is_free(axis).any():
                    found.append(plain.Read(argument, at, self.of[axis.channels]))
        return found, self.of[np.setdiff1d(summed, np.concatenate(given))]

    def obstacle(self) -> Text | None:
        """Why no channel can be removed, or None."""
        if self.groups:
            return None
        return say(
            "No channel of this model can be removed. {reasons}",
            reasons=" ".join(f"{skip.name}: {skip.reason}" for skip in self.fixed[:5]),
        )

    def _along(self, axis: Axis) -> plain.Axis:
        if axis.channels is None:
            return axis.length
        return self.of[axis.channels] if self.is_free(axis).any() else len(axis.channels)

    def size(self, removed: Removed) -> plain.Size:
        """Weights and operations of the recorded layers without the removed channels."""
        return self.channels.size(removed)

    @cached_property
    def fixed(self) -> tuple[Skip, ...]:
        """Layers that make channels which stay, some or all of them, and why; then closed layers."""
        skips = []
        for layer in self.graph.layers.values():
            for maker, axis in layer.makers:
                assert axis.channels is not None
                stays = self._fixed[axis.channels]
                numbers = stays[stays >= 0]
                if not len(numbers):
                    continue
                reason = self._reasons[int(numbers.min())]
                if len(numbers) < len(stays):
                    reason = say(
                        "{fixed} of its {all} channels stay. {reason}",
                        fixed=len(numbers),
                        all=len(stays),
                        reason=reason,
                    )
                skips.append(Skip(name=str(maker), reason=reason))
        return (*skips, *self.graph.closed)

    def touched(self, removed: Removed) -> tuple[Text, ...]:
        """The groups that lose channels, and how many are left."""
        return tuple(
            say(
                "{layers}: {before} channels became {after}.",
                layers=group.layers,
                before=len(group.units) * group.channels,
                after=int(np.count_nonzero(~removed[group.units])) * group.channels,
            )
            for group in self.groups
            if removed[group.units].any()
        )

    def table(self, removed: Removed) -> Table:
        """The groups, and how many channels of each are left."""
        return Table(
            title=say("Channels that are tied together"),
            columns=(say("Layers"), say("Before"), say("After"), say("Channels removed together")),
            rows=tuple(
                (
                    group.layers,
                    len(group.units) * group.channels,
                    int(np.count_nonzero(~removed[group.units])) * group.channels,
                    group.channels,
                )
                for group in self.groups
            ),
            note=say("Layers of one row lose the same channels, since their outputs meet."),
        )


def units_of(path: Path) -> Units:
    """The units of the model in a ``.keras`` file, read without Keras; kept while the file stays as it is.

    Raises:
        OSError, ValueError, KeyError, zipfile.BadZipFile: If the file cannot be read.
        workbench.api.errors.Refused: If its graph cannot.
    """
    return _units_of(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _units_of(path: Path, changed: int) -> Units:
    return Units(DependencyGraph(read_config(path)))
