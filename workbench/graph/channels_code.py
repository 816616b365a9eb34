"""The channels of one model, as they are given to what removes them, written out in a script."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Collection, Sequence

import numpy as np

from workbench.plain.keras.channels import Axis, Group, Layer, ModelChannels, Numbers, Read, Weight

_WIDTH = 110


def channels_names(channels: ModelChannels, *, reads: bool = False) -> list[str]:
    """What the statements of :class:`ChannelsCode` use."""
    settings = any(layer.settings for layer in channels.layers.values() if layer.axes())
    return ["Group", "Layer", "ModelChannels", *["Read"] * reads, *["Setting"] * settings, "Weight", "units"]


class ChannelsCode:
    """Writes channels; layers along which nothing can go are left out.

    Args:
        channels: The channels.
        roles: Weights that units are judged by; of others it is not written which units they make.
        searched: Whether the script searches for how many stay; else what only that needs is left out.
        taken: Names that mean something else in the script.
        reads: Whether the script looks at what layers read.
    """

    def __init__(
        self,
        channels: ModelChannels,
        *,
        roles: Collection[str] = (),
        searched: bool = False,
        taken: Collection[str],
        reads: bool = False,
    ) -> None:
        self._channels, self._roles, self._searched, self._reads = channels, roles, searched, reads
        self._names: dict[tuple[int, int], str] = {}
        used = {*taken, *channels_names(channels, reads=True), "channels", "np", *keyword.kwlist}
        for group in channels.groups:
            first, last = int(group.units[0]), int(group.units[-1]) + 1
            if len(group.units) == last - first:
                self._names[first, last] = name = _free(group.name, used)
                used.add(name)

    def __str__(self) -> str:
        channels = self._channels
        named = "".join(f"{name} = units({a}, {b})\n" for (a, b), name in self._names.items())
        groups = _list([self._group(group) for group in channels.groups], "    ", "groups=")
        layers = "".join(self._layer(name, layer) for name, layer in channels.layers.items() if layer.axes())
        closed = f"    closed={json.dumps(list(channels.closed))},\n" if channels.closed else ""
        return f"{named}channels = ModelChannels(\n    {groups},\n    layers={{\n{layers}    }},\n{closed})\n"

    def _group(self, group: Group) -> str:
        text = f"Group({json.dumps(group.name)}, {self._numbers(group.units)}"
        if self._searched:
            text += f", channels={group.channels}" if group.channels != 1 else ""
            text += f", multiple={group.multiple}, fewest={group.fewest}"
        elif self._reads and group.multiple != 1:
            text += f", multiple={group.multiple}"
        return f"{text})"

    def _layer(self, layer_name: str, layer: Layer) -> str:
        arguments = [("", [self._weight(weight) for weight in layer.weights])]
        settings = [
            f"Setting({json.dumps(list(setting.keys))}, {self._axis(setting.axis)}"
            + (f", {setting.divide})" if setting.divide != 1 else ")")
            for setting in layer.settings
        ]
        rescaled = [f"({number}, {self._axis(axis)})" for number, axis in layer.rescaled]
        reads = [self._read(read) for read in layer.reads] if self._reads else []
        if settings or rescaled:
            arguments.append(("", settings))
        if rescaled:
            arguments.append(("", rescaled))
        if reads:
            arguments.append(("reads=", reads))
        short = ", ".join(name + _line(items) for name, items in arguments)
        start = f"        {json.dumps(layer_name)}: Layer("
        line = f"{start}{short}),\n"
        if len(line) <= _WIDTH:
            return line
        inside = f"            {short}\n"
        if len(inside) > _WIDTH:
            inside = "".join(f"            {_list(items, ' ' * 12, name)},\n" for name, items in arguments)
        return f"{start}\n{inside}        ),\n"

    def _weight(self, weight: Weight) -> str:
        text = _line([self._axis(axis) for axis in weight.axes])
        if weight.role in self._roles:
            text += f", {json.dumps(weight.role)}"
            text += f", {list(weight.makes)}" if weight.makes else ""
        if self._searched and weight.positions != 0:
            text += f", positions={weight.positions}"
        return f"Weight({text})"

    def _read(self, read: Read) -> str:
        return f"Read({json.dumps(read.argument)}, {read.axis}, {self._numbers(read.units)})"

    def _axis(self, axis: Axis) -> str:
        return self._numbers(axis) if isinstance(axis, np.ndarray) else str(axis)

    def _numbers(self, numbers: Numbers) -> str:
        """Numbers of units as a short NumPy expression."""
        count = len(numbers)
        for period in range(1, count // 2 + 1):
            if count % period == 0 and np.array_equal(numbers[period:], numbers[:-period]):
                return f"np.tile({self._numbers(numbers[:period])}, {count // period})"
        changes = np.flatnonzero(np.diff(numbers)) + 1
        each = int(np.gcd.reduce(np.diff(np.concatenate([[0], changes, [count]]))))
        if each > 1:
            return f"np.repeat({self._numbers(numbers[::each])}, {each})"
        runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
        pieces = [self._run(int(run[0]), int(run[-1]) + 1) for run in runs]
        return pieces[0] if len(pieces) == 1 else f"np.concatenate({_line(pieces)})"

    def _run(self, first: int, last: int) -> str:
        return self._names.get((first, last), f"units({first}, {last})")


def _free(name: str, used: Collection[str]) -> str:
    """A variable for what is called so."""
    base = re.sub(r"\W+", "_", name).strip("_") or "group"
    base = f"n{base}" if base[0].isdigit() else base
    number, found = 1, base
    while found in used:
        number += 1
        found = f"{base}_{number}"
    return found


def _line(items: Sequence[str]) -> str:
    if len(items) > 2 and len(set(items)) == 1 and items[0].startswith("Weight"):
        return f"[{items[0]}] * {len(items)}"
    return f"[{', '.join(items)}]"


def _list(items: Sequence[str], indent: str, start: str = "") -> str:
    if len(indent + start + _line(items)) < _WIDTH:
        return start + _line(items)
    return f"{start}[\n" + "".join(f"{indent}    {item},\n" for item in items) + f"{indent}]"
