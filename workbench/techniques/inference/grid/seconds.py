"""How long a grid will take: making, judging and timing its files."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.api.dataset import DatasetInfo
from workbench.api.variant import Variant
from workbench.measure.block_plan import plan_blocks
from workbench.measure.grid import AT_A_TIME
from workbench.measure.latency import WARM_UP_RUNS, WARM_UP_S
from workbench.runtimes import runtime
from workbench.techniques.inference.grid.cells import Cell, FileRecipe, Model, way_of

_MACS_PER_SECOND = 8e9
"""Of one thread in float32."""
_CALL_MS = 0.02
_CALL_MS_OF_TENSORFLOW = 0.6
_PROCESS_SECONDS = 1.0
"""A fresh process, with its imports but TensorFlow's."""
_TENSORFLOW_SECONDS = 6.0
_DERIVED_SECONDS = 1.0
_LOADED_PER_SECOND = 50e6
"""Weights that a runtime reads and prepares."""
_FINALISTS = 4
_JUDGED_AT_ONCE = 32


def grid_seconds(cells: Sequence[Cell], variant: Variant, dataset: DatasetInfo) -> float:
    """Roughly how long a grid takes on this machine.

    Args:
        cells: Those that can be measured.
        variant: What its files are made of.
        dataset: For the size of the validation split.
    """
    if not cells:
        return 0.0
    files = dict.fromkeys(cell.model for cell in cells)
    making = sum(_file_seconds(model, variant, dataset) for model in files)
    ordered = sorted(cells, key=lambda cell: runtime(cell.model.runtime).imports_tensorflow)
    timing = 0.0
    for start in range(1, max(2, len(ordered)), AT_A_TIME):
        timing += _timing_seconds([ordered[0], *ordered[start : start + AT_A_TIME]], variant)
    fastest = sorted(cells, key=lambda cell: call_ms(cell, variant))[:_FINALISTS]
    return making + timing + _timing_seconds(fastest, variant)


def call_ms(cell: Cell, variant: Variant) -> float:
    """Roughly the time of one call, in milliseconds."""
    macs = variant.description.macs or 10 * variant.description.parameters
    overhead = _CALL_MS_OF_TENSORFLOW if runtime(cell.model.runtime).imports_tensorflow else _CALL_MS
    rate = _MACS_PER_SECOND * math.pow(cell.threads, 0.7)
    return overhead + 1000 * macs * cell.batch / rate


def _file_seconds(model: Model, variant: Variant, dataset: DatasetInfo) -> float:
    """To make a file, and to predict the validation split with it."""
    way = way_of(model, variant, dataset)
    seconds = _start_seconds(model)
    if isinstance(way, FileRecipe) and way.technique is not None:
        seconds += way.technique.estimate(variant, dataset, way.parameters).seconds
        seconds += _DERIVED_SECONDS * way.derived
    samples = dataset.counts["validation"]
    calls = math.ceil(samples / _JUDGED_AT_ONCE)
    return seconds + calls * call_ms(Cell(model, 1, _JUDGED_AT_ONCE), variant) / 1000


def _timing_seconds(cells: Sequence[Cell], variant: Variant) -> float:
    """One process that times a few cells against each other, the first one twice."""
    calls = [call_ms(cell, variant) for cell in (*cells, cells[0])]
    plan = plan_blocks(calls, "quick")
    rounds = sum(
        (plan.discard + runs) * repeats * ms
        for runs, repeats, ms in zip(plan.runs, plan.repeats, calls, strict=True)
    )
    warming = sum(max(WARM_UP_S, min(WARM_UP_RUNS * ms / 1000, 6 * WARM_UP_S)) for ms in calls)
    loading = len(calls) * variant.description.parameters / _LOADED_PER_SECOND
    start = max(_start_seconds(cell.model) for cell in cells)
    return start + loading + warming + plan.rounds * rounds / 1000


def _start_seconds(model: Model) -> float:
    return _TENSORFLOW_SECONDS if runtime(model.runtime).imports_tensorflow else _PROCESS_SECONDS
