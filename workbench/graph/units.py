"""Units of a model that can be removed, in groups, and what is left when they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from workbench.api.text import Text, say
from workbench.api.variant import Skip, Table
from workbench.graph.channels import Axis, Ids
from workbench.graph.dependencies import DependencyGraph
from workbench.plain.keras import channels as plain

Removed = npt.NDArray[np.bool_]
"""For every channel of the model whether it is removed. All channels of a unit agree."""


@dataclass(frozen=True)
class Group:
    """Units that pass through the same layers, so that each costs the same and any can stand for another.

    Attributes:
        name: The first layer that makes them.
        members: Every layer that makes them, in order of execution; parts of a layer after a colon.
        units: The units.
        channels: Channels that each unit is in the first of those layers.
        rounded: Whether runtimes like their number to be a multiple of 8: not so for attention heads.
    """

    name: str
    members: tuple[str, ...]
    units: Ids
    channels: int
    rounded: bool


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
        makers: dict[int, list[str]] = {}
        widths: dict[str, dict[int, int]] = {}
        for layer in self.graph.layers.values():
            for label, axis in layer.made.items():
                assert axis.channels is not None
                name = f"{layer.name}: {label}" if label else layer.name
                units, counts = np.unique(self.of[axis.channels[self.is_free(axis)]], return_counts=True)
                widths[name] = dict(zip(units.tolist(), counts.tolist(), strict=True))
                for unit in units.tolist():
                    makers.setdefault(unit, []).append(name)
        together: dict[tuple[str, ...], list[int]] = {}
        for unit, names in makers.items():
            together.setdefault(tuple(names), []).append(unit)
        groups = []
        for members, some in together.items():
            # Units that stand for different numbers of channels do not cost the same.
            first = widths[members[0]]
            for channels in sorted({first[unit] for unit in some}):
                alike = sorted(unit for unit in some if first[unit] == channels)
                groups.append(
                    Group(
                        name=members[0],
                        members=members,
                        units=np.array(alike, np.int64),
                        channels=channels,
                        rounded=not any(member.endswith(": heads") for member in members),
                    )
                )
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
                )
                for layer in self.graph.layers.values()
            },
            closed=[skip.name for skip in self.graph.closed],
        )

    def _along(self, axis: Axis) -> plain.Axis:
        if axis.channels is None:
            return axis.length
        return self.of[axis.channels] if self.is_free(axis).any() else len(axis.channels)

    def size(self, removed: Removed) -> plain.Size:
        """Weights and operations of the recorded layers without the removed channels."""
        return self.channels.size(removed)

    def fixed_layers(self) -> tuple[Skip, ...]:
        """Layers that make channels of which none, or only some, can be removed, and why."""
        skips = []
        for layer in self.graph.layers.values():
            for label, axis in layer.made.items():
                assert axis.channels is not None
                stays = self._fixed[axis.channels]
                numbers = stays[stays >= 0]
                if not len(numbers):
                    continue
                name = f"{layer.name}: {label}" if label else layer.name
                reason = self._reasons[int(numbers.min())]
                if len(numbers) < len(stays):
                    reason = say(
                        "{fixed} of its {all} channels stay. {reason}",
                        fixed=len(numbers),
                        all=len(stays),
                        reason=reason,
                    )
                skips.append(Skip(name=name, reason=reason))
        return tuple(skips)

    def table(self, removed: Removed) -> Table:
        """The groups, and how many channels of each are left."""
        return Table(
            title=say("Channels that are tied together"),
            columns=(say("Layers"), say("Before"), say("After"), say("Channels removed together")),
            rows=tuple(
                (
                    _members(group),
                    len(group.units) * group.channels,
                    int(np.count_nonzero(~removed[group.units])) * group.channels,
                    group.channels,
                )
                for group in self.groups
            ),
            note=say("Layers of one row lose the same channels, since their outputs meet."),
        )


def _members(group: Group) -> Text:
    if len(group.members) <= 3:
        return say("{names}", names=group.members)
    return say(
        "{first}, {second} and {count} more",
        first=group.members[0],
        second=group.members[1],
        count=len(group.members) - 2,
    )
