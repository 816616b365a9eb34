"""How many units of each group channel pruning keeps, so that a target is met; decided without Keras."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.api.errors import Refused
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.graph.units import Group, Removed, Units, units_of
from workbench.plain.keras.channel_search import Counts, Wanted, evenly, ranked, search
from workbench.plain.keras.channels import Scores

Target = Literal["channels", "parameters", "bytes", "macs", "latency"]


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
        multiples = [group.multiple(round_to) for group in self.groups]
        self.channels = replace(
            units.channels,
            groups=[
                replace(plain, multiple=multiple, fewest=_fewest(group, multiple, least))
                for plain, group, multiple in zip(units.channels.groups, self.groups, multiples, strict=True)
            ],
        )
        self._size = units.size(units.nothing())
        self._parameters = max(parameters, self._size.parameters)
        self._file_bytes = max(file_bytes, 1)
        self._bytes_each = weight_bytes / max(parameters, 1)

    @property
    def all(self) -> Counts:
        """Every unit kept."""
        return self.channels.whole

    @property
    def fewest(self) -> Counts:
        """As few as allowed."""
        return tuple(group.fewest for group in self.channels.groups)

    def remains(self, counts: Counts) -> Remains:
        """What is left of the model when so many units of each group are kept."""
        gone = self.channels.saved(counts)
        return Remains(
            channels=self.channels.part_of_channels(counts),
            parameters=1 - gone.parameters / self._parameters if self._parameters else 1.0,
            bytes=max(0.0, 1 - gone.parameters * self._bytes_each / self._file_bytes),
            macs=None if gone.macs is None or not self._size.macs else 1 - gone.macs / self._size.macs,
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
        return self.units.removing(np.flatnonzero(self.channels.removing(counts, scores, before)))

    @property
    def evenly(self) -> Wanted:
        """The same part of every group."""
        return evenly(self.channels.groups)

    def ranked(self, scores: Scores, before: Removed | None = None) -> Wanted:
        """The units of highest score over all groups."""
        return ranked(self.channels.groups, scores, before)

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
        if (reason := self.obstacle(target, part)) is not None:
            raise Refused(reason)
        return search(self.channels.groups, lambda counts: self.part(counts, target), part, wanted, most)

    def obstacle(self, target: Target, part: float) -> Text | None:
        """Why a target cannot be reached, or None. Latency is known only when it was measured."""
        if (reason := self.units.obstacle()) is not None:
            return reason
        reachable = self.part(self.fewest, target)
        if target == "latency" or reachable <= part:
            return None
        return say(
            "At most {reachable}× less is possible, and {wanted}× was asked for: every group of channels "
            "keeps some, and what is fixed stays: {fixed}.",
            reachable=f"{1 / reachable:.1f}",
            wanted=f"{1 / part:.1f}",
            fixed=", ".join(skip.name for skip in self.units.fixed[:5]) or "-",
        )

    def whole(self, target: Target) -> tuple[float, float]:
        """The target of the whole parent, and how much of it each weight counts (of operations: 1)."""
        if target == "bytes":
            return self._file_bytes, self._bytes_each
        if target == "macs" or (target == "latency" and self._size.macs):
            return self._size.macs or 1, 1
        return self._parameters, 1


def plan_of(variant: Variant, round_to: int, least: float) -> PruningPlan:
    """The plan of a variant, from its file's configuration.

    Raises:
        OSError, ValueError, KeyError, zipfile.BadZipFile: If the file cannot be read.
        workbench.api.errors.Refused: If its graph cannot.
    """
    status = variant.path.stat()
    return PruningPlan(
        units_of(variant.path),
        parameters=variant.description.parameters,
        file_bytes=status.st_size,
        weight_bytes=sum(layer.size_bytes for layer in variant.description.layers),
        round_to=round_to,
        least=least,
    )


def _fewest(group: Group, multiple: int, least: float) -> int:
    return min(len(group.units), max(1, math.ceil(len(group.units) * least / multiple)) * multiple)
