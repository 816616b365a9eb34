"""Which layers of a file an operation does that its runtime runs: several are often made one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.api.variant import Layer
from workbench.measure.inside.names import ACTIVATIONS, step_of_each_layer, steps_of
from workbench.measure.intermediate_tensors import Step

_FOLLOWING = ACTIVATIONS | {"Add", "BatchNormalization", "Mul", "Sum"}
"""Operations that are made part of the one before them."""


def layers_of_operations(
    path: Path, layers: Sequence[Layer], graph: Mapping[str, Sequence[str]]
) -> dict[str, tuple[int, ...]]:
    """The positions of the layers that each operation does which is run; none for one of the runtime's own.

    Args:
        path: The file.
        layers: Its layers, as described.
        graph: For each operation, names of layers or of tensors of the file.
    """
    steps = steps_of(path, layers)
    places = step_of_each_layer(layers, steps)
    named: dict[str, int] = {}
    for row, place in enumerate(places):
        if place is not None:
            named.setdefault(steps[place].output, row)
            named.setdefault(layers[row].name, row)
    found = {
        operation: tuple(sorted({named[name] for name in _spelled(operation, told) if name in named}))
        for operation, told in graph.items()
    }
    if path.suffix != ".onnx":
        return found
    return _with_fused(found, [None if place is None else steps[place] for place in places])


def _spelled(operation: str, told: Sequence[str]) -> list[str]:
    """The names that may be those of layers: OpenVINO adds to them what it split off."""
    names = list(told) or [operation]
    return [*names, *(name.removesuffix("/WithoutBiases") for name in names)]


def _with_fused(
    found: dict[str, tuple[int, ...]], steps: Sequence[Step | None]
) -> dict[str, tuple[int, ...]]:
    """With the layers that no operation is called after: they were made part of a neighbour."""
    home = {rows[0]: operation for operation, rows in found.items() if rows}
    for operation, rows in found.items():
        home |= dict.fromkeys(rows, operation)
    giver = {step.output: row for row, step in enumerate(steps) if step is not None}
    takers: dict[int, list[int]] = {}
    for row, step in enumerate(steps):
        for name in step.inputs if step is not None else ():
            if name in giver:
                takers.setdefault(giver[name], []).append(row)
    for row, step in enumerate(steps):
        if row in home or step is None or step.kind not in _FOLLOWING:
            continue
        before = [giver[name] for name in step.inputs if giver.get(name) in home]
        if before:
            home[row] = home[max(before)]
    for row in reversed(range(len(steps))):
        after = [home[taker] for taker in takers.get(row, ()) if taker in home]
        if row not in home and after:
            home[row] = after[0]
    return {
        operation: tuple(row for row in range(len(steps)) if row in rows or home.get(row) == operation)
        for operation, rows in found.items()
    }
