"""The size of every cell's file: its weights, counted, and what its form takes besides."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.advisor.besides import IN_KERAS
from workbench.advisor.cells import Cell, runtime_chooser
from workbench.advisor.effects import Normal, Spread, posterior
from workbench.advisor.priors import weights_bytes
from workbench.api.variant import Layer
from workbench.measure.records import Interval
from workbench.runtimes import runtime

if TYPE_CHECKING:
    from workbench.advisor.search import Search

_FOUR_IN_FIVE = 1.2815515655446004
"""Standard deviations on either side of what encloses four values in five."""
_EXACT, _COMPUTED, _GUESSED = 0.002, 0.006, 0.25
"""Standard deviations of the logarithm of a file's size: measured; computed with what its form takes besides
weights known from another file; from a ratio that a technique only names."""
_OF_ITS_TECHNIQUE, _UNUSUAL, _OF_OTHER_LAYERS = 0.02, 0.3, 0.5
"""How far what a form takes besides weights may be off, as a share of it: known from the same form by other
parameters; from another form of this model, where it has kinds of layers that no other model had that was
looked at; from these other models alone."""
_ANY_SHARE, _MOST_OF_SHARE = 0.08, 0.4
"""How far a size may be off at least and at most, as a logarithm, where the share of the weights that is left
is only usual: layers come and go with it."""


class Sizes:
    """What is known of the sizes of a search's cells.

    Args:
        search: What was measured, and what is expected of structures.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._weights_known: dict[tuple[str, str], tuple[Sequence[Layer], float | None]] = {}
        self._besides_known: dict[tuple[str, str], tuple[Sequence[Layer], float]] = {}

    def all(self) -> dict[str, Normal]:
        """The logarithm of every file's size."""
        seen = self._seen_besides()
        expected, spread = {}, {}
        for cell in self._search.cells:
            own = self._computed_size(cell, seen)
            expected[cell.key] = own.mean
            known = self._layers(cell) is not None or self._is_counted(cell)
            spread[cell.key] = Spread(structure=0.0 if known else 0.08, form=0.0, runtime=0.0, cell=own.sd)
        measured = {
            key: Normal(math.log(one.file_bytes), _EXACT) for key, one in self._search.observed.items()
        }
        found = posterior(self._search.cells, expected, measured, spread)
        for cell in self._search.cells:
            if cell.structure is None and cell.form is None:
                found[cell.key] = Normal(math.log(self._search.start.file_bytes), _EXACT)
        return found

    def _seen_besides(self) -> _SeenBesides:
        """What files of this model take besides weights, over what those of others would."""
        seen = _SeenBesides()
        for cell in self._search.cells:
            one, layers = self._search.observed.get(cell.key), self._layers(cell)
            if one is None or layers is None or (weights := self._weights(cell, layers)) is None:
                continue
            ratio = (one.file_bytes - weights) / self._usual_besides(cell, layers)
            # Of the model as it came, if that was converted: the others have as many tensors.
            if cell.structure is None or cell.form_key not in seen.forms:
                seen.forms[cell.form_key] = ratio
            seen.kinds.setdefault(cell.form_kind, []).append(ratio)
            if ratio > 0:
                seen.runtimes.setdefault(cell.runtime, []).append(ratio)
        return seen

    def _usual_besides(self, cell: Cell, layers: Sequence[Layer]) -> float:
        """Bytes that a file takes besides weights, by what those of other models do."""
        key = cell.form_kind or IN_KERAS, cell.structure_key
        known = self._besides_known.get(key)
        if known is None or known[0] is not layers:
            usual = self._search.besides.of(key[0], layers)
            if usual is None:  # no such file was looked at: what one of float32 takes there
                usual = self._search.besides.of(_plain_kind(cell), layers)
            found = 600.0 * max(1, len(layers)) if usual is None else usual
            known = self._besides_known[key] = layers, found
        return known[1]

    def _weights(self, cell: Cell, layers: Sequence[Layer]) -> float | None:
        """Bytes of its weights, counted once: large models have hundreds of layers."""
        key = cell.form_key, cell.structure_key
        known = self._weights_known.get(key)
        if known is None or known[0] is not layers:
            known = self._weights_known[key] = layers, weights_bytes(cell, layers)
        return known[1]

    def _over_usual(self, cell: Cell, seen: _SeenBesides, layers: Sequence[Layer]) -> tuple[float, float]:
        """What a file takes besides weights, over what is usual, and how far that may be off as a share."""
        if cell.form_key in seen.forms:
            return seen.forms[cell.form_key], 0.0
        if cell.form_kind in seen.kinds:
            return statistics.median(seen.kinds[cell.form_kind]), _OF_ITS_TECHNIQUE
        kind, plain, known = cell.form_kind or IN_KERAS, _plain_kind(cell), self._search.besides.knows(layers)
        alone = self._search.besides.off(kind) if known else _OF_OTHER_LAYERS
        if cell.runtime not in seen.runtimes:
            return 1.0, alone
        # A regression on what another file of this model and runtime takes, over what is usual.
        other = self._search.besides.off(plain) if known else _OF_OTHER_LAYERS
        common = max(0.0, (alone**2 + other**2 - self._search.besides.off(kind, plain) ** 2) / 2)
        slope = min(1.0, common / other**2)
        left = math.sqrt(max(0.0, alone**2 + (slope * other) ** 2 - 2 * slope * common))
        return statistics.median(seen.runtimes[cell.runtime]) ** slope, left if known else max(left, _UNUSUAL)

    def is_known(self, cell: Cell) -> bool:
        """Whether something is known of its file: of its layers, or from another file of its runtime."""
        layers = self._layers(cell) or self._search.start.layers
        return self._search.besides.knows(layers) or cell.runtime in self._seen_besides().runtimes

    def _computed_size(self, cell: Cell, seen: _SeenBesides) -> Normal:
        """From its weights and what its form takes besides."""
        layers = self._layers(cell)
        share, guessed = 1.0, False
        if layers is None:
            left = self._search.remains.get(cell.structure_key)
            guessed, share = not self._is_counted(cell), 0.7 if left is None else left
            layers = self._search.start.layers
        weights = self._weights(cell, layers)
        if weights is None:
            floats = 4.0 * sum(layer.parameters for layer in layers)
            return Normal(math.log(max(1.0, 0.3 * share * floats)), _GUESSED)
        usual = self._usual_besides(cell, layers)
        ratio, off = self._over_usual(cell, seen, layers)
        besides = ratio * usual
        total = max(1.0, share * weights + besides)
        sd = max(_COMPUTED, off * abs(besides) / total)
        return Normal(math.log(total), max(sd, _of_guess(share)) if guessed else sd)

    def _is_counted(self, cell: Cell) -> bool:
        """Whether what a structure leaves of the weights is counted before it is made."""
        key = cell.structure_key
        return self._search.remains.get(key) is not None and key not in self._search.guessed

    def _layers(self, cell: Cell) -> Sequence[Layer] | None:
        """Those of the model that a cell's form is made of; None before its structure is made."""
        return (
            self._search.start.layers
            if cell.structure is None
            else self._search.structures.get(cell.structure_key)
        )


