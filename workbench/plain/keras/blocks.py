"""Leaves out blocks of a Keras model: those without which it predicts nearly as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .validation import ValidationScore

if TYPE_CHECKING:
    import keras

Importance = Literal["loss", "F1"]


@dataclass(frozen=True)
class Block:
    """Something that can be left out.

    Attributes:
        name: The addition that ends a residual block, or the layer; with the names of the models around it.
        residual: Whether it is the branch of a residual connection.
        path: Names of the models around it, from the outside in.
        layers: Names of the layers that go.
        shortcut: Which input the addition hands on; None for a layer of a chain.
    """

    name: str
    residual: bool
    path: tuple[str, ...]
    layers: tuple[str, ...]
    shortcut: int | None = None

    @property
    def bypass(self) -> dict[tuple[str, ...], int]:
        """Path of the addition, with the input that it hands on."""
        if self.shortcut is None:
            return {}
        return {(*self.path, self.name.rpartition("/")[2]): self.shortcut}

    @property
    def left_out(self) -> set[tuple[str, ...]]:
        """Paths of layers of a chain that are left out."""
        return set() if self.residual else {(*self.path, layer) for layer in self.layers}

    def overlaps(self, other: Block) -> bool:
        """Whether both cannot be left out together."""
        return self.path == other.path and bool(set(self.layers) & set(other.layers))


def without(model: keras.Model, blocks: Sequence[Block]) -> keras.Model:
    """The model without some blocks; it is not changed itself."""
    from .rebuild import rebuild

    left_out = {path for block in blocks for path in block.left_out}
    bypass = {path: number for block in blocks for path, number in block.bypass.items()}
    return rebuild(model, lambda path, layer: [] if path in left_out else None, bypass=bypass).model


@dataclass(frozen=True)
class BlockLoss:
    """What a model loses without one block more.

    Attributes:
        block: The block.
        number: How many rounds came before.
        loss: By how much the loss rises.
        change: Of the score, above 0 where it is better without the block.
    """

    block: Block
    number: int
    loss: float
    change: float


def least_important(
    model: keras.Model,
    blocks: Sequence[Block],
    count: int,
    validate: Callable[[keras.Model], ValidationScore],
    *,
    by: Importance = "loss",
    again: bool = False,
    tried: Callable[[BlockLoss, float], None] = lambda bypassed, done: None,
) -> list[Block]:
    """The blocks that a model needs least; fewer than asked for where the others lie inside them.

    Each is bypassed alone, without training.

    Args:
        model: A Sequential or functional model.
        blocks: What can be left out.
        count: How many are.
        validate: Judges a model on the validation split.
        by: What decides: the loss tells small differences apart.
        again: Whether the others are measured again after each one that goes.
        tried: Told of each trial, with the share of all that are done.
    """
    whole = validate(model)
    chosen: list[Block] = []
    rounds = [1] * count if again else [count]
    for number, wanted in enumerate(rounds):
        measured = []
        left = _beside(blocks, chosen)
        for done, block in enumerate(left, 1):
            found = validate(without(model, [*chosen, block]))
            measured.append(BlockLoss(block, number, found.loss - whole.loss, found.gain(whole)))
            tried(measured[-1], (number + done / len(left)) / len(rounds))
        measured.sort(key=lambda one: one.loss if by == "loss" else -one.change)
        for _ in range(wanted):
            chosen += _beside([one.block for one in measured], chosen)[:1]
    return chosen


def _beside(blocks: Sequence[Block], chosen: Sequence[Block]) -> list[Block]:
    """Those that can still be left out."""
    return [block for block in blocks if not any(block.overlaps(other) for other in chosen)]
