"""Which layer of a file takes what another one gives."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.api.variant import Edge


@dataclass(frozen=True)
class Operation:
    """An operation of a file, by the tensors around it.

    Attributes:
        layer: Position of the layer that it is described as; None for one that is no layer of its own: what
            it takes then counts as taken by what follows it.
        takes: Its inputs; constants among them are given by nobody, and make no edge.
        gives: Its outputs.
    """

    layer: int | None
    takes: Sequence[Hashable]
    gives: Sequence[Hashable]


def edges_between(
    operations: Iterable[Operation],
    inputs: Sequence[Hashable],
    shape: Callable[[Any], tuple[int | None, ...]],
) -> tuple[Edge, ...]:
    """The edges of a model's graph, each once, in the order of execution.

    Args:
        operations: In the order of execution; one that runs several times comes several times.
        inputs: The tensors that the model takes, in their order.
        shape: Tells the shape of a tensor, without the batch axis.
    """
    givers: dict[Hashable, tuple[int, ...]] = {tensor: (-1 - at,) for at, tensor in enumerate(inputs)}
    found: dict[tuple[int, int], Edge] = {}
    for operation in operations:
        taken: dict[int, None] = {}
        for tensor in operation.takes:
            for giver in givers.get(tensor, ()):
                taken[giver] = None
                if operation.layer is not None:
                    edge = Edge(giver=giver, taker=operation.layer, shape=shape(tensor))
                    found.setdefault((giver, operation.layer), edge)
        own = tuple(taken) if operation.layer is None else (operation.layer,)
        givers |= dict.fromkeys(operation.gives, own)
    return tuple(found.values())