@dataclass
class _SeenBesides:
    """What files of this model take besides weights, over what those of other models would.

    Attributes:
        forms: By the keys of forms.
        kinds: By their kinds.
        runtimes: By their runtimes.
    """

    forms: dict[str, float] = field(default_factory=dict)
    kinds: dict[str | None, list[float]] = field(default_factory=dict)
    runtimes: dict[str, list[float]] = field(default_factory=dict)


def _plain_kind(cell: Cell) -> str:
    """What a float32 file of a cell's runtime is called among what was looked at."""
    in_keras = "keras" in runtime(cell.runtime).formats
    return IN_KERAS if in_keras else f"{runtime_chooser().name} in {cell.runtime}"


def guess(value: float, share: float) -> Interval:
    """What is four times in five around a value that was guessed from a share that usually is left."""
    return enclosed(Normal(math.log(max(1.0, value)), _of_guess(share)), math.exp)


def _of_guess(share: float) -> float:
    """How far a share of the weights that is only usual may be off: little, where little goes."""
    return min(_MOST_OF_SHARE, _ANY_SHARE + 0.5 * abs(math.log(max(share, 0.01))))


def enclosed(value: Normal, scale: Callable[[float], float]) -> Interval:
    """What encloses a number four times in five, on another scale."""
    half = _FOUR_IN_FIVE * value.sd
    return Interval(value=scale(value.mean), low=scale(value.mean - half), high=scale(value.mean + half))
