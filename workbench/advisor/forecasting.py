"""What a single step is expected to make of a variant: the same knowledge as that of the search.

A step is a cell beside those that were measured. So its numbers come from the same priors, and get better
with everything that is measured, whoever has made it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from workbench.advisor.cells import Action, Cell, differing, is_form, runtime_of
from workbench.advisor.demands import Demands
from workbench.advisor.effects import Normal
from workbench.advisor.ledger import Observation, Outlook
from workbench.advisor.priors import Priors, shipped, weights_bytes
from workbench.advisor.search import Search, Start
from workbench.advisor.sizes import guess
from workbench.api.lineage import Lineage
from workbench.api.technique import AnyTechnique, Estimate, Parameters
from workbench.api.variant import Variant
from workbench.measure.records import Interval
from workbench.results.forecast import Forecast
from workbench.results.rows import ResultRow
from workbench.runtimes import runtime
from workbench.techniques import techniques

_WITHIN = 0.02
"""A size whose interval reaches no further to either side is computed; any other is only usual."""
_ALIKE = 0.5
"""Of what a structure does to the latency, so much is the same whatever its parameters are."""
_REPEATED = 1.15
"""By such a factor two timings of one file differ from hour to hour, four times in five."""
_DOUBT = 1.6
"""By such a factor a timing may be off that is not believed, as on a busy machine."""
_PRIOR_FORMS = 1.0
"""How many forms that were measured here count as much as what is usual, for how far forms differ."""
_MOST = 12
"""So many of the newest variants that tell of a step are looked at: a form is drawn at every change."""


@dataclass(frozen=True)
class Step:
    """What is to be applied.

    Attributes:
        technique: The technique.
        parent: To what.
        parameters: How.
        estimate: What the technique says of it.
    """

    technique: AnyTechnique
    parent: Variant
    parameters: Parameters
    estimate: Estimate

    @property
    def action(self) -> Action:
        """As it stands in cells."""
        return Action(technique=self.technique.name, parameters=differing(self.parameters))


def forecast(step: Step, rows: Sequence[ResultRow], limit: float, priors: Priors | None = None) -> Forecast:
    """What a step is expected to make.

    Args:
        step: The step.
        rows: What was made and measured so far.
        limit: How far the measure of the task may fall, as a fraction.
        priors: What usually happens; by default what is shipped.
    """
    nothing = Forecast(seconds=step.estimate.seconds, limit=limit)
    parent = next((row for row in rows if row.variant.id == step.parent.id), None)
    if step.technique.measures or parent is None or parent.size is None:
        return nothing
    world = _World(step, parent, rows, limit, priors or shipped())
    size, computed = world.size()
    ms, informed = world.latency()
    return nothing.model_copy(
        update={
            "file_bytes": size,
            "computed": computed,
            "ms": ms,
            "informed": informed,
            "chance": world.chance(),
        }
    )


class _World:
    """The variants that tell of a step, as the cells of a search."""

    def __init__(
        self, step: Step, parent: ResultRow, rows: Sequence[ResultRow], limit: float, priors: Priors
    ) -> None:
        self._step, self._parent, self._limit = step, parent, limit
        self._lineage = Lineage(row.variant for row in rows)
        self._known = {row.variant.id: row for row in rows}
        form = is_form(step.technique)
        root = self._lineage.baseline
        measured = root is not None and self._known[root.id].size is not None
        if not form or root is None or not measured or self._cell_of(step.parent, root) is None:
            root = step.parent
        self._root = root
        self._cells = {
            row.variant.id: cell
            for row in rows
            if row.size is not None and (cell := self._cell_of(row.variant, root)) is not None
        }
        before = [_action(one) for one in self._line(step.parent)]
        self._cell = _stack([*before, step.action], runtime_of(step.action, step.parent))
        telling = [id_ for id_, cell in self._cells.items() if id_ != root.id and self._shares(cell)]
        self._informed = sum(_ms(self._known[id_]) is not None for id_ in telling)
        self._form_was_judged = any(
            self._cells[id_].form_kind == self._cell.form_kind and self._known[id_].quality_change is not None
            for id_ in telling
        )
        near = dict.fromkeys([root.id, step.parent.id, *telling[-_MOST:]])
        self._cells = {id_: self._cells[id_] for id_ in near}
        self._search = self._search_of(priors)
        self._search.priors = self._learned(priors)
        self._outlook: Outlook = self._search.outlook()[self._cell.key]

    def _shares(self, cell: Cell) -> bool:
        """Whether what was measured of a cell tells of the step."""
        mine = self._cell
        in_runtime = cell.form is not None and mine.form is not None and cell.runtime == mine.runtime
        return in_runtime or (cell.structure is not None and cell.structure_kind == mine.structure_kind)

    def _line(self, variant: Variant) -> list[Variant]:
        """The variants after the root, up to this one."""
        line = self._lineage.of(variant)
        return list(line[line.index(self._root) + 1 :]) if self._root in line else []

    def _cell_of(self, variant: Variant, root: Variant) -> Cell | None:
        """A variant as a cell; None where it is none of those that come from the root by known steps."""
        line = self._lineage.of(variant)
        if root not in line:
            return None
        steps = line[line.index(root) + 1 :]
        if any(one.technique not in techniques() for one in steps):
            return None
        # What follows a step has to be of a model that any technique could be applied to.
        if any(one.format != "keras" or one.description.precision != "float32" for one in steps[:-1]):
            return None
        try:
            return _stack([_action(one) for one in steps], variant.runtime)
        except ValidationError:  # of a release in which its parameters were others
            return None

    def _search_of(self, priors: Priors) -> Search:
        root = self._known[self._root.id]
        root_ms = _ms(root)
        assert root.size is not None
        cells = {cell.key: cell for cell in (*self._cells.values(), self._cell)}
        estimate = self._step.estimate
        search = Search(
            demands=Demands(loss_points=100 * self._limit),
            cells=tuple(cells.values()),
            start=Start(
                layers=self._root.description.layers,
                file_bytes=root.size.file_bytes,
                ms=None if root_ms is None else root_ms.value,
                variant=self._root.id,
                foreign=None if self._root.format == "keras" else self._root.runtime,
            ),
            priors=priors,
            remains={self._cell.structure_key: estimate.weights_ratio},
            operations={self._cell.structure_key: estimate.operations_ratio},
            guessed=frozenset() if estimate.counted else frozenset({self._cell.structure_key}),
            structures_alike=_ALIKE,
        )
        for id_, cell in self._cells.items():
            row = self._known[id_]
            assert row.size is not None
            if cell.form is None and cell.structure is not None:
                search.structures[cell.structure_key] = row.variant.description.layers
            change = row.quality_change
            search.observed[cell.key] = Observation(
                variant=id_,
                file_bytes=row.size.file_bytes,
                ms=_ms(row),
                change=None if change is None else change.change,
            )
        return search

    def _learned(self, priors: Priors) -> Priors:
        """The same, with how far forms of this model are in the runtime from what is usual of them."""
        off: dict[str, float] = {}
        for id_, cell in self._cells.items():
            ms = _ms(self._known[id_])
            if ms is not None and cell.structure is None and cell.form and cell.runtime == self._cell.runtime:
                off[cell.form_kind or ""] = math.log(ms.value) - self._search.expected_time(cell)
        usual, found = priors.latency.form, list(off.values())
        if len(found) < 2:
            return priors
        variance = _PRIOR_FORMS * usual**2 + sum((one - statistics.mean(found)) ** 2 for one in found)
        form = math.sqrt(variance / (_PRIOR_FORMS + len(found) - 1))
        return priors.model_copy(update={"latency": priors.latency.model_copy(update={"form": form})})

    # -- what is expected ---------------------------------------------------------------------

    def size(self) -> tuple[Interval | None, bool]:
        """Bytes of the file, and whether they are counted."""
        technique, parent, estimate = self._step.technique, self._step.parent, self._step.estimate
        assert self._parent.size is not None
        own = float(self._parent.size.file_bytes)
        if technique.repacks and self._format_stays():
            return Interval(value=own, low=own, high=own), True
        layers = parent.description.layers
        plain = bool(layers) and parent.format == "keras" and parent.description.precision == "float32"
        if self._cell.form is None:
            known = plain and estimate.weights_ratio is not None
        else:
            known = plain and weights_bytes(self._cell, layers) is not None
            if known and not self._search.sizes.is_known(self._cell):
                return None, False
        if known:
            found = self._outlook.file_bytes
            return found, max(found.high / found.value, found.value / found.low) <= 1 + _WITHIN
        if estimate.size_ratio is not None:
            return guess(own * estimate.size_ratio, estimate.size_ratio), False
        return None, False

    def _format_stays(self) -> bool:
        return self._step.parent.format in runtime(self._cell.runtime).formats

    def latency(self) -> tuple[Interval | None, int]:
        """Milliseconds, and how many variants tell of them."""
        if _ms(self._known[self._root.id]) is None:
            return None, 0
        parameters, settings = self._step.parameters, self._step.parent.settings
        if "runtime" in type(parameters).model_fields and getattr(parameters, "batch", 1) != settings.batch:
            return None, 0  # a call of more samples is another thing
        estimate, own = self._step.estimate, _ms(self._parent)
        if self._cell.form is None:
            if estimate.counted and estimate.weights_ratio == estimate.operations_ratio == 1.0:
                return (None, 0) if own is None else (_widened(own, _REPEATED), 1)  # the same operations
            if not self._informed and estimate.operations_ratio is None:
                return None, 0
        doubted = _is_doubted(self._known[self._root.id])
        return _widened(self._outlook.ms, _DOUBT if doubted else _REPEATED), self._informed

    def chance(self) -> float | None:
        """How likely the measure stays within the limit; None where nothing that was measured here tells."""
        change = self._parent.quality_change
        if self._step.technique.repacks:
            if change is None:
                return None
            half = (change.change.high - change.change.low) / 3.92
            return 1 - Normal(change.change.value, half).below(-self._limit)
        if self._cell.form is None or not self._root.is_baseline:
            return None
        judged = self._step.parent.is_baseline or change is not None
        return self._outlook.chance if self._form_was_judged and judged else None


def _stack(steps: Sequence[Action], runtime: str) -> Cell:
    """Steps from a root as a cell."""
    earlier, last = list(steps[:-1]), steps[-1] if steps else None
    if last is not None and is_form(last.made_by):
        return Cell(
            before=tuple(earlier[:-1]),
            structure=earlier[-1] if earlier else None,
            form=last,
            runtime=runtime,
        )
    return Cell(before=tuple(earlier), structure=last, runtime=runtime)


def _action(variant: Variant) -> Action:
    """What has made a variant.

    Raises:
        ValidationError: If its parameters are none of today's.
    """
    made_by = techniques()[variant.technique or ""]
    values = made_by.parameters_type.model_validate(variant.parameters)
    return Action(technique=made_by.name, parameters=differing(values))


def _ms(row: ResultRow) -> Interval | None:
    """A latency, as far as it is believed."""
    shown = row.shown_ms
    if shown is None or not _is_doubted(row):
        return shown
    return Interval(value=shown.value, low=shown.low / _DOUBT, high=shown.high * _DOUBT)


def _is_doubted(row: ResultRow) -> bool:
    return row.distrust is not None or row.total_distrust is not None


def _widened(ms: Interval, factor: float) -> Interval:
    """What is foreseen of timings that may be off by a factor."""
    wider = math.exp(math.hypot(math.log(ms.high / ms.value), math.log(factor)))
    return Interval(value=ms.value, low=ms.value / wider, high=ms.value * wider)
