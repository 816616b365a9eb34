"""Times of the layers of a LiteRT file: files that end after each of them, timed interleaved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.errors import Refused
from workbench.api.text import say
from workbench.api.variant import Layer
from workbench.plain.litert.buffers import read_tables
from workbench.plain.litert.cutting import cut, widens_constant

MOST_CUTS = 40
"""More files would take minutes; the cheapest neighbours are then timed together."""
_MOST_BYTES = 512 << 20
"""What the files may take together: all are loaded at once."""


@dataclass(frozen=True)
class Cuts:
    """Where a file is cut.

    Attributes:
        ends: How many operations each shorter file has, from 0 to all of them.
        rows: For each part between two ends, the positions of its layers in the description; of the first of
            them, which stands for the part, first.
    """

    ends: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]


def plan_cuts(file: bytes, layers: Sequence[Layer]) -> Cuts:
    """Decides after which operations a file is cut.

    Args:
        file: A ``.tflite`` file.
        layers: Its layers, as described.

    Raises:
        Refused: If the two do not belong together.
    """
    rows = _rows(read_tables(file), len(layers))
    # A constant that is widened before its use is no layer: it belongs to what follows.
    parts: list[list[int]] = []
    ends: list[int] = []
    for position, row in enumerate(rows):
        if row is not None:
            parts.append([row])
            ends.append(position + 1)
    if ends:
        ends[-1] = len(rows)
    costs = [float(layers[part[0]].macs or 0) + 1 for part in parts]
    most = max(2, min(MOST_CUTS, _MOST_BYTES // max(1, len(file))))
    while len(parts) > most:
        joined = min(range(len(parts) - 1), key=lambda at: costs[at] + costs[at + 1])
        parts[joined : joined + 2] = [parts[joined] + parts[joined + 1]]
        costs[joined : joined + 2] = [costs[joined] + costs[joined + 1]]
        del ends[joined]
    heaviest = [sorted(part, key=lambda row: -(layers[row].macs or 0)) for part in parts]
    return Cuts((0, *ends), tuple(map(tuple, heaviest)))


def write_cuts(file: bytes, cuts: Cuts, folder: Path) -> list[Path]:
    """Writes the shorter files, the shortest first."""
    paths = []
    for end in cuts.ends:
        path = folder / f"first-{end}.tflite"
        path.write_bytes(cut(file, end))
        paths.append(path)
    return paths


def differences(medians: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What each part takes in each round.

    Args:
        medians: Milliseconds of one call of each shorter file, shape ``(files, rounds)``.

    Returns:
        Shape ``(files, rounds)``; the first row is the call that computes nothing.
    """
    return np.concatenate([medians[:1], np.diff(medians, axis=0)])


def _rows(model: Any, count: int) -> list[int | None]:
    """The layer that each operation is; None for one that only widens a constant."""
    rows: list[int | None] = []
    following = 0
    for operator in model.subgraphs[0].operators:
        widens = widens_constant(model, operator)
        rows.append(None if widens else following)
        following += not widens
    if following != count:
        raise Refused(say("The operations of the file are not those of its description."))
    return rows
