"""What a file takes besides weights: its graph, names and metadata, from files of other models.

``python -m tests.benchmarks.file_sizes`` makes those files, and writes ``besides.json`` beside this one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field

from workbench.api.records import Record
from workbench.api.variant import Layer

Floats = npt.NDArray[np.float64]

FILE = Path(__file__).with_name("besides.json")

IN_KERAS = "-"
"""The kind of a model that stays in Keras."""

_NORMALIZATIONS = frozenset({"BatchNormalization"})
_FUSED = frozenset(
    {
        "Activation",
        "ActivityRegularization",
        "Dropout",
        "GaussianDropout",
        "GaussianNoise",
        "LeakyReLU",
        "ReLU",
    }
    | {"InputLayer", "Softmax", "SpatialDropout1D", "SpatialDropout2D"}
)
"""What converters make part of another operation, or leave out."""
_LEAST_OFF, _MOST_OFF = 0.02, 0.5
_FEWEST = 4
"""Of fewer models nothing is said of how far it is off."""
_PULL = 0.02
"""How strongly what a layer of a kind takes is held to what any layer takes, where few models tell."""


def counted(layers: Iterable[Layer]) -> tuple[int, int, int, int]:
    """Layers with weights, normalizations, layers that become part of others, and the rest."""
    counts = [0, 0, 0, 0]
    for layer in layers:
        if layer.kind in _NORMALIZATIONS:
            counts[1] += 1
        elif layer.parameters:
            counts[0] += 1
        else:
            counts[2 if layer.kind in _FUSED else 3] += 1
        if layer.kind.endswith("1D") and not layer.kind.startswith("Global"):
            counts[3] += 2  # runtimes give it another axis, and take it away
    return counts[0], counts[1], counts[2], counts[3]


class Point(Record):
    """One file.

    Attributes:
        model: Which model it is of.
        kind: Which technique made it, and for which runtime: :attr:`workbench.advisor.cells.Cell.form_kind`.
        counts: What :func:`counted` gives of the model.
        bytes: What it takes besides weights.
    """

    model: str
    kind: str
    counts: tuple[int, int, int, int]
    bytes: float


class Besides(Record):
    """What files take besides weights.

    Attributes:
        points: Files of several models.
        layers: Kinds of layers that these models have.
        errors: By kind and model: the logarithm of what the other models say over what it is.
    """

    points: tuple[Point, ...] = ()
    layers: frozenset[str] = frozenset()
    errors: dict[str, dict[str, float]] = Field(default_factory=dict)

    def without(self, model: str) -> Besides:
        """The same without the files of a model, of which something is to be said."""
        return Besides(
            points=tuple(one for one in self.points if one.model != model),
            layers=self.layers,
            errors={
                kind: {name: error for name, error in errors.items() if name != model}
                for kind, errors in self.errors.items()
            },
        )

    def knows(self, layers: Sequence[Layer]) -> bool:
        """Whether a model has no other kinds of layers than those that were looked at."""
        return {layer.kind for layer in layers} <= self.layers

    def of(self, kind: str, layers: Sequence[Layer]) -> float | None:
        """Bytes besides weights of a model's file; None where no such file was looked at.

        Args:
            kind: What makes it, and for which runtime.
            layers: The model's.
        """
        each = self._each.get(kind)
        return None if each is None else max(1.0, float(np.dot(each, (1, *counted(layers)))))

    def off(self, kind: str, beside: str | None = None) -> float:
        """How far that is off for a model that is not among these, as a share of it.

        Every model is foreseen from the others: the root mean square of the errors' logarithms.

        Args:
            kind: What makes the file.
            beside: Another kind, of which a file of the same model is known: what both are off by in common
                does not count.
        """
        mine, other = self.errors.get(kind, {}), self.errors.get(beside or "", {})
        errors = [
            error - (other[model] if beside else 0.0)
            for model, error in mine.items()
            if not beside or model in other
        ]
        if len(errors) < _FEWEST:
            return _MOST_OFF
        return min(max(math.sqrt(sum(error**2 for error in errors) / len(errors)), _LEAST_OFF), _MOST_OFF)

    def checked(self) -> Besides:
        """The same with the errors of every model, foreseen from the others."""
        found: dict[str, dict[str, float]] = {}
        for model in sorted({one.model for one in self.points}):
            others = self.without(model)._each
            for one in self.points:
                if one.model == model and one.kind in others:
                    said = max(1.0, float(np.dot(others[one.kind], (1, *one.counts))))
                    found.setdefault(one.kind, {})[model] = round(math.log(said / one.bytes), 4)
        return self.model_copy(update={"errors": found})

    @cached_property
    def _each(self) -> dict[str, tuple[float, ...]]:
        """Of every kind: bytes of a file, and of each of its layers by what :func:`counted` tells apart.

        A fit of least squares of the relative errors.
        """
        found = {}
        for kind in {one.kind for one in self.points}:
            mine = [one for one in self.points if one.kind == kind]
            seen = np.array([(1, *one.counts) for one in mine], np.float64)
            taken = np.array([one.bytes for one in mine], np.float64)
            usual = float(np.mean(taken / seen.sum(axis=1)))
            relative = seen / taken[:, None]
            held = np.vstack([relative, _PULL * np.eye(seen.shape[1]) / usual])
            wanted = np.concatenate([np.ones(len(mine)), np.full(seen.shape[1], _PULL)])
            found[kind] = tuple(float(one) for one in _fit(held, wanted))
        return found


def _fit(rows: Floats, wanted: Floats) -> Floats:
    """Least squares with what nothing takes less than nothing of: the most negative is left out first."""
    used = np.ones(rows.shape[1], np.bool_)
    while True:
        each = np.zeros(rows.shape[1])
        each[used], *_ = np.linalg.lstsq(rows[:, used], wanted, rcond=None)
        if (each >= 0).all():
            return each
        used[int(np.argmin(each))] = False


@cache
def shipped_besides() -> Besides:
    """What comes with the workbench."""
    return Besides.model_validate_json(FILE.read_text("utf-8")) if FILE.exists() else Besides()
