"""What a rule is given: one call of one layer, and the channels of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from workbench.api.text import Text, say
from workbench.graph.calls import Call
from workbench.graph.channels import Axis, Channels
from workbench.graph.parts import Flow, LayerParts, Path, Setting, Weight

Rule = Callable[["Site", list[Flow]], list[Flow] | None]
"""Follows channels through one call. It returns None where it does not understand the call."""


@dataclass(frozen=True)
class Site:
    """One call of one layer.

    Attributes:
        call: The call.
        path: The layer's path.
        channels: The model's channels.
        layers: What is known of the layers so far.
        bound: Axes that earlier calls of the same layers saw.
        wide: How often the layer runs in this call, such as once for each time step.
        keys: Where the layer's configuration stands in that of the layer that holds it.
    """

    call: Call
    path: Path
    channels: Channels
    layers: dict[Path, LayerParts]
    bound: dict[tuple[Path, str], Axis]
    wide: int | None = 1
    keys: tuple[str | int, ...] = field(default=())

    @property
    def name(self) -> str:
        """The layer's name, after those of the models around it."""
        return "/".join(self.path)

    def fix(self, axes: Sequence[Axis], reason: Text) -> None:
        """Keeps the channels of some axes."""
        for axis in axes:
            self.channels.fix(axis, reason)

    def own(self, label: str, length: int) -> Axis:
        """An axis that this layer makes; the same in every call."""
        key = self.path, f"made {label}"
        if key not in self.bound:
            self.bound[key] = self.channels.new(length)
        return self.bound[key]

    def bind(self, label: str, axis: Axis) -> Axis:
        """An axis that meets the layer's weights: all calls have one kernel, so it is tied to theirs."""
        first = self.bound.setdefault((self.path, label), axis)
        return self.tied([first, axis])

    def tied(self, axes: Sequence[Axis]) -> Axis:
        """Axes that meet position by position; one of length 1 is repeated along the others.

        Returns:
            The axis of the result.
        """
        wide = [axis for axis in axes if axis.length != 1]
        if not wide:
            wide = list(axes)
        elif len(wide) < len(axes):
            # What is repeated along other channels stays whatever becomes of them.
            short = [axis for axis in axes if axis.length == 1]
            self.fix(short, say("{layer} repeats it along other channels.", layer=self.name))
        free = [axis for axis in wide if axis.channels is not None]
        if not free:
            return wide[0]
        first = free[0]
        assert first.channels is not None
        for axis in wide:
            if axis.channels is None or len(axis.channels) != len(first.channels):
                reason = axis.reason or say(
                    "In {layer} it meets a tensor whose shape is fixed.", layer=self.name
                )
                self.fix([first, axis], reason)
            elif axis is not first:
                self.channels.tie(first.channels, axis.channels)
        return first

    def listed(self, axis: Axis) -> Axis:
        """The axis with channels, which are fixed if it had none.

        Raises:
            ValueError: If its length is free.
        """
        if axis.channels is not None:
            return axis
        if axis.length is None:
            raise ValueError(axis)
        made = self.channels.new(axis.length)
        self.fix([made], axis.reason or say("{layer} joins it with fixed channels.", layer=self.name))
        return made

    def record(
        self,
        weights: Sequence[Weight] = (),
        settings: Sequence[Setting] = (),
        made: dict[str, Axis] | None = None,
        rescaled: Sequence[tuple[int, Axis]] = (),
    ) -> None:
        """Remembers the layer; further calls only add their operations."""
        known = self.layers.get(self.path)
        if known is not None:
            for old, new in zip(known.weights, weights, strict=True):
                counted = _product(new.positions, self.wide)
                old.positions = None if old.positions is None or counted is None else old.positions + counted
            return
        self.layers[self.path] = LayerParts(
            self.path,
            self.call.kind,
            [replace(weight, positions=_product(weight.positions, self.wide)) for weight in weights],
            [replace(setting, keys=(*self.keys, *setting.keys)) for setting in settings],
            made or {},
            list(rescaled),
        )


def positions(axes: Sequence[Axis]) -> int | None:
    """How many positions some axes span; None where a length is free."""
    return _product(*(axis.length for axis in axes))


def repeated(axis: Axis, times: int) -> Axis:
    """Each position so many times in a row."""
    length = None if axis.length is None else axis.length * times
    return Axis(length, None if axis.channels is None else np.repeat(axis.channels, times), axis.reason)


def tiled(axis: Axis, times: int) -> Axis:
    """The whole axis so many times."""
    length = None if axis.length is None else axis.length * times
    return Axis(length, None if axis.channels is None else np.tile(axis.channels, times), axis.reason)


def _product(*numbers: int | None) -> int | None:
    result = 1
    for number in numbers:
        if number is None:
            return None
        result *= number
    return result
