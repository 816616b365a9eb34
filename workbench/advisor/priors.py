"""What forms and structures usually do, from models that were measured exhaustively: a command wrote it.

``python -m tests.benchmarks advisor_grid`` measures, and writes ``priors.json`` beside this file.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path

from pydantic import Field

from workbench.advisor.cells import Action, Cell, runtime_chooser, runtime_of
from workbench.advisor.effects import Spread
from workbench.advisor.ledger import Observation
from workbench.api.records import Record
from workbench.api.variant import Layer
from workbench.techniques import techniques

FILE = Path(__file__).with_name("priors.json")


class Usual(Record):
    """What a part of a cell usually does.

    Attributes:
        latency: Logarithm of the latency with it over that without.
        quality: Change of the task's measure, as a fraction.
        call_ms: Of a form: what a call takes however small the model is; None where one model was measured.
        ms_per_million: Of a form: what a million multiply-accumulates take besides.
    """

    latency: float = 0.0
    quality: float = 0.0
    call_ms: float | None = None
    ms_per_million: float = 0.0

    def ms(self, macs: float) -> float | None:
        """What a call of a model with so many multiply-accumulates takes on the machine that was measured."""
        return None if self.call_ms is None else max(1e-6, self.call_ms + self.ms_per_million * macs / 1e6)


class Priors(Record):
    """What is expected before anything is measured.

    Attributes:
        forms: By the keys of forms.
        structures: By the keys of structures.
        latency: How far the logarithm of a latency is from what is expected.
        quality: How far a change of quality is.
    """

    forms: dict[str, Usual] = Field(default_factory=dict)
    structures: dict[str, Usual] = Field(default_factory=dict)
    latency: Spread = Spread(structure=0.35, form=0.6, runtime=0.6, cell=0.1)
    quality: Spread = Spread(structure=0.02, form=0.006, runtime=0.001, cell=0.006)

    def usual_form(self, cell: Cell) -> Usual:
        """What the form of a cell usually does: else by other parameters, else what float32 does there."""
        if cell.form is None:
            return Usual()
        exact = self.forms.get(cell.form_key)
        if exact is not None:
            return exact
        return self._kinds.get(cell.form_kind or "") or self.in_runtime(cell.runtime)

    def in_runtime(self, runtime: str) -> Usual:
        """What float32 files of a runtime usually do, against Keras; nothing where that is not known."""
        return self._kinds.get(f"{runtime_chooser().name} in {runtime}", Usual())

    @cached_property
    def _kinds(self) -> dict[str, Usual]:
        found: dict[str, Usual] = {}
        for key, usual in self.forms.items():
            name, _, parameters = key.partition(" ")
            if name not in techniques():
                continue
            form = Action(technique=name, parameters=json.loads(parameters or "{}"))
            kind = Cell(form=form, runtime=runtime_of(form, None)).form_kind
            found.setdefault(kind or "", usual)
        return found


class Measured(Record):
    """A model of which every cell was measured.

    Attributes:
        name: Of the model.
        machine: What it was measured on.
        layers: Of the model.
        file_bytes: Of the model.
        ms: Latency of the model, in its own runtime.
        cells: All cells.
        observed: By their keys.
        structures: Layers of what structures made, by their keys.
        remains: Of the bytes of the weights, as it was foreseen before they were made, by their keys.
        costs_s: Seconds that making a structure took, by its key.
    """

    name: str
    machine: str
    layers: tuple[Layer, ...]
    file_bytes: int
    ms: float
    cells: tuple[Cell, ...]
    observed: dict[str, Observation]
    structures: dict[str, tuple[Layer, ...]]
    remains: dict[str, float | None]
    costs_s: dict[str, float]


@cache
def shipped() -> Priors:
    """Those that come with the workbench."""
    return Priors.model_validate_json(FILE.read_text("utf-8")) if FILE.exists() else Priors()


def learned(grids: Sequence[Measured]) -> Priors:
    """What usually happens, from models of which every cell was measured.

    Args:
        grids: Such models.
    """
    forms: dict[str, list[Usual]] = {}
    points: dict[str, list[tuple[float, float]]] = {}
    structures: dict[str, list[Usual]] = {}
    own: list[float] = []
    own_quality: list[float] = []
    for grid in grids:
        by_key = {cell.key: cell for cell in grid.cells}
        seen = {key: one for key, one in grid.observed.items() if one.ms is not None and key in by_key}
        plain = {by_key[key].form_key: one for key, one in seen.items() if by_key[key].structure is None}
        for key, one in seen.items():
            cell = by_key[key]
            if cell.structure is None:
                points.setdefault(cell.form_key, []).append((macs_of(grid.layers), _ms(one)))
            if cell.structure is None and cell.form is not None:
                forms.setdefault(cell.form_key, []).append(
                    Usual(
                        latency=math.log(_ms(one) / grid.ms),
                        quality=_change(one),
                    )
                )
        for name in {by_key[key].structure_key for key in seen} - {"-"}:
            pairs = [
                (
                    math.log(_ms(one) / _ms(plain[by_key[key].form_key])),
                    _change(one) - _change(plain[by_key[key].form_key]),
                )
                for key, one in seen.items()
                if by_key[key].structure_key == name and by_key[key].form_key in plain
            ]
            if not pairs:
                continue
            usual = Usual(
                latency=statistics.mean(pair[0] for pair in pairs),
                quality=statistics.mean(pair[1] for pair in pairs),
            )
            structures.setdefault(name, []).append(usual)
            own += [pair[0] - usual.latency for pair in pairs]
            own_quality += [pair[1] - usual.quality for pair in pairs]
    start = Priors()
    forms.setdefault("-", [Usual()])
    return Priors(
        forms={
            key: _mean(found).model_copy(update=_call(points.get(key, ())))
            for key, found in sorted(forms.items())
        },
        structures={key: _mean(found) for key, found in sorted(structures.items())},
        # How forms differ between models is in what a call and an operation take.
        latency=_spread(start.latency, {}, structures, own, "latency"),
        quality=_spread(start.quality, forms, structures, own_quality, "quality"),
    )


def weights_bytes(cell_form: Cell, layers: Iterable[Layer]) -> float | None:
    """Bytes of the weights of a model in a form; None where only making it tells."""
    if cell_form.form is None:
        return 4.0 * sum(layer.parameters for layer in layers)
    bytes_: float | None = cell_form.form.made_by.stored_bytes(tuple(layers), cell_form.form.values)
    return bytes_


def macs_of(layers: Iterable[Layer]) -> float:
    """Multiply-accumulates of a model; 0 where they are not known."""
    return float(sum(layer.macs or 0 for layer in layers))


def _call(points: Sequence[tuple[float, float]]) -> dict[str, float]:
    """What a call takes, and each operation besides: the line through what was measured, nowhere falling."""
    if len({macs for macs, _ in points}) < 2:
        return {}
    fit = statistics.linear_regression([macs / 1e6 for macs, _ in points], [ms for _, ms in points])
    least = min(ms for _, ms in points)
    return {
        "call_ms": round(min(max(fit.intercept, 0.0), least), 6),
        "ms_per_million": round(max(fit.slope, 0.0), 6),
    }


def _ms(one: Observation) -> float:
    assert one.ms is not None
    return one.ms.value


def _change(one: Observation) -> float:
    return 0.0 if one.change is None else one.change.value


def _mean(found: Sequence[Usual]) -> Usual:
    return Usual(
        latency=round(statistics.mean(one.latency for one in found), 4),
        quality=round(statistics.mean(one.quality for one in found), 5),
    )


def _spread(
    least: Spread,
    forms: Mapping[str, Sequence[Usual]],
    structures: Mapping[str, Sequence[Usual]],
    own: Sequence[float],
    what: str,
) -> Spread:
    """How far models differ in what a part does; what is usual where only one was measured."""

    def between(found: Mapping[str, Sequence[Usual]], usual: float) -> float:
        several = [
            statistics.variance(getattr(usual, what) for usual in values)
            for values in found.values()
            if len(values) > 1
        ]
        return max(usual / 2, math.sqrt(statistics.mean(several))) if several else usual

    return Spread(
        structure=round(between(structures, least.structure), 4),
        form=round(between(forms, least.form), 4),
        runtime=least.runtime,
        cell=round(max(least.cell / 2, statistics.pstdev(own)), 4) if len(own) > 1 else least.cell,
    )
