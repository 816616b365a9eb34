"""Which cell to try next: the one that promises most for its cost, as far as is known by now.

Computes and remembers; whoever asks it makes and measures. So the search of a workbench and its replay on a
model that was measured exhaustively are the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.advisor.besides import Besides, shipped_besides
from workbench.advisor.cells import Cell
from workbench.advisor.demands import Demands
from workbench.advisor.effects import Normal, posterior
from workbench.advisor.ledger import Observation, Outlook
from workbench.advisor.priors import Priors, Usual, macs_of
from workbench.advisor.sizes import Sizes, enclosed
from workbench.api.task import Task, TaskMeasure, measure_of
from workbench.api.text import Text
from workbench.api.variant import Layer
from workbench.measure.quality import TOLERANCE

WORTH = 0.02
"""So much of an improvement (of a logarithm, so a share) is worth a trial."""
_LEAST_CHANCE = 0.02
"""What meets the demands less often is not tried while nothing else is known to."""
_MORE_LIKELY_THAN_NOT = 0.5


@dataclass(frozen=True)
class Start:
    """The model as it came.

    Attributes:
        layers: As Keras describes them.
        file_bytes: Of its file.
        ms: Its latency in its own runtime; None where that was not measured.
        variant: Its identifier.
        foreign: What runs it, where it is not a model of Keras.
    """

    layers: tuple[Layer, ...]
    file_bytes: int
    ms: float | None
    variant: str = ""
    foreign: str | None = None


@dataclass
class Search:
    """What is known of every cell, and what that says of the others.

    Attributes:
        demands: What is needed.
        cells: What may be tried.
        start: The model as it came.
        priors: What usually happens.
        remains: The share of the weights that a structure is expected to leave, by its key; None where only
            making it tells.
        operations: The same of multiply-accumulates.
        guessed: Keys of structures of which that is usual, and not counted.
        observed: What was measured, by the keys of cells.
        failed: What could not be made, with the reason.
        structures: Layers of the structures that were made, by their keys.
        task: What the model does.
        besides: What files take besides weights.
        structures_alike: Of what a structure does to the latency, how much is the same whatever its
            parameters are.
    """

    demands: Demands
    cells: Sequence[Cell]
    start: Start
    priors: Priors
    remains: Mapping[str, float | None] = field(default_factory=dict)
    operations: Mapping[str, float | None] = field(default_factory=dict)
    guessed: frozenset[str] = frozenset()
    observed: dict[str, Observation] = field(default_factory=dict)
    failed: dict[str, Text] = field(default_factory=dict)
    structures: dict[str, Sequence[Layer]] = field(default_factory=dict)
    task: Task = "classification"
    besides: Besides = field(default_factory=shipped_besides)
    structures_alike: float = 0.0

    def __post_init__(self) -> None:
        self.sizes = Sizes(self)

    @property
    def measure(self) -> TaskMeasure:
        """The number that the quality is judged by."""
        return measure_of(self.task)

    @property
    def bound(self) -> float:
        """How far the measure may fall, as a fraction."""
        return TOLERANCE if self.demands.loss_points is None else self.demands.loss_points / 100

    # -- what is known ------------------------------------------------------------------------

    def outlook(self) -> dict[str, Outlook]:
        """What is expected of every cell; what was measured of one is in its own row exactly."""
        sizes, times, changes = self.sizes.all(), self._times(), self._changes()
        found = {}
        for cell in self.cells:
            size, time, change = sizes[cell.key], times[cell.key], changes[cell.key]
            chance = 1 - change.below(-self.bound)
            meets = chance * self._meets_size(size) * self._meets_time(time)
            found[cell.key] = Outlook(
                file_bytes=enclosed(size, math.exp),
                ms=enclosed(time, math.exp),
                change=enclosed(change, float),
                chance=chance,
                meets=meets,
            )
        return found

    def chance(self, key: str) -> float:
        """How likely what was measured of a cell keeps its quality within the bound, by itself."""
        change = self.observed[key].change
        if change is None:
            return 0.0
        sd = max((change.value - change.low) / 1.959964, 1e-9)
        return 1 - Normal(change.value, sd).below(-self.bound)

    def meets(self, key: str) -> bool:
        """Whether what was measured of a cell meets the demands, its quality more likely than not."""
        one = self.observed[key]
        if one.ms is None or self.chance(key) < _MORE_LIKELY_THAN_NOT:
            return False
        if self.demands.size_kb is not None and one.file_bytes > 1000 * self.demands.size_kb:
            return False
        return self.demands.latency_ms is None or one.ms.value <= self.demands.latency_ms

    def value(self, key: str) -> float:
        """What is made small: the logarithm of latency, of size, or the mean of both."""
        one = self.observed[key]
        assert one.ms is not None
        return self._value(math.log(one.file_bytes), math.log(one.ms.value))

    def ranking(self) -> list[str]:
        """Keys of what meets the demands, the best first.

        Of those that are as good as the best but for what is not worth a trial, the one with the fewest
        steps is first, then the one whose quality is surer.
        """
        serving = sorted((key for key in self.observed if self.meets(key)), key=self.value)
        alike = [key for key in serving if self.value(key) - self.value(serving[0]) < WORTH]
        steps = {cell.key: len(cell.steps) for cell in self.cells}
        alike.sort(key=lambda key: (steps[key], -self.chance(key), self.value(key)))
        return alike + serving[len(alike) :]

    # -- what next ----------------------------------------------------------------------------

    def propose(
        self, cost: Callable[[Cell], float], seconds_left: float | None = None, *, trainings: bool = True
    ) -> Cell | None:
        """The cell that promises most for its cost; None if none is worth a trial.

        Args:
            cost: Seconds that making and measuring a cell would take now.
            seconds_left: What takes longer is not proposed.
            trainings: Whether those that train are.
        """
        sizes, times, changes = self.sizes.all(), self._times(), self._changes()
        ranking = self.ranking()
        best = self.value(ranking[0]) if ranking else None
        if best is None:
            # Nothing serves yet: whatever does is an improvement, and the better the more.
            best = max(self._value(sizes[cell.key].mean, times[cell.key].mean) for cell in self.cells) + 0.5
        chosen, highest = None, 0.0
        for cell in self.cells:
            if cell.key in self.observed or cell.key in self.failed:
                continue
            if not trainings and self._trains(cell):
                continue
            size, time, change = sizes[cell.key], times[cell.key], changes[cell.key]
            meets = self._meets_size(size) * self._meets_time(time) * (1 - change.below(-self.bound))
            gain = meets * self._normal_value(size, time).improvement(best)
            if meets < _LEAST_CHANCE or (ranking and gain < WORTH):
                continue
            seconds = max(cost(cell), 0.1)
            if seconds_left is not None and seconds > seconds_left:
                continue
            score = gain / math.sqrt(seconds)
            if score > highest:
                chosen, highest = cell, score
        return chosen

    def _trains(self, cell: Cell) -> bool:
        """Whether a cell needs a training that was not done yet."""
        form, structure = cell.form, cell.structure
        if form is not None and form.made_by.trains:
            return True
        return structure is not None and structure.made_by.trains and structure.key not in self.structures

    # -- inside -------------------------------------------------------------------------------

    def _times(self) -> dict[str, Normal]:
        """The logarithm of every latency."""
        expected = {
            cell.key: self.expected_time(cell) + self._usual_structure(cell).latency for cell in self.cells
        }
        measured = {
            key: Normal(
                math.log(one.ms.value),
                max(0.005, (math.log(one.ms.high) - math.log(max(one.ms.low, 1e-9))) / 3.92),
            )
            for key, one in self.observed.items()
            if one.ms is not None
        }
        spread = dict.fromkeys((cell.key for cell in self.cells), self.priors.latency)
        alike = self.structures_alike
        return posterior(self.cells, expected, measured, spread, structures_alike=alike)

    def expected_time(self, cell: Cell) -> float:
        """The logarithm of the latency of the model as it came in a form."""
        base = self.start.ms or 1.0
        if cell.form is None:
            return math.log(base)
        macs = macs_of(self.start.layers)
        own, keras = self.priors.usual_form(cell), self.priors.forms.get("-")
        if self.start.foreign is not None:
            return math.log(base) + own.latency - self.priors.in_runtime(self.start.foreign).latency
        there, here = own.ms(macs), None if keras is None else keras.ms(macs)
        if not macs or there is None or here is None:
            return math.log(base) + own.latency
        # This machine may be faster or slower than the one that was measured.
        return math.log(base) + math.log(there / here)

    def _changes(self) -> dict[str, Normal]:
        """The change of every cell's quality."""
        expected = {
            cell.key: self.priors.usual_form(cell).quality + self._usual_structure(cell).quality
            for cell in self.cells
        }
        measured = {
            key: Normal(one.change.value, (one.change.high - one.change.low) / 3.92)
            for key, one in self.observed.items()
            if one.change is not None
        }
        spread = dict.fromkeys((cell.key for cell in self.cells), self.priors.quality)
        return posterior(self.cells, expected, measured, spread)

    def _usual_structure(self, cell: Cell) -> Usual:
        if cell.structure is None:
            return Usual()
        usual = self.priors.structures.get(cell.structure_key)
        if usual is not None:
            return usual
        left = self.operations.get(cell.structure_key) or self.remains.get(cell.structure_key) or 0.8
        return Usual(latency=0.5 * math.log(max(left, 0.01)), quality=-0.01)

    def _meets_size(self, size: Normal) -> float:
        return 1.0 if self.demands.size_kb is None else size.below(math.log(1000 * self.demands.size_kb))

    def _meets_time(self, time: Normal) -> float:
        return 1.0 if self.demands.latency_ms is None else time.below(math.log(self.demands.latency_ms))

    def _value(self, size: float, time: float) -> float:
        match self.demands.wanted:
            case "smaller":
                return size
            case "faster":
                return time
            case _:
                return (size + time) / 2

    def _normal_value(self, size: Normal, time: Normal) -> Normal:
        match self.demands.wanted:
            case "smaller":
                return size
            case "faster":
                return time
            case _:
                return Normal((size.mean + time.mean) / 2, math.hypot(size.sd, time.sd) / 2)
