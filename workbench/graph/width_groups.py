"""Groups of widths that stay equal: union-find over the last axes of a model's tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.api.text import Text, say


@dataclass(frozen=True)
class Width:
    """The last axis of a tensor: groups one after the other, or (not exact) something made of them."""

    groups: tuple[int, ...]
    exact: bool = True


@dataclass
class Group:
    """Widths that are equal for good.

    Attributes:
        width: Their length; None where only known to be fixed.
        multiple: What a new length must be a multiple of.
        reason: Why it cannot change; None if it can.
        tie: The first layer that joined two widths into this group.
    """

    width: int | None = None
    multiple: int = 1
    reason: Text | None = None
    tie: str | None = None


class WidthGroups:
    """The groups of one model; widths refer to them by number."""

    def __init__(self) -> None:
        self._groups: list[Group] = []
        self._parents: list[int] = []

    def new(self, width: int | None = None, reason: Text | None = None) -> int:
        """Makes a group and returns its number."""
        self._groups.append(Group(width, reason=reason))
        self._parents.append(len(self._parents))
        return len(self._parents) - 1

    def of(self, group: int) -> Group:
        """The group that this number means now."""
        return self._groups[self._root(group)]

    def fix(self, width: Width, reason: Text) -> None:
        """Keeps a width as it is; the first reason stays."""
        for group in width.groups:
            if self.of(group).reason is None:
                self.of(group).reason = reason

    def fixed(self, reason: Text) -> Width:
        """A new width that cannot change."""
        return Width((self.new(reason=reason),))

    def tie(self, widths: list[Width], layer: str) -> Width:
        """Makes widths equal for good, because ``layer`` joins them; returns the common one."""
        first = widths[0]
        if not all(self._alike(first, width) for width in widths):
            for width in widths:
                self.fix(width, say("{layer} joins widths that are made up differently.", layer=layer))
            return first
        for width in widths[1:]:
            for one, other in zip(first.groups, width.groups, strict=True):
                self._join(one, other, layer)
        return first

    def divisible(self, width: Width, by: int, layer: str) -> None:
        """Keeps a width a multiple of ``by``, because ``layer`` divides it into so many parts."""
        if width.exact and len(width.groups) == 1:
            group = self.of(width.groups[0])
            group.multiple = math.lcm(group.multiple, by)
        else:
            self.fix(width, say("{layer} divides it into {count} groups.", layer=layer, count=by))

    def _alike(self, one: Width, other: Width) -> bool:
        if not (one.exact and other.exact and len(one.groups) == len(other.groups)):
            return False
        pairs = [(self.of(a).width, self.of(b).width) for a, b in zip(one.groups, other.groups, strict=True)]
        # An unknown length is a fixed one: alone it equals the other, among several it need not.
        return all(a == b or (len(pairs) == 1 and None in (a, b)) for a, b in pairs)

    def _root(self, group: int) -> int:
        while self._parents[group] != group:
            group = self._parents[group] = self._parents[self._parents[group]]
        return group

    def _join(self, one: int, other: int, layer: str) -> None:
        one, other = self._root(one), self._root(other)
        if one == other:
            return
        a, b = self._groups[one], self._groups[other]
        self._parents[other] = one
        a.width = a.width if a.width is not None else b.width
        a.multiple = math.lcm(a.multiple, b.multiple)
        a.reason = a.reason or b.reason
        a.tie = a.tie or b.tie or layer
