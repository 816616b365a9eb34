"""The groups and layers of one model as data of a script."""

from __future__ import annotations

import json

import numpy as np

from workbench.graph.channels import Ids
from workbench.techniques.structure.pruning.plan import PruningPlan


class PlanSource:
    """The groups and layers of a model as Python source, its units numbered group by group.

    Attributes:
        numbers: The script's number of each unit; -1 for one that stays.
        count: Units that can be removed.
        rescaled: Layers that divide by the root of a length that changes.

    Args:
        plan: The model's groups.
    """

    def __init__(self, plan: PruningPlan) -> None:
        self._plan = plan
        self.numbers = np.full(len(plan.units.of) + 1, -1, np.int64)
        self.count = 0
        for group in plan.groups:
            self.numbers[group.units] = np.arange(self.count, self.count + len(group.units))
            self.count += len(group.units)
        self._parts = [
            layer
            for layer in plan.units.graph.layers.values()
            if any(self._moves(a.channels) for w in layer.weights for a in w.axes)
            or any(self._moves(setting.axis.channels) for setting in layer.settings)
        ]
        self.rescaled = [layer for layer in self._parts if layer.rescaled]

    def _moves(self, channels: Ids | None) -> bool:
        return channels is not None and bool((self.numbers[self._plan.units.of[channels]] >= 0).any())

    def axis(self, channels: Ids | None, length: int | None) -> str:
        """An axis as an expression."""
        if channels is None or not self._moves(channels):
            return str(len(channels) if channels is not None else length or 1)
        return _expression(self.numbers[self._plan.units.of[channels]])

    def groups(self) -> str:
        """The lines of the groups."""
        lines, start = [], 0
        for name, group in zip(self._plan.names(), self._plan.groups, strict=True):
            lines.append(f"    {json.dumps(name)}: units({start}, {start + len(group.units)}),\n")
            start += len(group.units)
        return "".join(lines)

    def layers(self) -> str:
        """The lines of the weights."""
        lines = []
        for layer in self._parts:
            if layer.weights:
                rows = [
                    "[" + ", ".join(self.axis(axis.channels, axis.length) for axis in weight.axes) + "]"
                    for weight in layer.weights
                ]
                lines.append(f"    {json.dumps(layer.name)}: [{', '.join(rows)}],\n")
        return "".join(lines)

    def settings(self) -> str:
        """The lines of the settings."""
        lines = []
        for layer in self._parts:
            rows = []
            for setting in layer.settings:
                axis = self.axis(setting.axis.channels, setting.axis.length)
                if axis.isdigit():
                    if layer.kind != "MultiHeadAttention":
                        continue
                    # Its other lengths are stated too: one that is not given follows another.
                    axis = f"np.full({axis}, -1)"
                rows.append(f"({setting.keys!r}, {axis}, {setting.divide})")
            if rows:
                lines.append(f"    {json.dumps(layer.name)}: [{', '.join(rows)}],\n")
        return "".join(lines)

    def skip_closed(self) -> str:
        """Lines that leave layers alone that channels are not followed through."""
        closed = [skip.name for skip in self._plan.units.graph.closed]
        return f"        if name in {closed!r}:\n            continue\n" if closed else ""

    def rescaling(self) -> str:
        """Lines that make up for the root of the key width, by which attention divides."""
        lines = []
        for layer in self.rescaled:
            axis = self.axis(layer.rescaled[0][1].channels, None)
            if axis.isdigit():
                continue
            numbers = [number for number, _ in layer.rescaled]
            lines.append(
                f"        if name == {json.dumps(layer.name)}:\n"
                "            # It divides by the root of the width of its keys.\n"
                f"            keys = {axis}\n"
                "            ratio = len(staying(keys, gone)) / len(staying(keys, before))\n"
                f"            for number in {numbers}:\n"
                "                weights[number] = weights[number] * math.sqrt(ratio)\n"
            )
        return "".join(lines)


def _expression(numbers: Ids) -> str:
    """Unit numbers as a short NumPy expression."""
    count = len(numbers)
    for period in range(1, count // 2 + 1):
        if count % period == 0 and np.array_equal(numbers[period:], numbers[:-period]):
            if period == 1 and numbers[0] == -1:
                return f"np.full({count}, -1)"
            return f"np.tile({_expression(numbers[:period])}, {count // period})"
    changes = np.flatnonzero(np.diff(numbers)) + 1
    lengths = np.diff(np.concatenate([[0], changes, [count]]))
    each = int(np.gcd.reduce(lengths))
    if each > 1 and (numbers >= 0).all():
        return f"np.repeat({_expression(numbers[::each])}, {each})"
    pieces = []
    breaks = np.flatnonzero((np.diff(numbers) != 1) & ~((numbers[1:] == -1) & (numbers[:-1] == -1))) + 1
    for piece in np.split(numbers, breaks):
        if piece[0] == -1:
            # Fixed positions that unit 0 follows look like one run.
            fixed = int((piece == -1).sum())
            pieces.append(f"np.full({fixed}, -1)")
            piece = piece[fixed:]
        if len(piece):
            pieces.append(f"units({piece[0]}, {piece[-1] + 1})")
    return pieces[0] if len(pieces) == 1 else f"np.concatenate([{', '.join(pieces)}])"
