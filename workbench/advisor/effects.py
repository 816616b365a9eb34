"""A number of every cell as the sum of what its parts do to it, learned from the cells that were measured.

``value = expected + structure + form + runtime + own``, each a normal deviation whose spread
is known from earlier measurements. So one measured cell tells of all others that share a part with it: a
trained structure prices all the forms that it may be deployed in (conditioning of a Gaussian process with
one kernel for each part; Rasmussen and Williams 2006, chapter 2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.advisor.cells import Cell
from workbench.api.records import Record

Floats = npt.NDArray[np.float64]

_FORMS_ALIKE = 0.8
"""Of the variance of what a form does, so much is the same whatever its parameters are."""


class Spread(Record):
    """Standard deviations of what is not expected.

    Attributes:
        structure: Of what a structure does, in every form alike.
        form: Of what a form does, to every structure alike.
        runtime: Of what all forms in a runtime have in common.
        cell: Of what is a cell's own.
    """

    structure: float
    form: float
    runtime: float
    cell: float


class Normal(NamedTuple):
    """A number that is not known exactly.

    Attributes:
        mean: Its expected value.
        sd: Its standard deviation.
    """

    mean: float
    sd: float

    def below(self, bound: float) -> float:
        """How likely it is at most ``bound``."""
        return normal_below((bound - self.mean) / max(self.sd, 1e-9))

    def improvement(self, best: float) -> float:
        """By how much it is expected to be below ``best``, where it is."""
        sd = max(self.sd, 1e-9)
        z = (best - self.mean) / sd
        return (best - self.mean) * normal_below(z) + sd * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def normal_below(z: float) -> float:
    """How likely a standard normal number is at most ``z``."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def posterior(
    cells: Sequence[Cell],
    expected: Mapping[str, float],
    measured: Mapping[str, Normal],
    spread: Mapping[str, Spread],
    *,
    structures_alike: float = 0.0,
) -> dict[str, Normal]:
    """What is known of every cell, given what was measured of some.

    Args:
        cells: All cells.
        expected: What was expected of each, by its key.
        measured: What was measured, by key, each with the standard deviation of the measurement.
        spread: How far from what is expected each may be.
        structures_alike: Of the variance of what a structure does, how much is the same whatever its
            parameters are.
    """
    index = {cell.key: place for place, cell in enumerate(cells)}
    known = [key for key in measured if key in index]
    prior = _covariance(cells, spread, structures_alike)
    mean = np.array([expected[cell.key] for cell in cells])
    variance = np.diag(prior).copy()
    if known:
        at = np.array([index[key] for key in known])
        noise = np.diag([measured[key].sd ** 2 + 1e-12 for key in known])
        gain = np.linalg.solve(prior[np.ix_(at, at)] + noise, prior[at]).T
        mean = mean + gain @ (np.array([measured[key].mean for key in known]) - mean[at])
        variance = variance - np.einsum("ij,ji->i", gain, prior[at])
    return {
        cell.key: Normal(float(mean[place]), math.sqrt(max(0.0, float(variance[place]))))
        for place, cell in enumerate(cells)
    }


def _covariance(cells: Sequence[Cell], spread: Mapping[str, Spread], structures_alike: float) -> Floats:
    """How the deviations of the cells go together; a part that is left as it came deviates from nothing."""
    own = [spread[cell.key] for cell in cells]
    unchanged = [cell.form is None and cell.threads == 1 for cell in cells]
    total = np.diag(
        [
            0.0 if cell.structure is None and same else one.cell**2
            for cell, one, same in zip(cells, own, unchanged, strict=True)
        ]
    )
    structures = np.array([one.structure for one in own])
    forms = np.array([one.form for one in own])
    runtimes = [None if same else cell.runtime for cell, same in zip(cells, unchanged, strict=True)]
    own_structures = [None if cell.structure is None else cell.structure_key for cell in cells]
    own_forms = [None if cell.form is None else cell.form_key for cell in cells]
    for names, sds in (
        ([cell.structure_kind for cell in cells], structures * math.sqrt(structures_alike)),
        (own_structures, structures * math.sqrt(1 - structures_alike)),
        ([cell.form_kind for cell in cells], forms * math.sqrt(_FORMS_ALIKE)),
        (own_forms, forms * math.sqrt(1 - _FORMS_ALIKE)),
        (runtimes, np.array([one.runtime for one in own])),
    ):
        codes = {name: code for code, name in enumerate(dict.fromkeys(names)) if name is not None}
        numbers = np.array([-1 if name is None else codes[name] for name in names])
        alike = (numbers[:, None] == numbers[None, :]) & (numbers[:, None] >= 0)
        total = total + alike * np.outer(sds, sds)
    return np.asarray(total, np.float64)
