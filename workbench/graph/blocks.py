"""Blocks of a Keras model that can be left out, found on its configuration without Keras.

A block is left out where what goes in could take the place of what comes out: the branch of a residual
connection, or a layer of a chain that gives what it takes in shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workbench.api.text import Text, say
from workbench.api.variant import Skip
from workbench.graph.calls import Call, Lengths, Tensor, calls, outputs
from workbench.plain.keras.blocks import Block

_WEIGHTED = frozenset({"Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "LSTM", "GRU", "SimpleRNN"})
_FOLLOWING = frozenset(
    {"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Dropout", "SpatialDropout1D", "SpatialDropout2D"}
    | {"BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "Relu", "Gelu"}
    | {"Silu", "GaussianNoise", "GaussianDropout", "Identity"}
)
"""Layers that go with the weighted layer before them."""


@dataclass(frozen=True)
class Blocks:
    """All that was found: what can be left out, and what cannot with the reason."""

    found: tuple[Block, ...]
    skipped: tuple[Skip, ...]


def find_blocks(config: dict[str, Any]) -> Blocks:
    """Finds the blocks of a Sequential or functional model, models inside it included.

    Args:
        config: Its ``get_config()``.
    """
    found: list[Block] = []
    skipped: list[Skip] = []
    for path, inner in _models(config, ()):
        graph = _Graph(inner, path)
        residual, reasons = graph.residual()
        found += residual
        skipped += reasons
        taken = {layer for block in residual for layer in block.layers}
        found += graph.chained(taken)
    return Blocks(tuple(found), tuple(skipped))


def _models(
    config: dict[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if "layers" not in config:
        return
    yield path, config
    for layer in config["layers"]:
        if "layers" in layer.get("config", {}):
            yield from _models(layer["config"], (*path, layer["config"]["name"]))


class _Graph:
    def __init__(self, config: dict[str, Any], path: tuple[str, ...]) -> None:
        self._path = path
        self._calls = list(calls(config))
        self._makers = {(call.name, call.number): call for call in self._calls}
        self._outputs = set(outputs(config))
        self._users: dict[Tensor, list[Call]] = {}
        self._shapes: dict[Tensor, Lengths] = {}
        for call in self._calls:
            for tensor, shape in zip(call.inputs, call.shapes or ((),) * len(call.inputs), strict=False):
                self._users.setdefault(tensor, []).append(call)
                self._shapes[tensor] = shape

    def residual(self) -> tuple[list[Block], list[Skip]]:
        found, skipped = [], []
        for call in self._calls:
            if call.kind != "Add" or len(call.inputs) < 2:
                continue
            blocks = [self._branch(call, number) for number in range(len(call.inputs))]
            block = next((block for block in blocks if block is not None), None)
            if block is not None:
                found.append(block)
            else:
                skipped.append(Skip(name=self._shown(call.name), reason=self._why_not(call)))
        return found, skipped

    @staticmethod
    def _why_not(call: Call) -> Text:
        if call.calls > 1:
            return say("It is used several times.")
        if len(set(call.shapes)) > 1:
            return say("It adds tensors of different shapes.")
        return say(
            "None of its inputs is a plain shortcut around the others, or they are used elsewhere too."
        )

    def _branch(self, add: Call, number: int) -> Block | None:
        """The block that an addition ends, with one of its inputs as the shortcut."""
        if add.calls > 1 or len(set(add.shapes)) > 1 or not add.shapes[0]:
            return None
        shortcut = add.inputs[number]
        others = [tensor for at, tensor in enumerate(add.inputs) if at != number]
        if shortcut in others:
            return None
        inside: dict[tuple[str, int], Call] = {}
        pending = list(others)
        while pending:
            tensor = pending.pop()
            if tensor == shortcut:
                continue
            call = self._makers.get(tensor[:2])
            if call is None or not call.inputs:
                return None  # it comes from an input: the shortcut does not lead around it
            if tensor[:2] not in inside:
                inside[tensor[:2]] = call
                pending += call.inputs
        for tensor in self._made_by(inside):
            users = self._users.get(tensor, [])
            if tensor in self._outputs or any(
                user is not add and (user.name, user.number) not in inside for user in users
            ):
                return None
        own = {
            call.name
            for call in inside.values()
            if all((call.name, number) in inside for number in range(call.calls))
        }
        if not own:
            return None
        order = [call.name for call in self._calls if call.name in own]
        return Block(self._shown(add.name), True, self._path, tuple(dict.fromkeys(order)), number)

    def _made_by(self, inside: dict[tuple[str, int], Call]) -> Iterator[Tensor]:
        for tensor in {*self._users, *self._outputs}:
            if tensor[:2] in inside:
                yield tensor

    def chained(self, taken: set[str]) -> list[Block]:
        """Layers of a chain that give the shape that they take."""
        found = []
        for call in self._calls:
            if call.kind not in _WEIGHTED or call.name in taken or not self._alone(call):
                continue
            shape, unit = self._shape(call.inputs[0]), [call]
            tensor: Tensor = (call.name, 0, 0)
            if not shape or tensor in self._outputs or self._shape(tensor) != shape:
                continue
            while len(users := self._users.get(tensor, [])) == 1:
                user = users[0]
                after: Tensor = (user.name, 0, 0)
                fits = user.kind in _FOLLOWING and self._alone(user)
                if not fits or after in self._outputs or user.name in taken:
                    break
                unit.append(user)
                tensor = after
            found.append(Block(self._shown(call.name), False, self._path, tuple(one.name for one in unit)))
        return found

    def _shape(self, tensor: Tensor) -> Lengths:
        """A tensor's lengths, as its users tell them: a Sequential model notes them only for some layers."""
        while not self._shapes.get(tensor):
            users = self._users.get(tensor, [])
            if len(users) != 1 or users[0].kind not in _FOLLOWING:
                return ()
            tensor = users[0].name, users[0].number, 0
        return self._shapes[tensor]

    @staticmethod
    def _alone(call: Call) -> bool:
        return call.calls == 1 and len(call.inputs) == 1 and call.positional

    def _shown(self, name: str) -> str:
        return "/".join((*self._path, name))
