"""How many units of each group channel pruning keeps, so that a target is met; decided without Keras."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.api.errors import Refused
from workbench.api.text import Text, say
from workbench.api.variant import Skip, Variant
from workbench.graph.calls import read_config
from workbench.graph.channels import Ids
from workbench.graph.dependencies import DependencyGraph
from workbench.graph.units import Group, Removed, Units

Target = Literal["channels", "parameters", "bytes", "macs", "latency"]
Counts = tuple[int, ...]
"""Units kept of each group."""
Wanted = Callable[[float], npt.NDArray[np.float64]]
"""Units to keep of each group, before rounding, at a level: 0 keeps all, 1 as few as allowed."""
Scores = npt.NDArray[np.float64]
"""Importance of each unit, by its number."""

SEARCH_HALVINGS = 24


@dataclass(frozen=True)
class Remains:
    """What is left of the model, as parts of the parent.

    Attributes:
        channels: Channels that can be removed.
        parameters: Weights.
        bytes: Bytes of the ``.keras`` file.
        macs: Multiply-accumulates; None where a length is free.
    """

    channels: float
    parameters: float
    bytes: float
    macs: float | None


class PruningPlan:
    """The groups of a model, the limits of each, and what keeping so many units costs.

    Args:
        units: The model's units.
        parameters: Its weights in all, those of layers that are not followed included.
        file_bytes: Size of its ``.keras`` file.
        weight_bytes: Bytes of its weights in that file.
        round_to: Widths become multiples of it. In a group narrower than two multiples it is halved until
            there are two.
        least: Part of each group that stays at least.
    """

    def __init__(
        self,
        units: Units,
        *,
        parameters: int,
        file_bytes: int,
        weight_bytes: int,
        round_to: int,
        least: float,
    ) -> None:
        self.units = units
        self.groups: list[Group] = units.groups
        self._multiples = [_multiple(group, round_to) for group in self.groups]
        self._lowest = [
            min(len(group.units), max(1, math.ceil(len(group.units) * least / multiple)) * multiple)
            for group, multiple in zip(self.groups, self._multiples, strict=True)
        ]
        self._size = units.size(units.nothing())
        self._parameters = max(parameters, self._size.parameters)
        self._file_bytes = max(file_bytes, 1)
        self._bytes_each = weight_bytes / max(parameters, 1)

    @property
    def all(self) -> Counts:
        """Every unit kept."""
        return tuple(len(group.units) for group in self.groups)

    @property
    def fewest(self) -> Counts:
        """As few as allowed."""
        return tuple(self._lowest)

    def remains(self, counts: Counts) -> Remains:
        """What is left of the model when so many units of each group are kept."""
        size = self.units.size(self.removed(counts))
        gone = self._size.parameters - size.parameters
        wide = sum(len(group.units) * group.channels for group in self.groups)
        kept = sum(count * group.channels for count, group in zip(counts, self.groups, strict=True))
        return Remains(
            channels=kept / wide if wide else 1.0,
            parameters=1 - gone / self._parameters if self._parameters else 1.0,
            bytes=max(0.0, 1 - gone * self._bytes_each / self._file_bytes),
            macs=None
            if size.macs is None or not self._size.macs
            else 1 - (self._size.macs - size.macs) / self._size.macs,
        )

    def part(self, counts: Counts, target: Target) -> float:
        """What is left of the target; of operations where the target is latency, which is measured.

        Raises:
            workbench.api.errors.Refused: If operations cannot be counted.
        """
        remains = self.remains(counts)
        if target == "latency":
            return remains.parameters if remains.macs is None else remains.macs
        left: float | None = getattr(remains, target)
        if left is None:
            raise Refused(
                say("The model's operations cannot be counted: an axis of its input has no fixed length."),
                say("Choose another target, such as the number of weights."),
            )
        return left

    def removed(self, counts: Counts, scores: Scores | None = None, before: Removed | None = None) -> Removed:
        """The channels to remove: the units of lowest score, or of lowest number without scores."""
        gone: list[Ids] = [np.empty(0, np.int64)]
        for group, count in zip(self.groups, counts, strict=True):
            units = group.units
            if before is not None:
                gone.append(units[before[units]])
                units = units[~before[units]]
            order = units if scores is None else units[np.argsort(scores[units], kind="stable")]
            gone.append(order[: len(units) - count])
        return self.units.removing(np.concatenate(gone))

    def evenly(self, level: float) -> npt.NDArray[np.float64]:
        """The same part of every group."""
        return np.array(self.all) * (1 - level)

    def ranked(self, scores: Scores, before: Removed | None = None) -> Wanted:
        """The units of highest score over all groups."""
        free = [group.units if before is None else group.units[~before[group.units]] for group in self.groups]
        group_of = np.repeat(np.arange(len(free)), [len(units) for units in free])
        order = np.argsort(scores[np.concatenate([np.empty(0, np.int64), *free])], kind="stable")
        group_of = group_of[order]

        def wanted(level: float) -> npt.NDArray[np.float64]:
            kept = group_of[round(level * len(group_of)) :]
            return np.bincount(kept, minlength=len(free)).astype(np.float64)

        return wanted

    def rounded(self, wanted: npt.NDArray[np.float64], most: Counts) -> Counts:
        """Allowed numbers of units near those that are wanted."""
        return tuple(
            min(have, max(lowest, math.floor(want / multiple + 0.5) * multiple))
            for want, multiple, lowest, have in zip(wanted, self._multiples, self._lowest, most, strict=True)
        )

    def meeting(self, target: Target, part: float, wanted: Wanted, most: Counts) -> Counts:
        """The numbers of units at which just ``part`` of the target is left, or a little less.

        Args:
            target: What is counted.
            part: How much of the parent's may be left.
            wanted: How many units to keep at a level.
            most: Units that are there now.

        Raises:
            workbench.api.errors.Refused: If so little cannot be reached.
        """
        if (reason := self.too_far(target, part)) is not None:
            raise Refused(reason)
        low, high, above = 0.0, 1.0, most
        counts = self.rounded(wanted(1.0), most)
        for _ in range(SEARCH_HALVINGS):
            level = (low + high) / 2
            tried = self.rounded(wanted(level), most)
            if self.part(tried, target) <= part:
                high, counts = level, tried
            else:
                low, above = level, tried
        # Rounding makes groups of one width jump together: take back what was not needed.
        for at in range(len(counts)):
            tried = (*counts[:at], above[at], *counts[at + 1 :])
            if above[at] > counts[at] and self.part(tried, target) <= part:
                counts = tried
        return counts

    def too_far(self, target: Target, part: float) -> Text | None:
        """Why a target cannot be reached, or None. Latency is known only when it was measured."""
        if not self.groups:
            return say(
                "No channel of this model can be removed. {reasons}",
                reasons=" ".join(f"{skip.name}: {skip.reason}" for skip in self._fixed()[:5]),
            )
        reachable = self.part(self.fewest, target)
        if target == "latency" or reachable <= part:
            return None
        return say(
            "At most {reachable}× less is possible, and {wanted}× was asked for: every group of channels "
            "keeps some, and what is fixed stays: {fixed}.",
            reachable=f"{1 / reachable:.1f}",
            wanted=f"{1 / part:.1f}",
            fixed=", ".join(skip.name for skip in self._fixed()[:5]) or "-",
        )

    @property
    def multiples(self) -> tuple[int, ...]:
        """What the number of units of each group is a multiple of."""
        return tuple(self._multiples)

    def whole(self, target: Target) -> tuple[float, float]:
        """The target of the whole parent, and how much of it each weight counts (of operations: 1)."""
        if target == "bytes":
            return self._file_bytes, self._bytes_each
        if target == "macs" or (target == "latency" and self._size.macs):
            return float(self._size.macs or 1), 1.0
        return self._parameters, 1.0

    def named(self, counts: Counts) -> Mapping[str, int]:
        """Units kept by the name of the group; groups that share a name are numbered."""
        return dict(zip(self.names(), counts, strict=True))

    def names(self) -> list[str]:
        """A name for each group."""
        seen: dict[str, int] = {}
        names = []
        for group in self.groups:
            seen[group.name] = number = seen.get(group.name, 0) + 1
            names.append(group.name if number == 1 else f"{group.name} ({number})")
        return names

    def _fixed(self) -> list[Skip]:
        return [*self.units.fixed_layers(), *self.units.graph.closed]


def plan_of(variant: Variant, round_to: int, least: float) -> PruningPlan:
    """The plan of a variant, from its file's configuration.

    Raises:
        OSError, ValueError, KeyError, zipfile.BadZipFile: If the file cannot be read.
        workbench.api.errors.Refused: If its graph cannot.
    """
    status = variant.path.stat()
    units = _units(variant.path, status.st_mtime_ns)
    return PruningPlan(
        units,
        parameters=variant.description.parameters,
        file_bytes=status.st_size,
        weight_bytes=sum(layer.size_bytes for layer in variant.description.layers),
        round_to=round_to,
        least=least,
    )


@lru_cache(maxsize=4)
def _units(path: Path, changed: int) -> Units:
    return Units(DependencyGraph(read_config(path)))


def _multiple(group: Group, round_to: int) -> int:
    if not group.rounded:
        return 1
    multiple = round_to // math.gcd(round_to, group.channels)
    while multiple > 1 and 2 * multiple > len(group.units):
        multiple //= 2
    return multiple
